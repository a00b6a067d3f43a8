//! What the host knows of its surroundings: mirrors, proxy, certificates, indexes.
//!
//! Builders need it to reach the outside; images keep nothing of it.

use std::{collections::BTreeMap, env, fs, path::Path};

use bytes::Bytes;

use crate::{base::BaseError, settings::Settings};

const DEBIAN: &str = "http://deb.debian.org/debian";
const DEBIAN_SECURITY: &str = "http://deb.debian.org/debian-security";
const PYPI: &str = "https://pypi.org/simple";
/// Where the common systems keep the certificates they trust.
const CA_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
const PROXY_VARIABLES: [&str; 4] = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"];
/// Names of releases and of the roles they play.
const DEBIAN_SUITES: [&str; 8] = [
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "sid",
    "stable",
    "testing",
    "oldstable",
];

/// The surroundings of builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) debian_mirror: String,
    pub(crate) security_mirror: String,
    pub(crate) python_index: String,
    /// Certificates the host trusts.
    pub(crate) certificates: Option<Bytes>,
    /// Proxy variables, both spellings.
    pub(crate) proxy: BTreeMap<String, String>,
    /// Whether builders need the host's own network to reach the proxy.
    pub(crate) proxy_on_loopback: bool,
    /// The engine's processor, as it names it.
    pub(crate) architecture: String,
}

impl Site {
    /// The surroundings as settings and the host have them.
    pub(crate) fn of_host(settings: &Settings, architecture: &str) -> Self {
        let (_, security) = host_debian_mirrors();
        let proxy = proxy_variables();
        Self {
            debian_mirror: debian_mirror(settings),
            security_mirror: chosen(settings.security_mirror.as_ref(), security, DEBIAN_SECURITY),
            python_index: python_index(settings),
            certificates: host_certificates(),
            proxy_on_loopback: proxy.values().any(|value| is_loopback(value)),
            proxy,
            architecture: architecture.to_owned(),
        }
    }

    /// The engine's processor, as Debian names it.
    pub(crate) fn debian_architecture(&self) -> Result<&'static str, BaseError> {
        match self.architecture.as_str() {
            "x86_64" | "amd64" => Ok("amd64"),
            "aarch64" | "arm64" => Ok("arm64"),
            other => Err(BaseError::Architecture {
                architecture: other.to_owned(),
            }),
        }
    }
}

/// Debian's mirror: the one chosen, the host's own, or the public one.
pub fn debian_mirror(settings: &Settings) -> String {
    chosen(
        settings.debian_mirror.as_ref(),
        host_debian_mirrors().0,
        DEBIAN,
    )
}

/// Python's package index: the one chosen, the host's own, or the public one.
pub fn python_index(settings: &Settings) -> String {
    chosen(settings.python_index.as_ref(), host_python_index(), PYPI)
}

fn chosen(choice: Option<&String>, host: Option<String>, default: &str) -> String {
    let url = choice.cloned().or(host);
    let url = url.unwrap_or_else(|| default.to_owned());
    url.trim_end_matches('/').to_owned()
}

/// Debian's mirror and the one of its security updates, as the host's apt has them.
fn host_debian_mirrors() -> (Option<String>, Option<String>) {
    debian_mirrors(&apt_sources(Path::new("/etc/apt")))
}

fn host_certificates() -> Option<Bytes> {
    let named = env::var("SSL_CERT_FILE")
        .ok()
        .filter(|path| !path.is_empty());
    named
        .into_iter()
        .chain(CA_BUNDLES.map(str::to_owned))
        .find_map(|path| fs::read(path).ok())
        .map(Bytes::from)
}

fn proxy_variables() -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for name in PROXY_VARIABLES {
        let upper = name.to_ascii_uppercase();
        let value = env::var(name).or_else(|_| env::var(&upper));
        if let Some(value) = value.ok().filter(|value| !value.is_empty()) {
            variables.insert(upper, value.clone());
            variables.insert(name.to_owned(), value);
        }
    }
    variables
}

fn is_loopback(proxy: &str) -> bool {
    let host = proxy.split_once("://").map_or(proxy, |(_, rest)| rest);
    let host = host.rsplit('@').next().unwrap_or(host);
    host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]")
}

fn host_python_index() -> Option<String> {
    let named = ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"]
        .into_iter()
        .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    let files = env::var("PIP_CONFIG_FILE").ok().into_iter().chain(
        env::home_dir()
            .into_iter()
            .flat_map(|home| {
                [
                    home.join(".config/pip/pip.conf"),
                    home.join(".pip/pip.conf"),
                ]
            })
            .filter_map(|path| path.into_os_string().into_string().ok())
            .chain(["/etc/pip.conf".to_owned()]),
    );
    named.or_else(|| {
        files
            .filter_map(|path| fs::read_to_string(path).ok())
            .find_map(|text| pip_index(&text))
    })
}

/// The `index-url` of a `pip.conf`.
fn pip_index(text: &str) -> Option<String> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| matches!(key.trim(), "index-url" | "index_url"))
        .map(|(_, value)| value.trim().to_owned())
}

/// All of the host's package sources as text, one line each: `URI suite…`.
fn apt_sources(folder: &Path) -> Vec<String> {
    let parts = fs::read_dir(folder.join("sources.list.d"))
        .into_iter()
        .flatten();
    let mut files: Vec<_> = parts.flatten().map(|entry| entry.path()).collect();
    files.sort_unstable();
    files.insert(0, folder.join("sources.list"));
    files
        .into_iter()
        .filter_map(|path| {
            let text = fs::read_to_string(&path).ok()?;
            let stanzas = path.extension().is_some_and(|kind| kind == "sources");
            Some(if stanzas {
                stanza_sources(&text)
            } else {
                line_sources(&text)
            })
        })
        .flatten()
        .collect()
}

fn stanza_sources(text: &str) -> Vec<String> {
    text.split("\n\n")
        .filter_map(|stanza| {
            let field = |name: &str| {
                stanza
                    .lines()
                    .filter_map(|line| line.split_once(':'))
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| value.trim())
            };
            let uri = field("URIs")?.split_ascii_whitespace().next()?;
            Some(format!("{uri} {}", field("Suites")?))
        })
        .collect()
}

fn line_sources(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("deb "))
        .filter_map(|rest| {
            let rest = rest.trim();
            let rest = if rest.starts_with('[') {
                rest.split_once(']')?.1
            } else {
                rest
            };
            let mut words = rest.split_ascii_whitespace();
            Some(format!("{} {}", words.next()?, words.next()?))
        })
        .collect()
}

fn debian_mirrors(sources: &[String]) -> (Option<String>, Option<String>) {
    let find = |wanted: &dyn Fn(&str) -> bool| {
        sources.iter().find_map(|source| {
            let (uri, suites) = source.split_once(' ')?;
            let is_web = uri.starts_with("http://") || uri.starts_with("https://");
            (is_web && suites.split(' ').any(wanted)).then(|| uri.to_owned())
        })
    };
    let mirror = find(&|suite| DEBIAN_SUITES.contains(&suite));
    let security = find(&|suite| {
        suite
            .strip_suffix("-security")
            .is_some_and(|release| DEBIAN_SUITES.contains(&release))
    });
    (mirror, security)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANZAS: &str = "\
Types: deb
URIs: https://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: https://mirror.example/debian-security
Suites: bookworm-security
Components: main
";

    #[test]
    fn finds_the_mirrors_of_stanzas() {
        assert_eq!(
            debian_mirrors(&stanza_sources(STANZAS)),
            (
                Some("https://mirror.example/debian".to_owned()),
                Some("https://mirror.example/debian-security".to_owned())
            )
        );
    }

    #[test]
    fn finds_the_mirror_of_lines_among_others() {
        let lines = "\
# a remark
deb https://packages.example/tool stable-tool main
deb [signed-by=/k.gpg arch=amd64] http://near.example/debian/ trixie main
deb-src http://near.example/debian/ trixie main
";
        assert_eq!(
            debian_mirrors(&line_sources(lines)),
            (Some("http://near.example/debian/".to_owned()), None)
        );
    }

    #[test]
    fn reads_the_index_of_pip() {
        let conf = "[global]\ncert = /x\nindex-url = https://index.example/simple\n";

        assert_eq!(
            pip_index(conf).as_deref(),
            Some("https://index.example/simple")
        );
    }

    #[test]
    fn knows_a_proxy_on_loopback() {
        assert!(is_loopback("http://127.0.0.1:3128"));
        assert!(is_loopback("http://me:pw@localhost:3128"));
        assert!(!is_loopback("http://proxy.example:3128"));
    }
}

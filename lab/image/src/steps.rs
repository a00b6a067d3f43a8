//! The steps of a recipe as commands for its builder.
//!
//! Everything about the host is in the commands' environment and in the scratch folder,
//! which is a volume: none of it can get into the image.

use std::{collections::BTreeMap, fmt::Write};

use lab_engine::{ExecSpec, Mount};

use crate::{base::SUITE, builder::SCRATCH, recipe::Recipe, site::Site};

/// Folder in the scratch space for what the lab brings along.
pub(crate) const BROUGHT: &str = "lab";
/// Python packages already fetched, and `uv` itself.
pub(crate) const UV_FOLDER: &str = "/tmp/lab-uv";
/// Where the sources of Debian packages are unpacked.
const SRC: &str = "/src";
/// Where an artifact's files are left.
pub(crate) const OUT: &str = "/out";
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(crate) const CERTIFICATES: &str = "ca.crt";
pub(crate) const APT_CONFIG: &str = "apt.conf";
pub(crate) const APT_SOURCES: &str = "sources.list";
pub(crate) const SCRIPT: &str = "build.sh";
pub(crate) const REQUIREMENTS: &str = "requirements.txt";

/// Volumes that builds share, with the folders they appear at.
const CACHES: [(&str, &str); 3] = [
    ("lab-cache-apt", "/var/cache/apt/archives"),
    ("lab-cache-apt-lists", "/var/lib/apt/lists"),
    ("lab-cache-uv", UV_FOLDER),
];

/// Indexes are read again when they are older than an hour; old ones and packages that
/// were fetched before are enough where the mirror does not answer. One at a time may use the
/// shared folders; the lock is between containers.
const APT_INSTALL: &str = r#"
lists=/var/lib/apt/lists
stamp="$lists/.lab-$(sha256sum < /tmp/lab/sources.list | cut -c 1-16)"
exec 9> /var/cache/apt/archives/.lab-lock
flock 9
mkdir -p /var/cache/apt/archives/partial "$lists/partial"
update() { apt-get update -qq && touch "$stamp"; }
[ -n "$(find "$stamp" -mmin -60 2>/dev/null)" ] || update || true
install() { apt-get install --yes --no-install-recommends "$@"; }
install "$@" || { update && install "$@"; }
"#;
const APT_SOURCE: &str = r#"
exec 9> /var/cache/apt/archives/.lab-lock
flock 9
cd /src && apt-get source "$@"
"#;
/// What installing leaves behind and no program reads.
const TIDY: &str = r"
rm -rf /var/log/apt /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old \
    /var/lib/dpkg/*-old /var/cache/ldconfig/aux-cache /root/.cache /root/.config
mkdir -p /var/log/apt
";

pub(crate) fn cache_volumes() -> impl Iterator<Item = &'static str> {
    CACHES.iter().map(|(name, _)| *name)
}

pub(crate) fn cache_mounts() -> Vec<Mount> {
    CACHES
        .iter()
        .map(|(name, path)| Mount::Volume {
            name: (*name).to_owned(),
            path: (*path).to_owned(),
        })
        .collect()
}

/// A folder of a recipe's own that is no part of the image.
pub(crate) fn own_mounts(recipe: &Recipe) -> Vec<Mount> {
    let artifact = recipe.kind == crate::recipe::Kind::Artifact;
    let folders = [(artifact, OUT), (!recipe.sources.is_empty(), SRC)];
    folders
        .into_iter()
        .filter(|(wanted, _)| *wanted)
        .map(|(_, path)| Mount::Anonymous {
            path: path.to_owned(),
        })
        .collect()
}

/// Installs packages.
pub(crate) fn install(site: &Site, packages: &[String]) -> ExecSpec {
    shell(site, APT_INSTALL, packages)
}

/// Unpacks sources below `/src`.
pub(crate) fn sources(site: &Site, sources: &[String]) -> ExecSpec {
    shell(site, APT_SOURCE, sources)
}

/// Runs the recipe's own script.
pub(crate) fn script(site: &Site) -> ExecSpec {
    let path = format!("{SCRATCH}/{BROUGHT}/{SCRIPT}");
    let mut command = ExecSpec::new(["bash", "-eu", &path]);
    command.env = environment(site);
    command.workdir = Some("/".to_owned());
    command.with_env("OUT", OUT).with_env("SRC", SRC)
}

/// Unpacks a tar given as input below a folder.
pub(crate) fn unpack(site: &Site, folder: &str) -> ExecSpec {
    let script = r#"
mkdir -p "$1"
tar --extract --directory "$1" --no-same-owner --no-overwrite-dir --keep-directory-symlink
"#;
    shell(site, script, &[folder.to_owned()])
}

/// Removes what installing left behind.
pub(crate) fn tidy(site: &Site) -> ExecSpec {
    shell(site, TIDY, &[])
}

pub(crate) fn shell(site: &Site, script: &str, arguments: &[String]) -> ExecSpec {
    let fixed = ["sh", "-eu", "-c", script, "sh"].map(str::to_owned);
    let mut command = ExecSpec::new(fixed.into_iter().chain(arguments.iter().cloned()));
    command.env = environment(site);
    command.workdir = Some("/".to_owned());
    command
}

/// Settings of `apt` for the build alone; the image's own are not read.
pub(crate) fn apt_config(site: &Site) -> String {
    let brought = format!("{SCRATCH}/{BROUGHT}");
    let mut config = format!(
        "Dir::Etc::Parts \"/dev/null\";
Dir::Etc::SourceList \"{brought}/{APT_SOURCES}\";
Dir::Etc::SourceParts \"/dev/null\";
Dir::Cache::pkgcache \"\";
Dir::Cache::srcpkgcache \"\";
Acquire::Retries \"3\";
APT::Update::Error-Mode \"any\";
Acquire::Languages \"none\";
APT::Get::List-Cleanup \"false\";
APT::Install-Recommends \"false\";
APT::Keep-Downloaded-Packages \"true\";
APT::Sandbox::User \"root\";
DPkg::Use-Pty \"false\";
DPkg::Options {{ \"--force-confdef\"; \"--force-confold\"; \"--force-unsafe-io\"; }};
"
    );
    if site.certificates.is_some() {
        // Writing to a text cannot fail.
        let _ = writeln!(
            config,
            "Acquire::https::CaInfo \"{brought}/{CERTIFICATES}\";"
        );
    }
    config
}

/// Debian's suites at the site's mirrors.
pub(crate) fn apt_sources(site: &Site, with_sources: bool) -> String {
    let keys = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";
    let suites = [
        (&site.debian_mirror, SUITE.to_owned()),
        (&site.debian_mirror, format!("{SUITE}-updates")),
        (&site.security_mirror, format!("{SUITE}-security")),
    ];
    let mut lines = String::new();
    for (mirror, suite) in suites {
        let _ = writeln!(lines, "deb {keys} {mirror} {suite} main");
        if with_sources {
            let _ = writeln!(lines, "deb-src {keys} {mirror} {suite} main");
        }
    }
    lines
}

/// Variables that builds need here and images must not have.
pub(crate) fn environment(site: &Site) -> BTreeMap<String, String> {
    let brought = format!("{SCRATCH}/{BROUGHT}");
    let mut env = site.proxy.clone();
    let mut set = |name: &str, value: &str| env.insert(name.to_owned(), value.to_owned());
    set("PATH", PATH);
    set("HOME", "/root");
    set("LC_ALL", "C.UTF-8");
    set("DEBIAN_FRONTEND", "noninteractive");
    set("APT_CONFIG", &format!("{brought}/{APT_CONFIG}"));
    set("UV_DEFAULT_INDEX", &site.python_index);
    set("PIP_INDEX_URL", &site.python_index);
    set("UV_CACHE_DIR", &format!("{UV_FOLDER}/cache"));
    set("UV_LINK_MODE", "copy");
    set("UV_NO_PROGRESS", "1");
    set("UV_NO_CONFIG", "1");
    set("UV_PYTHON_DOWNLOADS", "never");
    set("UV_HTTP_TIMEOUT", "120");
    // Compiled files are checked against their sources by time: a script may still
    // change a source after it was compiled.
    set("PYC_INVALIDATION_MODE", "TIMESTAMP");
    if site.certificates.is_some() {
        let path = format!("{brought}/{CERTIFICATES}");
        for name in [
            "SSL_CERT_FILE",
            "PIP_CERT",
            "CURL_CA_BUNDLE",
            "REQUESTS_CA_BUNDLE",
            "GIT_SSL_CAINFO",
        ] {
            set(name, &path);
        }
    }
    env
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site {
            debian_mirror: "https://mirror.example/debian".to_owned(),
            security_mirror: "https://mirror.example/debian-security".to_owned(),
            python_index: "https://index.example/simple".to_owned(),
            certificates: Some("certificates".into()),
            proxy: BTreeMap::from([("https_proxy".to_owned(), "http://proxy.example".to_owned())]),
            proxy_on_loopback: false,
            architecture: "x86_64".to_owned(),
        }
    }

    #[test]
    fn packages_come_signed_from_the_sites_mirrors() {
        insta::assert_snapshot!(apt_sources(&site(), true));
    }

    #[test]
    fn commands_know_proxy_and_certificates() {
        let env = environment(&site());

        assert_eq!(env["https_proxy"], "http://proxy.example");
        assert_eq!(env["SSL_CERT_FILE"], "/tmp/lab/ca.crt");
    }
}

//! Names of images in container registries, and the mirror a site may have of the
//! best-known one.

use std::fmt;

/// The registry that a mirror takes the place of.
const DOCKER_HUB: &str = "docker.io";
const DIGEST: &str = "sha256:";
const DIGEST_DIGITS: usize = 64;

/// An image in a container registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pull {
    /// Its name with its registry, for example `docker.io/grafana/grafana:10.3.3`.
    pub reference: String,
    /// The checksum of its manifest, which alone decides what is pulled: `sha256:…`.
    pub digest: String,
}

/// A registry that has what another has: `HOST[:PORT][/PREFIX]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mirror(String);

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pull {
    /// The name the engine pulls it by, with the mirror's in the place of Docker Hub's.
    pub(crate) fn pinned(&self, mirror: Option<&Mirror>) -> String {
        let name = without_tag(&self.reference);
        let mirrored = mirror.and_then(|Mirror(mirror)| {
            let path = name.strip_prefix(DOCKER_HUB)?.strip_prefix('/')?;
            Some(format!("{mirror}/{path}"))
        });
        format!("{}@{}", mirrored.as_deref().unwrap_or(name), self.digest)
    }
}

impl Mirror {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('/');
        let (host, prefix) = match text.split_once('/') {
            Some((host, prefix)) => (host, Some(prefix)),
            None => (text, None),
        };
        let fits = is_named_host(host) && prefix.is_none_or(is_path);
        fits.then(|| Self(text.to_owned()))
    }
}

/// Whether the text is `HOST[:PORT]/PATH[:TAG]`. Without a host it would be the
/// engine's choice where it comes from.
pub(crate) fn is_reference(text: &str) -> bool {
    let name = without_tag(text);
    let tag = text[name.len()..].strip_prefix(':');
    name.split_once('/')
        .is_some_and(|(host, path)| is_named_host(host) && is_path(path) && tag.is_none_or(is_tag))
}

/// Whether the text is a checksum as registries write it.
pub(crate) fn is_digest(text: &str) -> bool {
    text.strip_prefix(DIGEST).is_some_and(|digits| {
        let hexadecimal = |c| matches!(c, '0'..='9' | 'a'..='f');
        digits.len() == DIGEST_DIGITS && digits.chars().all(hexadecimal)
    })
}

/// The reference with the tag that stands for none.
pub(crate) fn with_tag(reference: &str) -> String {
    if without_tag(reference) == reference {
        format!("{reference}:latest")
    } else {
        reference.to_owned()
    }
}

/// A colon after the last slash begins a tag; one before it, a port.
fn without_tag(reference: &str) -> &str {
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => reference,
    }
}

/// The engine takes a first part for a host only when it looks like one.
fn is_named_host(text: &str) -> bool {
    is_host(text) && (text.contains(['.', ':']) || text == "localhost")
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let in_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    !host.is_empty()
        && host.chars().all(in_host)
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_path(text: &str) -> bool {
    let in_part =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    let fits = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.ends_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(in_part)
    };
    text.split('/').all(fits)
}

fn is_tag(text: &str) -> bool {
    let in_tag = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !text.is_empty() && text.len() <= 128 && text.chars().all(in_tag)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ZEROS: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    fn pull(reference: &str) -> Pull {
        Pull {
            reference: reference.to_owned(),
            digest: ZEROS.to_owned(),
        }
    }

    #[test]
    fn the_digest_takes_the_place_of_the_tag() {
        let pinned = pull("docker.io/grafana/grafana:10.3.3").pinned(None);

        assert_eq!(pinned, format!("docker.io/grafana/grafana@{ZEROS}"));
    }

    #[test]
    fn a_mirror_takes_the_place_of_docker_hub() {
        let mirror = Mirror::parse("mirror.example:5000/hub/");

        let pinned = pull("docker.io/grafana/grafana:10.3.3").pinned(mirror.as_ref());

        assert_eq!(
            pinned,
            format!("mirror.example:5000/hub/grafana/grafana@{ZEROS}")
        );
    }

    #[test]
    fn a_mirror_of_docker_hub_has_no_other_registrys_images() {
        let mirror = Mirror::parse("mirror.example");

        let pinned = pull("quay.io/a/b").pinned(mirror.as_ref());

        assert_eq!(pinned, format!("quay.io/a/b@{ZEROS}"));
    }

    #[test]
    fn a_reference_without_tag_and_digest_is_the_latest() {
        for (given, tagged) in [
            ("rancher/k3s", "rancher/k3s:latest"),
            ("localhost:5000/k3s", "localhost:5000/k3s:latest"),
            ("rancher/k3s:v1", "rancher/k3s:v1"),
            ("rancher/k3s@sha256:00", "rancher/k3s@sha256:00"),
        ] {
            assert_eq!(with_tag(given), tagged);
        }
    }

    #[test]
    fn a_reference_names_its_registry() {
        for good in ["docker.io/a/b:1", "localhost/a", "127.0.0.1:5000/a/b"] {
            assert!(is_reference(good), "{good}");
        }
        for bad in [
            "a/b:1",
            "docker.io",
            "docker.io/A",
            "docker.io/a:",
            "docker.io/a@x",
            "",
        ] {
            assert!(!is_reference(bad), "{bad}");
        }
    }

    #[test]
    fn a_mirror_is_no_url_and_has_no_password() {
        for bad in [
            "https://mirror.example",
            "me:secret@mirror.example",
            "mirror",
            "",
        ] {
            assert_eq!(Mirror::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_pulled_ends_with_the_digest_and_keeps_the_path(
            port in prop::option::of(1_u16..),
            path in "[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,3}",
            tag in prop::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}"),
        ) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
            let reference = format!("registry.example{port}/{path}{tag}");

            prop_assert!(is_reference(&reference));
            let pinned = pull(&reference).pinned(None);
            prop_assert_eq!(pinned, format!("registry.example{port}/{path}@{ZEROS}"));
        }

        #[test]
        fn no_text_is_too_odd(text in ".{0,40}") {
            let _ = (is_reference(&text), is_digest(&text), Mirror::parse(&text));
        }
    }
}

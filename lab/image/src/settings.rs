//! What a person may choose about images.

use std::{env, time::Duration};

/// Where images come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Policy {
    /// As the recipe says: what only registries have is pulled, the rest is built.
    #[default]
    Auto,
    /// Only pull: what has to be built is an error.
    Pull,
    /// Only build: what has to be pulled is an error.
    Build,
}

/// Choices about images. What is absent is taken from the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Where images come from.
    pub policy: Policy,
    /// Debian mirror, for example `http://deb.debian.org/debian`.
    pub debian_mirror: Option<String>,
    /// Mirror of Debian's security updates.
    pub security_mirror: Option<String>,
    /// Python package index, for example `https://pypi.org/simple`.
    pub python_index: Option<String>,
    /// Mirror of Docker Hub, `HOST[:PORT][/PREFIX]`.
    pub registry_mirror: Option<String>,
    /// How long registries are waited for.
    pub patience: Patience,
}

/// How long a registry is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until it has said anything.
    pub answer: Duration,
    /// While nothing more comes.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            // The engine itself gives up after 10 s to 25 s, and then says why.
            answer: Duration::from_secs(30),
            // The engine tries a layer again and again for that long; then it is in vain.
            silence: Duration::from_mins(1),
        }
    }
}

impl Settings {
    /// Choices as the variables `LAB_DEBIAN_MIRROR`, `LAB_DEBIAN_SECURITY_MIRROR`,
    /// `LAB_PYTHON_INDEX` and `LAB_REGISTRY_MIRROR` have them.
    pub fn from_env() -> Self {
        let var = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            policy: Policy::default(),
            debian_mirror: var("LAB_DEBIAN_MIRROR"),
            security_mirror: var("LAB_DEBIAN_SECURITY_MIRROR"),
            python_index: var("LAB_PYTHON_INDEX"),
            registry_mirror: var("LAB_REGISTRY_MIRROR"),
            patience: Patience::default(),
        }
    }
}

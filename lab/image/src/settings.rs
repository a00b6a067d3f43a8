//! What a person may choose about images.

use std::env;

/// Where images come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Policy {
    /// Whatever is sure to give the image: today that is its recipe.
    #[default]
    Auto,
    /// Only pull. No image is known by digest yet, so that what is missing is an error.
    Pull,
    /// Only build.
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
}

impl Settings {
    /// Choices as the variables `LAB_DEBIAN_MIRROR`, `LAB_DEBIAN_SECURITY_MIRROR` and
    /// `LAB_PYTHON_INDEX` have them.
    pub fn from_env() -> Self {
        let var = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            policy: Policy::default(),
            debian_mirror: var("LAB_DEBIAN_MIRROR"),
            security_mirror: var("LAB_DEBIAN_SECURITY_MIRROR"),
            python_index: var("LAB_PYTHON_INDEX"),
        }
    }
}

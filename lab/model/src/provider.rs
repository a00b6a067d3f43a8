//! Providers: what makes and removes clusters.

use std::{fmt, str::FromStr};

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What makes and removes a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// The locally built node image.
    #[default]
    Node,
    /// k3s, as its project publishes it.
    K3s,
    /// The program `kind`.
    Kind,
    /// A cluster that is there already: a context of a kubeconfig.
    Existing,
}

/// No provider has that name.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("there is no provider `{name}`")]
#[diagnostic(code(lab::provider::unknown), help("one of: {}", Provider::names()))]
pub struct UnknownProvider {
    name: String,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 4] = [Self::Node, Self::K3s, Self::Kind, Self::Existing];

    /// Its name, as people type it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::K3s => "k3s",
            Self::Kind => "kind",
            Self::Existing => "existing",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == name);
        found.ok_or_else(|| UnknownProvider {
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_found_by_its_name() {
        for provider in Provider::ALL {
            assert_eq!(provider.as_str().parse(), Ok(provider));
        }
        let error = "minikube".parse::<Provider>().unwrap_err();
        assert_eq!(error.to_string(), "there is no provider `minikube`");
    }
}

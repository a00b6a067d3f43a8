//! Names, parsed once at the edge; inside, nothing checks them again.

use std::{fmt, str::FromStr};

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A name that Kubernetes and Docker both accept (an RFC 1123 label).
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error(
    "`{name}` is not a valid name: use 2 to 40 lower-case letters, digits or `-`, and start with a letter"
)]
#[diagnostic(code(lab::name::invalid))]
pub struct InvalidName {
    name: String,
}

fn parse_label(name: &str) -> Result<String, InvalidName> {
    let well_formed = (2..=40).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if well_formed {
        Ok(name.to_owned())
    } else {
        Err(InvalidName {
            name: name.to_owned(),
        })
    }
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(name: &str) -> Result<Self, InvalidName> {
                parse_label(name).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(name: String) -> Result<Self, InvalidName> {
                name.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

label!(
    /// The name of a throwaway cluster.
    ClusterName
);
label!(
    /// The identity of one run: the name of its folder under `runs/`.
    RunId
);

/// Labels that everything made outside the process carries.
pub mod label {
    /// The cluster a thing belongs to.
    pub const CLUSTER: &str = "lab.cluster";
    /// The run that made it.
    pub const RUN: &str = "lab.run";
    /// The process that answers for it: `pid:start-time:boot-id`.
    pub const OWNER: &str = "lab.owner";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_a_kubernetes_label() {
        assert_eq!("demo-1".parse::<ClusterName>().unwrap().as_str(), "demo-1");
    }

    #[test]
    fn refuses_what_docker_or_kubernetes_would() {
        for bad in [
            "",
            "a",
            "Demo",
            "1demo",
            "demo-",
            "de mo",
            "../etc",
            &"a".repeat(41),
        ] {
            assert!(bad.parse::<ClusterName>().is_err(), "{bad:?} was accepted");
        }
    }
}

//! How many of a machine's GPUs a cluster gets.

use std::{fmt, num::NonZeroU8, str::FromStr};

use miette::Diagnostic;
use thiserror::Error;

/// How many of the machine's GPUs a cluster gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Gpus {
    /// All where it can have them; else none, and it is told why.
    #[default]
    Auto,
    /// All; it is an error when it cannot have them.
    All,
    /// None.
    None,
    /// So many; it is an error when there are fewer.
    Count(NonZeroU8),
}

/// Not a number of GPUs.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("`{word}` is no number of GPUs")]
#[diagnostic(
    code(lab::gpu::number),
    help("`auto`, `all`, `none`, or a number from 1")
)]
pub struct InvalidGpus {
    word: String,
}

impl fmt::Display for Gpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::All => f.write_str("all"),
            Self::None => f.write_str("none"),
            Self::Count(number) => number.fmt(f),
        }
    }
}

impl FromStr for Gpus {
    type Err = InvalidGpus;

    fn from_str(word: &str) -> Result<Self, InvalidGpus> {
        match word {
            "auto" => Ok(Self::Auto),
            "all" => Ok(Self::All),
            "none" => Ok(Self::None),
            number => number.parse().map(Self::Count).map_err(|_| InvalidGpus {
                word: word.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_gpus_is_read_as_it_is_written() {
        for word in ["auto", "all", "none", "1", "8"] {
            assert_eq!(word.parse::<Gpus>().unwrap().to_string(), word);
        }
        for word in ["", "0", "-1", "every", "256"] {
            let error = word.parse::<Gpus>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{word}` is no number of GPUs"));
        }
    }
}

//! The language of what `lab` says: as chosen, else as the locale is.

use clap::ValueEnum;
use lab_report::lang::Lang;

/// A language, or that of the locale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LangChoice {
    /// As the locale says: `LC_ALL`, `LC_MESSAGES` or `LANG`.
    Auto,
    /// English.
    En,
    /// Korean.
    Ko,
}

impl LangChoice {
    /// The language of features and of what is said on the terminal.
    pub(crate) fn lang(self) -> Lang {
        self.chosen(&locale()).unwrap_or(Lang::English)
    }

    /// The language that a page opens in. It has both; Korean comes first where nothing
    /// says which is wanted.
    pub(crate) fn of_page(self) -> Lang {
        self.chosen(&locale()).unwrap_or(Lang::Korean)
    }

    fn chosen(self, locale: &str) -> Option<Lang> {
        match self {
            Self::En => Some(Lang::English),
            Self::Ko => Some(Lang::Korean),
            Self::Auto if locale.starts_with("ko") => Some(Lang::Korean),
            Self::Auto if locale.starts_with("en") => Some(Lang::English),
            Self::Auto => None,
        }
    }
}

/// The locale of messages; the first variable that is set counts, as POSIX has it.
fn locale() -> String {
    let variables = ["LC_ALL", "LC_MESSAGES", "LANG"].iter();
    let mut set = variables.filter_map(|name| std::env::var(name).ok());
    set.find(|value| !value.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_counts_more_than_the_locale() {
        assert_eq!(LangChoice::En.chosen("ko_KR.UTF-8"), Some(Lang::English));
        assert_eq!(LangChoice::Auto.chosen("ko_KR.UTF-8"), Some(Lang::Korean));
        assert_eq!(LangChoice::Auto.chosen("en_GB"), Some(Lang::English));
        assert_eq!(LangChoice::Auto.chosen("C.UTF-8"), None);
    }
}

//! Text in the two languages in which people read here.

use std::borrow::Cow;

use maud::{Markup, Render, html};

/// A language that people read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    English,
    /// Korean.
    Korean,
}

impl Lang {
    /// The language's code: `en`, `ko`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }
}

/// The same said in both languages. On a page both stand side by side, and its style
/// shows the one that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    english: Cow<'static, str>,
    korean: Cow<'static, str>,
}

/// Words known when this was written.
pub(crate) const fn words(english: &'static str, korean: &'static str) -> Words {
    Words {
        english: Cow::Borrowed(english),
        korean: Cow::Borrowed(korean),
    }
}

/// Words made of what a run said.
pub(crate) const fn told(english: String, korean: String) -> Words {
    Words {
        english: Cow::Owned(english),
        korean: Cow::Owned(korean),
    }
}

/// What is said alike in both languages: names, figures.
pub(crate) fn alike(text: impl Into<String>) -> Words {
    let text = text.into();
    told(text.clone(), text)
}

impl Words {
    /// Both, each changed in the same way.
    pub(crate) fn map(&self, change: impl Fn(&str) -> String) -> Self {
        told(change(&self.english), change(&self.korean))
    }

    /// In one language.
    pub(crate) fn of(&self, lang: Lang) -> &str {
        match lang {
            Lang::English => &self.english,
            Lang::Korean => &self.korean,
        }
    }

    /// In an attribute, which no style can show in one language only.
    pub(crate) fn in_attribute(&self) -> Cow<'static, str> {
        if self.english == self.korean {
            self.english.clone()
        } else {
            format!("{} · {}", self.english, self.korean).into()
        }
    }

    /// In a plot, where text has elements of its own.
    pub(crate) fn in_plot(&self) -> Markup {
        html! {
            @if self.english == self.korean {
                (self.english)
            } @else {
                tspan.en lang="en" { (self.english) }
                tspan.ko lang="ko" { (self.korean) }
            }
        }
    }

    /// On a page, with what stands between backticks as code.
    pub(crate) fn prose(&self) -> Markup {
        html! {
            span.en lang="en" { (with_code(&self.english)) }
            span.ko lang="ko" { (with_code(&self.korean)) }
        }
    }
}

impl Render for Words {
    fn render_to(&self, page: &mut String) {
        if self.english == self.korean {
            self.english.render_to(page);
            return;
        }
        let both = html! {
            span.en lang="en" { (self.english) }
            span.ko lang="ko" { (self.korean) }
        };
        both.render_to(page);
    }
}

/// Text with what stands between backticks as code.
pub(crate) fn with_code(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            // Every second part stands between two backticks.
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

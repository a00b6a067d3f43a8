//! Reads a TOML table key by key and keeps every problem with its place.

use std::{collections::BTreeMap, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A problem and where it is.
pub(crate) type Found = (Range<usize>, String);

/// A table being read; what is not asked for is an unknown key.
pub(crate) struct Reader<'t, 'i> {
    table: &'t DeTable<'i>,
    /// Where the table itself is, as written: `[python]` or empty at the top.
    path: &'static str,
    span: Range<usize>,
    known: Vec<&'static str>,
    pub(crate) problems: Vec<Found>,
}

impl<'t, 'i> Reader<'t, 'i> {
    pub(crate) fn new(table: &'t DeTable<'i>, path: &'static str, span: Range<usize>) -> Self {
        Self {
            table,
            path,
            span,
            known: Vec::new(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn text(&mut self, key: &'static str) -> Option<Spanned<String>> {
        let value = self.value(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(value, key, "text");
            return None;
        };
        Some(Spanned::new(value.span(), text.to_owned()))
    }

    /// Text that must be there.
    pub(crate) fn needed(&mut self, key: &'static str) -> Option<Spanned<String>> {
        if self.value(key).is_none() {
            let message = format!("{}: key `{key}` is missing", self.whole());
            self.problems.push((self.span.clone(), message));
        }
        self.text(key)
    }

    pub(crate) fn number(&mut self, key: &'static str) -> Option<u64> {
        let value = self.value(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        if number.is_none() {
            self.wrong(value, key, "a number from 0");
        }
        number
    }

    pub(crate) fn texts(&mut self, key: &'static str) -> Option<Vec<Spanned<String>>> {
        let value = self.value(key)?;
        let texts = value.get_ref().as_array().and_then(|array| {
            let text = |one: &Spanned<DeValue<'i>>| {
                let text = one.get_ref().as_str()?;
                Some(Spanned::new(one.span(), text.to_owned()))
            };
            array.iter().map(text).collect::<Option<Vec<_>>>()
        });
        if texts.is_none() {
            self.wrong(value, key, "a list of texts");
        }
        texts
    }

    /// A table whose keys are free and whose values are texts.
    pub(crate) fn map(&mut self, key: &'static str) -> BTreeMap<String, Spanned<String>> {
        let Some(value) = self.value(key) else {
            return BTreeMap::new();
        };
        let map = value.get_ref().as_table().and_then(|table| {
            let entry = |(name, value): (&Spanned<_>, &Spanned<DeValue<'i>>)| {
                let name: &std::borrow::Cow<'_, str> = name.get_ref();
                let text = value.get_ref().as_str()?;
                Some((
                    name.to_string(),
                    Spanned::new(value.span(), text.to_owned()),
                ))
            };
            table.iter().map(entry).collect::<Option<_>>()
        });
        if map.is_none() {
            self.wrong(value, key, "a table of texts");
        }
        map.unwrap_or_default()
    }

    /// A table of its own.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<Reader<'t, 'i>> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(value, key, "a table");
            return None;
        };
        Some(Reader::new(table, key, value.span()))
    }

    /// Keys that cannot stand beside another; each that is there is a problem.
    pub(crate) fn exclude(&mut self, keys: &[&'static str], because: &str) {
        for key in keys {
            if let Some(value) = self.value(key) {
                let message = format!("{}: key `{key}` cannot stand {because}", self.whole());
                self.problems.push((value.span(), message));
            }
        }
    }

    /// Every problem, unknown keys included.
    pub(crate) fn finish(mut self) -> Vec<Found> {
        for key in self.table.keys() {
            if !self
                .known
                .iter()
                .any(|known| *known == key.get_ref().as_ref())
            {
                let message = format!(
                    "{}: key `{}` is unknown; known are {}",
                    self.whole(),
                    key.get_ref(),
                    self.known.join(", ")
                );
                self.problems.push((key.span(), message));
            }
        }
        self.problems
    }

    fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'i>>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.table.get(key)
    }

    fn wrong(&mut self, value: &Spanned<DeValue<'i>>, key: &str, wanted: &str) {
        let message = format!("{}: key `{key}` must be {wanted}", self.whole());
        self.problems.push((value.span(), message));
    }

    fn whole(&self) -> String {
        match self.path {
            "" => "recipe".to_owned(),
            path => format!("[{path}]"),
        }
    }
}

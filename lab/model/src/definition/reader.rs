//! Reads a TOML table key by key and keeps every problem with its place.

use std::{collections::BTreeMap, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::Problem;
use crate::gpu::Gpus;

/// Reads a file's text: hands its top table to `take`, and gives what that makes of it
/// unless there is a problem. `kind` is what the file is in messages: `stack`, `recipe`.
///
/// # Errors
/// Every problem, by line.
pub fn read<T>(
    file: &str,
    text: &str,
    kind: &str,
    take: impl FnOnce(&mut Reader<'_, '_>) -> T,
) -> Result<T, Vec<Problem>> {
    let (table, broken) = DeTable::parse_recoverable(text);
    let mut found = breaks(&broken);
    let mut taken = None;
    // What follows from broken syntax is no problem of its own.
    if found.is_empty() {
        let mut top = Reader::new(table.get_ref(), kind, String::new(), 0..0);
        taken = Some(take(&mut top));
        found = top.finish();
    }
    found.sort_by_key(|(span, _)| span.start);
    match taken {
        Some(taken) if found.is_empty() => Ok(taken),
        _ => Err(found
            .into_iter()
            .map(|(span, message)| Problem::at(file, text, &span, message))
            .collect()),
    }
}

type Found = (Range<usize>, String);

/// What is wrong with the syntax. A table whose head is broken is taken for a part of the
/// one before: keys that then are there twice are no problem of their own.
fn breaks(errors: &[toml::de::Error]) -> Vec<Found> {
    let twice = |error: &&toml::de::Error| error.message() == "duplicate key";
    let all_twice = errors.iter().all(|error| twice(&error));
    errors
        .iter()
        .filter(|error| all_twice || !twice(error))
        .map(|error| (error.span().unwrap_or_default(), error.message().to_owned()))
        .collect()
}

/// What a key may hold.
pub trait Value: Sized {
    /// In messages: "must be …".
    const ONE: &'static str;
    /// In messages: "must be a list of …".
    const MANY: &'static str;

    /// Takes it, where it is that.
    fn of(value: &DeValue<'_>) -> Option<Self>;
}

impl Value for String {
    const ONE: &'static str = "text";
    const MANY: &'static str = "texts";

    fn of(value: &DeValue<'_>) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl Value for bool {
    const ONE: &'static str = "true or false";
    const MANY: &'static str = "true and false";

    fn of(value: &DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }
}

impl Value for u64 {
    const ONE: &'static str = "a whole number from 0";
    const MANY: &'static str = "whole numbers from 0";

    fn of(value: &DeValue<'_>) -> Option<Self> {
        let number = value.as_integer()?;
        Self::from_str_radix(number.as_str(), number.radix()).ok()
    }
}

impl Value for Gpus {
    const ONE: &'static str = "auto, all, none or a number from 1";
    const MANY: &'static str = "numbers of GPUs";

    fn of(value: &DeValue<'_>) -> Option<Self> {
        let number = value.as_integer().map(toml::de::DeInteger::as_str);
        value.as_str().or(number)?.parse().ok()
    }
}

impl Value for f64 {
    const ONE: &'static str = "a number";
    const MANY: &'static str = "numbers";

    fn of(value: &DeValue<'_>) -> Option<Self> {
        let written = value.as_float().map(toml::de::DeFloat::as_str);
        let written = written.or_else(|| Some(value.as_integer()?.as_str()));
        written?.parse().ok()
    }
}

/// A table being read; what is not asked for is an unknown key.
pub struct Reader<'t, 'i> {
    table: &'t DeTable<'i>,
    /// What the file is called in messages.
    kind: &'t str,
    /// Where the table is in it: `component.endpoint`; empty at the top.
    path: String,
    span: Range<usize>,
    known: Vec<&'static str>,
    problems: Vec<Found>,
}

impl<'t, 'i> Reader<'t, 'i> {
    fn new(table: &'t DeTable<'i>, kind: &'t str, path: String, span: Range<usize>) -> Self {
        Self {
            table,
            kind,
            path,
            span,
            known: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Where the table itself is.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Where a key's value is; the table itself where it is not there.
    pub fn place(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or(self.span(), Spanned::span)
    }

    /// Keeps a problem that only the caller can see.
    pub fn problem(&mut self, span: Range<usize>, message: impl AsRef<str>) {
        let message = message.as_ref();
        let message = match self.path.as_str() {
            "" => format!("{}: {message}", self.kind),
            path => format!("[{path}]: {message}"),
        };
        self.problems.push((span, message));
    }

    /// A value that may be there.
    pub fn get<T: Value>(&mut self, key: &'static str) -> Option<Spanned<T>> {
        let value = self.value(key)?;
        let taken = T::of(value.get_ref());
        if taken.is_none() {
            self.wrong(value, key, T::ONE);
        }
        Some(Spanned::new(value.span(), taken?))
    }

    /// A value that must be there.
    pub fn needed<T: Value>(&mut self, key: &'static str) -> Option<Spanned<T>> {
        self.require(key);
        self.get(key)
    }

    /// A list of values.
    pub fn list<T: Value>(&mut self, key: &'static str) -> Option<Vec<Spanned<T>>> {
        let value = self.value(key)?;
        let list = value.get_ref().as_array().and_then(|array| {
            let one =
                |one: &Spanned<DeValue<'i>>| Some(Spanned::new(one.span(), T::of(one.get_ref())?));
            array.iter().map(one).collect::<Option<Vec<_>>>()
        });
        if list.is_none() {
            self.wrong(value, key, &format!("a list of {}", T::MANY));
        }
        list
    }

    /// A table whose keys are free and whose values are texts.
    pub fn map(&mut self, key: &'static str) -> BTreeMap<String, Spanned<String>> {
        let Some(value) = self.value(key) else {
            return BTreeMap::new();
        };
        let map = value.get_ref().as_table().and_then(|table| {
            let entries = table.iter().map(|(name, value)| {
                let text = value.get_ref().as_str()?.to_owned();
                Some((name.get_ref().to_string(), Spanned::new(value.span(), text)))
            });
            entries.collect::<Option<_>>()
        });
        if map.is_none() {
            self.wrong(value, key, "a table of texts");
        }
        map.unwrap_or_default()
    }

    /// A table of its own: `[key]`.
    pub fn table<T>(
        &mut self,
        key: &'static str,
        take: impl FnOnce(&mut Reader<'t, 'i>) -> T,
    ) -> Option<T> {
        let value = self.value(key)?;
        self.inner(value, key, key, take)
    }

    /// Tables of one kind in a row: `[[key]]`.
    pub fn tables<T>(
        &mut self,
        key: &'static str,
        mut take: impl FnMut(&mut Reader<'t, 'i>) -> T,
    ) -> Vec<T> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(
                value,
                key,
                &format!("a list of tables, each below `[[{key}]]`"),
            );
            return Vec::new();
        };
        let tables = array
            .iter()
            .filter_map(|one| self.inner(one, key, key, &mut take));
        tables.collect()
    }

    /// Tables of one kind by name: `[key.NAME]`.
    pub fn named<T>(
        &mut self,
        key: &'static str,
        mut take: impl FnMut(&mut Reader<'t, 'i>) -> T,
    ) -> BTreeMap<String, Spanned<T>> {
        let Some(value) = self.value(key) else {
            return BTreeMap::new();
        };
        let Some(tables) = value.get_ref().as_table() else {
            self.wrong(value, key, &format!("tables, each below `[{key}.NAME]`"));
            return BTreeMap::new();
        };
        let mut all = BTreeMap::new();
        for (name, one) in tables {
            let name = name.get_ref().to_string();
            if let Some(taken) = self.inner(one, key, &format!("{key}.{name}"), &mut take) {
                all.insert(name, Spanned::new(one.span(), taken));
            }
        }
        all
    }

    /// Keys that cannot stand beside another; each that is there is a problem.
    pub fn exclude(&mut self, keys: &[&'static str], because: &str) {
        for key in keys {
            if let Some(value) = self.value(key) {
                self.problem(value.span(), format!("key `{key}` cannot stand {because}"));
            }
        }
    }

    /// Tells of a key that is not there and must be.
    pub fn require(&mut self, key: &'static str) {
        if self.value(key).is_none() {
            self.problem(self.span(), format!("key `{key}` is missing"));
        }
    }

    fn inner<T>(
        &mut self,
        value: &'t Spanned<DeValue<'i>>,
        key: &str,
        name: &str,
        take: impl FnOnce(&mut Reader<'t, 'i>) -> T,
    ) -> Option<T> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(value, key, "a table");
            return None;
        };
        let path = match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        let mut inner = Reader::new(table, self.kind, path, value.span());
        let taken = take(&mut inner);
        self.problems.extend(inner.finish());
        Some(taken)
    }

    /// Every problem, unknown keys included.
    fn finish(mut self) -> Vec<Found> {
        let table = self.table;
        for key in table.keys() {
            if !self
                .known
                .iter()
                .any(|known| *known == key.get_ref().as_ref())
            {
                let known = self.known.join(", ");
                let message = format!("key `{}` is unknown; known are {known}", key.get_ref());
                self.problem(key.span(), message);
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
        self.problem(value.span(), format!("key `{key}` must be {wanted}"));
    }
}

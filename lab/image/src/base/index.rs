//! A package index: what a suite offers.

use std::collections::BTreeMap;

use super::BaseError;
use crate::fetch::Checked;

/// A package of a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Path below the mirror.
    pub(crate) filename: String,
    pub(crate) checked: Checked,
    /// Each entry is a list of alternatives.
    pub(crate) depends: Vec<Vec<String>>,
    pub(crate) provides: Vec<String>,
    /// Whether every Debian system has it.
    pub(crate) required: bool,
}

/// Packages by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) packages: BTreeMap<String, Package>,
}

impl Index {
    /// Reads a `Packages` file.
    pub(crate) fn parse(text: &str, file: &str) -> Result<Self, BaseError> {
        let mut packages = BTreeMap::new();
        for stanza in text
            .split("\n\n")
            .filter(|stanza| !stanza.trim().is_empty())
        {
            let package = Package::parse(stanza).ok_or_else(|| BaseError::Format {
                file: file.to_owned(),
                message: format!(
                    "the entry `{}` lacks a field",
                    stanza.lines().next().unwrap_or_default()
                ),
            })?;
            packages.insert(package.name.clone(), package);
        }
        Ok(Self { packages })
    }
}

impl Package {
    fn parse(stanza: &str) -> Option<Self> {
        let fields: BTreeMap<&str, &str> = stanza
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split_once(':'))
            .map(|(key, value)| (key, value.trim()))
            .collect();
        let list = |key: &str| fields.get(key).copied().unwrap_or_default();
        let mut depends = relations(list("Pre-Depends"));
        depends.extend(relations(list("Depends")));
        Some(Self {
            name: (*fields.get("Package")?).to_owned(),
            version: (*fields.get("Version")?).to_owned(),
            filename: (*fields.get("Filename")?).to_owned(),
            checked: Checked {
                sha256: (*fields.get("SHA256")?).to_owned(),
                bytes: fields.get("Size")?.parse().ok()?,
            },
            depends,
            provides: relations(list("Provides")).into_iter().flatten().collect(),
            required: list("Essential") == "yes" || list("Priority") == "required",
        })
    }
}

/// `a (>= 1) | b, c:any` as names: `[[a, b], [c]]`.
fn relations(field: &str) -> Vec<Vec<String>> {
    field
        .split(',')
        .map(|entry| {
            entry
                .split('|')
                .filter_map(|one| one.split_ascii_whitespace().next())
                .filter_map(|one| one.split([':', '(']).next())
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|names| !names.is_empty())
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const SMALL: &str = "\
Package: apt
Version: 2.6.1
Depends: libc6 (>= 2.34), gpgv | gpgv2, awk
Pre-Depends: dpkg:any
Priority: important
Filename: pool/main/a/apt/apt_2.6.1_amd64.deb
Size: 10
SHA256: 00

Package: libc6
Version: 2.36
Priority: optional
Filename: pool/main/g/glibc/libc6.deb
Size: 10
SHA256: 01

Package: dpkg
Version: 1.21
Essential: yes
Filename: pool/main/d/dpkg/dpkg.deb
Size: 10
SHA256: 02

Package: gpgv
Version: 2.2
Description: a
 longer: text
Filename: pool/main/g/gpgv.deb
Size: 10
SHA256: 03

Package: mawk
Version: 1.3
Provides: awk (= 1)
Filename: pool/main/m/mawk.deb
Size: 10
SHA256: 04

Package: zip
Version: 3
Filename: pool/main/z/zip.deb
Size: 10
SHA256: 05
";

    #[test]
    fn reads_relations_as_names() {
        let index = Index::parse(SMALL, "Packages").unwrap();

        let apt = &index.packages["apt"];
        assert_eq!(
            apt.depends,
            [
                vec!["dpkg".to_owned()],
                vec!["libc6".to_owned()],
                vec!["gpgv".to_owned(), "gpgv2".to_owned()],
                vec!["awk".to_owned()],
            ]
        );
    }

    #[test]
    fn names_an_entry_that_lacks_a_field() {
        let error = Index::parse("Package: x\nVersion: 1\n", "Packages").unwrap_err();

        assert_eq!(
            error.to_string(),
            "`Packages` cannot be understood: the entry `Package: x` lacks a field"
        );
    }
}

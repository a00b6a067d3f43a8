//! Which packages make the base: the required ones, `apt`, and what they need.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    BaseError,
    index::{Index, Package},
};

/// Says that `/usr` is merged, as the root is laid out here; the other package that can say
/// so brings all of Perl along.
const MERGED_ALREADY: &str = "usr-is-merged";

/// The packages of a minimal system with `apt`, by name.
///
/// Versions are not compared: a suite is consistent in itself.
pub(crate) fn minimal(index: &Index) -> Result<Vec<&Package>, BaseError> {
    let providers = providers(index);
    let required = index.packages.values().filter(|package| package.required);
    let mut chosen: BTreeSet<&str> = required.map(|package| package.name.as_str()).collect();
    chosen.insert("apt");
    if index.packages.contains_key(MERGED_ALREADY) {
        chosen.insert(MERGED_ALREADY);
    }
    let mut open: Vec<&str> = chosen.iter().copied().collect();
    while let Some(name) = open.pop() {
        let package = find(index, name)?;
        for alternatives in &package.depends {
            if alternatives
                .iter()
                .any(|one| is_met(one, &chosen, &providers))
            {
                continue;
            }
            let next = choose(index, alternatives, &providers)?;
            chosen.insert(next);
            open.push(next);
        }
    }
    chosen.into_iter().map(|name| find(index, name)).collect()
}

type Providers<'a> = BTreeMap<&'a str, Vec<&'a str>>;

fn providers(index: &Index) -> Providers<'_> {
    let mut providers = Providers::new();
    for package in index.packages.values() {
        for provided in &package.provides {
            providers.entry(provided).or_default().push(&package.name);
        }
    }
    providers
}

fn is_met(name: &str, chosen: &BTreeSet<&str>, providers: &Providers<'_>) -> bool {
    let provided = providers.get(name).into_iter().flatten();
    chosen.contains(name)
        || provided
            .into_iter()
            .any(|provider| chosen.contains(provider))
}

fn choose<'a>(
    index: &'a Index,
    alternatives: &[String],
    providers: &Providers<'a>,
) -> Result<&'a str, BaseError> {
    let real = alternatives
        .iter()
        .find_map(|name| index.packages.get(name.as_str()));
    let provider = || {
        let names = alternatives
            .iter()
            .filter_map(|name| providers.get(name.as_str()));
        names.flatten().next().copied()
    };
    real.map(|package| package.name.as_str())
        .or_else(provider)
        .ok_or_else(|| BaseError::PackageMissing {
            package: alternatives.join(" | "),
        })
}

fn find<'a>(index: &'a Index, name: &str) -> Result<&'a Package, BaseError> {
    index
        .packages
        .get(name)
        .ok_or_else(|| BaseError::PackageMissing {
            package: name.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::{super::index::tests::SMALL, *};

    #[test]
    fn takes_required_packages_apt_and_what_they_need() {
        let index = Index::parse(SMALL, "Packages").unwrap();

        let names: Vec<_> = minimal(&index)
            .unwrap()
            .into_iter()
            .map(|package| package.name.as_str())
            .collect();

        assert_eq!(names, ["apt", "dpkg", "gpgv", "libc6", "mawk"]);
    }

    #[test]
    fn names_the_dependency_that_nothing_meets() {
        let index = Index::parse(&SMALL.replace("Provides: awk (= 1)\n", ""), "Packages").unwrap();

        assert_eq!(
            minimal(&index).unwrap_err().to_string(),
            "package `awk` is not in the mirror's index"
        );
    }
}

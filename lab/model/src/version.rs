//! Whether what runs is the version that the documents name.

/// How a version that runs stands to what the documents say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// It is the one they name, as exactly as they name it.
    Same,
    /// It is another.
    Differs,
    /// They name none: they do without, or leave it open.
    NotDocumented,
}

/// Compares the documents' words with those of what runs.
///
/// In both, a word that begins with a digit is the version, the words before it are the
/// product's name, and what stands in brackets tells where it comes from. The documents
/// may say a version in two ways: `25.03 = 2.56`. A shorter version means every longer one
/// that begins with it: `v1.20` is `1.20.2`.
pub fn likeness(documented: &str, actual: &str) -> Likeness {
    let actual = Named::parse(actual);
    let mut any = false;
    for one in without_brackets(documented).split('=') {
        let one = Named::parse(one);
        any |= !one.version.is_empty();
        if !one.version.is_empty() && one.means(&actual) {
            return Likeness::Same;
        }
    }
    if any {
        Likeness::Differs
    } else {
        Likeness::NotDocumented
    }
}

/// A product and its version, part by part.
struct Named<'a> {
    product: Vec<String>,
    version: Vec<&'a str>,
}

impl<'a> Named<'a> {
    fn parse(text: &'a str) -> Self {
        let words: Vec<_> = without_brackets(text).split_whitespace().collect();
        let number = |word: &'a str| {
            let number = word.strip_prefix('v').unwrap_or(word);
            number
                .starts_with(|it: char| it.is_ascii_digit())
                .then_some(number)
        };
        let at = words.iter().position(|word| number(word).is_some());
        let version = at.and_then(|at| number(words[at])).unwrap_or_default();
        Self {
            product: words[..at.unwrap_or(words.len())]
                .iter()
                .map(|word| word.to_lowercase())
                .collect(),
            version: version
                .split(['.', '-', '+'])
                .filter(|part| !part.is_empty())
                .collect(),
        }
    }

    /// Where one of the two names no product, it goes without saying.
    fn means(&self, actual: &Self) -> bool {
        let same_product =
            self.product == actual.product || self.product.is_empty() || actual.product.is_empty();
        let common = self.version.len().min(actual.version.len());
        same_product && common > 0 && self.version[..common] == actual.version[..common]
    }
}

fn without_brackets(text: &str) -> &str {
    text.split_once('(').map_or(text, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::{Likeness::*, *};

    #[test]
    fn words_around_a_version_do_not_make_it_another() {
        for (documented, actual) in [
            ("v1.20", "1.20.2"),
            ("2.10.5 (chart 1.16.0)", "2.10.5"),
            ("15", "15.8-1"),
            (
                "25.03 = 2.56 (goranidocker/tritonserver:python-v1)",
                "2.56.0",
            ),
            ("MinIO 2025.4.8 (Bitnami chart 16.0.4)", "2025.4.8"),
            ("minio 2025.4.8", "MinIO 2025.4.8 (Debian)"),
        ] {
            assert_eq!(likeness(documented, actual), Same, "{documented} {actual}");
        }
    }

    #[test]
    fn another_version_or_product_differs() {
        for (documented, actual) in [
            ("17.4.0 (Bitnami chart 16.6.3)", "15 (Debian 12)"),
            ("MinIO 2025.4.8 (Bitnami chart 16.0.4)", "SeaweedFS 4.48"),
            ("MinIO 4.48", "SeaweedFS 4.48"),
            (
                "25.03 = 2.56 (goranidocker/tritonserver:python-v1)",
                "2.51.0 (nvidia-pytriton 0.7.0)",
            ),
            ("2.41.0 (chart 19.7.2)", "2.42.0+ds"),
            ("1.2", "1.20.2"),
            ("2.48.0", "of this repository"),
        ] {
            assert_eq!(
                likeness(documented, actual),
                Differs,
                "{documented} {actual}"
            );
        }
    }

    #[test]
    fn what_the_documents_do_without_is_not_documented() {
        for documented in [
            "none: no tutorial has one",
            "off in the tutorial",
            "k3s",
            "",
        ] {
            assert_eq!(
                likeness(documented, "0.25.0"),
                NotDocumented,
                "{documented}"
            );
        }
    }
}

//! Histograms and counts as generators tell them: as text, without loss.

use base64::{Engine, prelude::BASE64_STANDARD};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// A histogram without its empty cells: each cell's value and count, ascending. Its bounds
/// are those that both sides have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exported(Vec<(u64, u64)>);

/// What should be a histogram of ours has values beyond its bounds.
#[derive(Debug, thiserror::Error)]
#[error("times beyond the bounds of this `lab`")]
pub(crate) struct Unreadable;

impl Exported {
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        let cells = histogram.iter_recorded();
        Self(
            cells
                .map(|cell| (cell.value_iterated_to(), cell.count_at_value()))
                .collect(),
        )
    }

    /// The histogram, put into an empty one with its bounds.
    pub(crate) fn read(&self, empty: Histogram<u64>) -> Result<Histogram<u64>, Unreadable> {
        let mut histogram = empty;
        for (value, count) in &self.0 {
            histogram.record_n(*value, *count).map_err(|_| Unreadable)?;
        }
        Ok(histogram)
    }
}

/// Bytes as text: `#[serde(with = "export::bytes")]`.
pub(crate) mod bytes {
    use super::{BASE64_STANDARD, Deserialize, Engine};

    pub(crate) fn serialize<S: serde::Serializer>(
        bytes: impl AsRef<[u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>, B: From<Vec<u8>>>(
        deserializer: D,
    ) -> Result<B, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text);
        bytes.map(B::from).map_err(serde::de::Error::custom)
    }
}

/// A window's histogram of times: `#[serde(with = "export::times")]`.
pub(crate) mod times {
    use super::{Deserialize, Exported, Histogram, Serialize};

    pub(crate) fn serialize<S: serde::Serializer>(
        times: &Histogram<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Exported::of(times).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Histogram<u64>, D::Error> {
        let exported = Exported::deserialize(deserializer)?;
        let times = exported.read(crate::record::times());
        times.map_err(serde::de::Error::custom)
    }
}

/// A map whose keys are no text, as a list: `#[serde(with = "export::pairs")]`.
pub(crate) mod pairs {
    use std::collections::BTreeMap;

    use super::{Deserialize, Serialize};

    pub(crate) fn serialize<S: serde::Serializer, K: Serialize, V: Serialize>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, D, K, V>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        D: serde::Deserializer<'de>,
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
    {
        let pairs = Vec::<(K, V)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().collect())
    }
}

/// A list that is shared: `#[serde(with = "export::shared")]`.
pub(crate) mod shared {
    use std::sync::Arc;

    use super::{Deserialize, Serialize};

    pub(crate) fn serialize<S: serde::Serializer, T: Serialize>(
        list: &Arc<[T]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        list.as_ref().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<Arc<[T]>, D::Error> {
        Vec::deserialize(deserializer).map(Arc::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::times;

    #[test]
    fn times_beyond_the_bounds_are_refused() {
        assert!(Exported(vec![(u64::MAX, 1)]).read(times()).is_err());
        assert!(Exported(vec![(60_000_000_000, 1)]).read(times()).is_ok());
    }
}

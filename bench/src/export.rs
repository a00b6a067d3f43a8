//! Histograms and counts as generators tell them: as text, without loss.

use base64::{Engine, prelude::BASE64_STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer, V2Serializer},
};
use serde::{Deserialize, Serialize};

/// A histogram in `HdrHistogram`'s own V2 format: a byte or two for each of its cells, and
/// one for any number of empty ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exported(#[serde(with = "bytes")] Vec<u8>);

/// What should be a histogram of ours is none, or has other bounds.
#[derive(Debug, thiserror::Error)]
#[error("no histogram with the bounds of this `lab`")]
pub(crate) struct Unreadable;

impl Exported {
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        let mut bytes = Vec::new();
        V2Serializer::new()
            .serialize(histogram, &mut bytes)
            .expect("memory takes all, and no count is beyond i64");
        bytes.shrink_to_fit();
        Self(bytes)
    }

    /// The histogram, which must have the bounds of this one.
    pub(crate) fn read(&self, like: &Histogram<u64>) -> Result<Histogram<u64>, Unreadable> {
        let read = Deserializer::new().deserialize(&mut self.0.as_slice());
        let histogram: Histogram<u64> = read.map_err(|_| Unreadable)?;
        let bounds = |it: &Histogram<u64>| (it.low(), it.high(), it.sigfig());
        if bounds(&histogram) == bounds(like) {
            Ok(histogram)
        } else {
            Err(Unreadable)
        }
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
        let times = exported.read(&crate::record::times());
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::times;

    #[test]
    fn a_histogram_of_other_bounds_is_refused() {
        let fewer_digits = Histogram::new_with_bounds(1, times().high(), 1).unwrap();
        assert!(Exported::of(&fewer_digits).read(&times()).is_err());
        assert!(Exported(b"a line of text".to_vec()).read(&times()).is_err());
        assert!(Exported::of(&times()).read(&times()).is_ok());
    }

    proptest! {
        #[test]
        fn a_histogram_is_told_without_loss(
            nanos in prop::collection::vec(1_u64..60_000_000_000, 0..100)
        ) {
            let mut told = times();
            for it in nanos {
                told.saturating_record(it);
            }
            prop_assert_eq!(Exported::of(&told).read(&times()).unwrap(), told);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Exported(bytes).read(&times());
        }
    }
}

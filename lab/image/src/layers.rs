//! How far a pull is, summed up from what the engine tells of each layer.

use std::collections::BTreeMap;

use lab_engine::PullProgress;

/// What the engine says of a layer that is there without being fetched.
const THERE: &str = "Already exists";
const FETCHING: &str = "Downloading";
/// From here on a layer is on the engine's disk.
const FETCHED: [&str; 3] = ["Download complete", "Extracting", "Pull complete"];
/// The engine tries a layer again: nothing has come.
const RETRYING: &str = "Retrying";

/// The layers of an image being pulled.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    layers: BTreeMap<String, Layer>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Layer {
    status: String,
    done: u64,
    total: Option<u64>,
    unpacked: u64,
}

impl Layers {
    /// Takes in what the engine told; says whether it got any further.
    pub(crate) fn take(&mut self, progress: &PullProgress) -> bool {
        let Some(id) = &progress.layer else {
            return true;
        };
        if progress.status.starts_with(RETRYING) {
            return false;
        }
        let layer = self.layers.entry(id.clone()).or_default();
        let mut further = layer.status != progress.status;
        layer.status.clone_from(&progress.status);
        if progress.status == FETCHING {
            // A layer that is tried again begins at nothing; that is no step back.
            further = further || progress.done > layer.done;
            layer.done = layer.done.max(progress.done);
            let total = progress.total.max(layer.total);
            layer.total = total.map(|total| total.max(layer.done));
        } else if FETCHED.contains(&progress.status.as_str()) {
            further = further || progress.done > layer.unpacked;
            layer.unpacked = layer.unpacked.max(progress.done);
            layer.done = layer.total.unwrap_or(layer.done);
        } else if progress.status == THERE {
            layer.total = layer.total.or(Some(layer.done));
        }
        further
    }

    /// Bytes fetched.
    pub(crate) fn done(&self) -> u64 {
        self.layers.values().map(|layer| layer.done).sum()
    }

    /// Bytes to fetch in all, as soon as it is known of every layer.
    pub(crate) fn total(&self) -> Option<u64> {
        self.layers.values().map(|layer| layer.total).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(layer: &str, status: &str, done: u64, total: u64) -> PullProgress {
        PullProgress {
            layer: Some(layer.to_owned()),
            status: status.to_owned(),
            done,
            total: (total > 0).then_some(total),
        }
    }

    #[test]
    fn sums_up_the_layers() {
        let mut layers = Layers::default();
        for progress in [
            told("a", "Pulling fs layer", 0, 0),
            told("b", "Pulling fs layer", 0, 0),
            told("c", "Already exists", 0, 0),
            told("a", "Downloading", 30, 100),
        ] {
            assert!(layers.take(&progress));
        }
        assert_eq!((layers.done(), layers.total()), (30, None));

        layers.take(&told("b", "Downloading", 5, 50));
        layers.take(&told("a", "Download complete", 0, 0));

        assert_eq!((layers.done(), layers.total()), (105, Some(150)));
    }

    #[test]
    fn a_layer_that_is_only_tried_again_gets_no_further() {
        let mut layers = Layers::default();
        layers.take(&told("a", "Downloading", 30, 100));

        assert!(!layers.take(&told("a", "Retrying in 5 seconds", 0, 0)));
        assert!(!layers.take(&told("a", "Downloading", 30, 100)));
        assert!(!layers.take(&told("a", "Downloading", 10, 100)));
        assert!(layers.take(&told("a", "Downloading", 31, 100)));
        assert_eq!(layers.done(), 31);
    }

    proptest! {
        #[test]
        fn bytes_never_go_back_and_never_pass_the_whole(
            told in prop::collection::vec(
                ("[ab]", prop::sample::select(vec![
                    "Pulling fs layer", "Waiting", "Downloading", "Retrying in 1 second",
                    "Verifying Checksum", "Download complete", "Extracting", "Pull complete",
                    "Already exists",
                ]), 0_u64..=100),
                0..40,
            ),
        ) {
            let mut layers = Layers::default();
            let mut before = 0;
            for (layer, status, done) in &told {
                layers.take(&super::tests::told(layer, status, *done, 100));
                prop_assert!(layers.done() >= before);
                before = layers.done();
                if let Some(total) = layers.total() {
                    prop_assert!(layers.done() <= total, "{} of {total}", layers.done());
                }
            }
        }
    }
}

//! The engine's disk is full.

use std::time::Instant;

use libtest_mimic::Failed;

use super::engine::PrivateEngine;
use crate::place::{Place, told};

/// Less than any image takes in a node, and enough for the cluster to go on.
const TOO_LITTLE_FOR_AN_IMAGE: u64 = 96;
/// Less than the data base of a cluster takes.
const TOO_LITTLE_FOR_A_CLUSTER: u64 = 24;

/// Met by a load into a cluster and by a cluster that comes up.
pub(crate) fn full(engine: &mut PrivateEngine) -> Result<(), Failed> {
    let place = Place::new(Some(engine.address()))?;
    place.succeed(&["up", "full"])?;
    engine.leave_free(TOO_LITTLE_FOR_AN_IMAGE)?;
    is_told(&place, &["images", "load", "full", "python"])?;
    place.succeed(&["down", "full"])?;
    place.check()?;
    engine.holds_nothing()?;

    engine.leave_free(TOO_LITTLE_FOR_A_CLUSTER)?;
    is_told(&place, &["up", "full"])?;
    place.check()?;
    engine.holds_nothing()?;

    // Nothing stays full once there is room again.
    engine.enlarge()?;
    place.succeed(&["up", "full"])?;
    place.succeed(&["images", "load", "full", "python"])?;
    place.succeed(&["down", "full"])?;
    engine.holds_nothing()?;
    place.until_no_process()
}

fn is_told(place: &Place, words: &[&str]) -> Result<(), Failed> {
    let started = Instant::now();
    let output = place.ask(words)?;
    let told = told(&output);
    println!(
        "`lab {}` on a full disk: {:.1} s\n{told}",
        words.join(" "),
        started.elapsed().as_secs_f32()
    );
    if output.status.code() == Some(12) && told.contains("the engine's disk is full") {
        Ok(())
    } else {
        Err(format!(
            "`lab {}` does not tell of the disk: {told}",
            words.join(" ")
        )
        .into())
    }
}

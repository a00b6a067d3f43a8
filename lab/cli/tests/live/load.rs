//! `lab images load` killed half-way: the import in the node ends with it.

use lab_engine::{Engine, ExecSpec};
use libtest_mimic::Failed;
use tokio::runtime::Runtime;

use crate::place::{Place, until};

pub(crate) fn killed() -> Result<(), Failed> {
    let place = Place::new(None)?;
    let name = format!("load-{}", std::process::id());
    let used = place
        .succeed(&["up", &name])
        .and_then(|_| kill_a_load(&place, &name));
    let down = place.succeed(&["down", &name]);
    used?;
    down?;
    place.check()?;
    place.until_no_process()
}

fn kill_a_load(place: &Place, name: &str) -> Result<(), Failed> {
    let mut load = place.lab(&["images", "load", name, "python"]).spawn()?;
    let began = until(|| Ok(imports(name)? || load.try_wait()?.is_some()))?;
    load.kill()?;
    let status = load.wait()?;
    if !began || status.code().is_some() {
        return Err(format!("no import was met: it ended with {status}").into());
    }
    if !until(|| Ok(!imports(name)?))? {
        return Err("the import goes on in the node".into());
    }
    // What is there of it is in nobody's way.
    place.succeed(&["images", "load", name, "python"])?;
    Ok(())
}

/// Whether an import runs in the cluster's node.
fn imports(cluster: &str) -> Result<bool, Failed> {
    Runtime::new()?.block_on(async {
        let engine = Engine::connect().await?;
        let look = ExecSpec::new(["pgrep", "--full", "images import"]);
        let found = engine.run(&format!("lab-{cluster}"), look).await?;
        Ok(found.success())
    })
}

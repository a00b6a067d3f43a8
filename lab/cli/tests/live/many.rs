//! Four clusters at once, up and down.

use std::{collections::BTreeSet, process::Stdio, time::Instant};

use lab_engine::{ContainerDetails, Engine};
use libtest_mimic::Failed;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::place::{Place, ended, told};

const COUNT: usize = 4;

pub(crate) fn four_at_once() -> Result<(), Failed> {
    let place = Place::new(None)?;
    let names: Vec<String> = (1..=COUNT)
        .map(|number| format!("many-{}-{number}", std::process::id()))
        .collect();
    let used = use_them(&place, &names);
    let started = Instant::now();
    let down = all_at_once(&place, "down", &names);
    println!(
        "four down at once: {:.1} s",
        started.elapsed().as_secs_f32()
    );
    used?;
    down?;
    for name in &names {
        if let Some(left) = container(name)? {
            return Err(format!("the container `{}` is left", left.name).into());
        }
    }
    place.check()?;
    place.until_no_process()?;
    let left = place.files_left()?;
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("files are left: {left:?}").into())
    }
}

fn use_them(place: &Place, names: &[String]) -> Result<(), Failed> {
    let started = Instant::now();
    all_at_once(place, "up", names)?;
    println!("four up at once: {:.1} s", started.elapsed().as_secs_f32());
    for name in names {
        let status: Value = serde_json::from_str(&place.succeed(&["status", name, "--json"])?)?;
        let mib = status["memory_bytes"].as_u64().unwrap_or_default() >> 20;
        println!("{name}: {mib} MiB");
        if status["nodes"] != serde_json::json!([name]) {
            return Err(format!("`{name}` has the nodes {}", status["nodes"]).into());
        }
    }
    nothing_is_shared(names)
}

/// Runs one command a cluster, all at the same time; each must succeed.
fn all_at_once(place: &Place, command: &str, names: &[String]) -> Result<(), Failed> {
    let mut running = Vec::new();
    for name in names {
        let mut lab = place.lab(&[command, name]);
        running.push((name, lab.stderr(Stdio::piped()).spawn()?));
    }
    let mut failed = Vec::new();
    for (name, mut child) in running {
        ended(&mut child)?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            failed.push(format!("`lab {command} {name}`: {}", told(&output)));
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("\n").into())
    }
}

/// Networks, ports and addresses are each cluster's own. A node's cgroups lie below its
/// container's.
fn nothing_is_shared(names: &[String]) -> Result<(), Failed> {
    let mut taken = BTreeSet::new();
    for name in names {
        let found = container(name)?.ok_or_else(|| format!("`{name}` has no container"))?;
        let networks = found.addresses.keys().map(|it| format!("network {it}"));
        let addresses = found.addresses.values().map(|it| format!("address {it}"));
        let ports = found.ports.values().map(|it| format!("port {it}"));
        for thing in networks.chain(addresses).chain(ports) {
            if !taken.insert(thing.clone()) {
                return Err(format!("two clusters have {thing}").into());
            }
        }
    }
    Ok(())
}

fn container(cluster: &str) -> Result<Option<ContainerDetails>, Failed> {
    Runtime::new()?.block_on(async {
        let engine = Engine::connect().await?;
        Ok(engine.container(&format!("lab-{cluster}")).await?)
    })
}

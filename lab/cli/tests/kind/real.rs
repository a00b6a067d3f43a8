//! The real kind, where this machine has it and its node image.

use std::{env, path::PathBuf};

use libtest_mimic::{Failed, Trial};

use crate::place::{Place, docker, expect};

const NAME: &str = "the_real_kind_makes_a_cluster";

/// The test, or a name that says why it is not run. That the program is not there is no
/// failure, not even where Docker is required: nothing here can bring it.
pub(crate) fn trial() -> Trial {
    match found() {
        Ok((program, image)) => Trial::test(NAME, move || live(&program, &image)),
        Err(reason) => {
            Trial::test(format!("{NAME} (not run: {reason})"), || Ok(())).with_ignored_flag(true)
        }
    }
}

/// The program and its node image.
fn found() -> Result<(PathBuf, String), String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let named = env::var_os("LAB_KIND").map(PathBuf::from);
    let program = named
        .or_else(|| {
            env::split_paths(&path)
                .map(|it| it.join("kind"))
                .find(|it| it.is_file())
        })
        .ok_or("there is no program `kind`")?;
    let image =
        env::var("LAB_KIND_IMAGE").map_err(|_| "LAB_KIND_IMAGE names no node image of kind")?;
    docker(&["image", "inspect", "--format", "{{.Id}}", &image])
        .map_err(|_| format!("the image `{image}` is not on this engine"))?;
    Ok((program, image))
}

fn live(program: &PathBuf, image: &str) -> Result<(), Failed> {
    let place = Place::new(image)?;
    let up = place
        .up()
        .args(["--nodes", "2", "--kind-image", image])
        .env("LAB_KIND", program)
        .output()?;
    let told = String::from_utf8_lossy(&up.stderr);
    expect(up.status.success(), &told)?;
    expect(place.containers()?.len() == 2, "it has two nodes")?;
    place.said(&["images", "load", &place.name, "debian"])?;
    let journal = place.said(&["logs", &place.name, "--tail", "2000"])?;
    expect(
        journal.contains("kubelet"),
        "the journal has the kubelet's lines",
    )?;
    place.said(&["down", &place.name])?;
    place.nothing_is_left()
}

//! A whole life: made, waited for, loaded, read, started again, found without its lease,
//! removed without the program.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Child, Stdio},
    time::Instant,
};

use lab_k8s::{
    Kube,
    k8s_openapi::api::apps::v1::Deployment,
    kube::{Api, api::PostParams},
};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    Test,
    place::{Place, docker, expect, until},
};

pub(crate) const TEST: (&str, Test) = ("a_cluster_lives_and_goes_without_a_trace", whole);

fn whole(place: &Place) -> Result<(), Failed> {
    let server = format!("lab-{}-control-plane", place.name);
    let cluster = up(place, &server)?;
    expect(cluster["provider"] == "kind", "kind made it")?;
    expect(cluster["nodes"] == json!([server]), "it has one node")?;
    taken(place)?;
    read(place, &server)?;
    load(place, &server)?;
    start_again(place, &server)?;
    down(place, &server)
}

/// kind says that it is done before the cluster's DNS is: `lab` must wait for that.
fn up(place: &Place, server: &str) -> Result<Value, Failed> {
    let began = Instant::now();
    let mut up = place
        .up()
        .arg("--json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    until(|| Ok(has_ended(&mut up)? || place.kind_has_ended()?))?;
    expect(!has_ended(&mut up)?, "it waits though kind has ended")?;
    // The node image has DNS of its own; kind's has these.
    Runtime::new()?.block_on(make_dns(place))?;
    let output = up.wait_with_output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    expect(output.status.success(), &told)?;
    println!("up after {:.2} s", began.elapsed().as_secs_f32());
    let kubeconfig = fs::metadata(place.cluster_folder().join("kubeconfig"))?;
    let mode = kubeconfig.permissions().mode() & 0o777;
    expect(mode == 0o600, "its owner alone reads the kubeconfig")?;
    let network = docker(&["inspect", "--format", "{{.HostConfig.NetworkMode}}", server])?;
    expect(
        network == format!("lab-{}", place.name),
        "its network is its own",
    )?;
    // Facts come first, the result is the last value.
    let values = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    let values: Vec<Value> = values.collect::<Result<_, _>>()?;
    let result = values.into_iter().last();
    Ok(result.ok_or("it prints its result")?)
}

fn has_ended(child: &mut Child) -> Result<bool, Failed> {
    Ok(child.try_wait()?.is_some())
}

async fn make_dns(place: &Place) -> Result<(), Failed> {
    let kube = Kube::from_kubeconfig_file(&place.cluster_folder().join("kubeconfig")).await?;
    let dns: Deployment = serde_json::from_value(json!({
        "metadata": {"name": "coredns"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"k8s-app": "kube-dns"}},
            "template": {
                "metadata": {"labels": {"k8s-app": "kube-dns"}},
                "spec": {"containers": [{"name": "coredns", "image": "coredns"}]},
            },
        },
    }))?;
    let all: Api<Deployment> = Api::namespaced(kube.client(), "kube-system");
    all.create(&PostParams::default(), &dns).await?;
    Ok(())
}

/// Whichever provider is asked for a second one.
fn taken(place: &Place) -> Result<(), Failed> {
    for provider in ["kind", "node"] {
        let up = place
            .lab(&["up", &place.name, "--provider", provider])
            .output()?;
        let told = String::from_utf8_lossy(&up.stderr);
        expect(told.contains("is there already"), &told)?;
    }
    Ok(())
}

fn read(place: &Place, server: &str) -> Result<(), Failed> {
    let list: Value = serde_json::from_str(&place.said(&["list", "--json"])?)?;
    let own = list
        .as_array()
        .and_then(|it| it.iter().find(|it| it["name"] == *place.name))
        .ok_or("it is listed")?;
    expect(
        own["provider"] == "kind" && own["state"] == "running",
        "it runs",
    )?;
    let status: Value = serde_json::from_str(&place.said(&["status", &place.name, "--json"])?)?;
    expect(status["nodes"] == json!([server]), "the API has its node")?;
    expect(
        status["memory_bytes"]
            .as_u64()
            .is_some_and(|it| it > 100 << 20),
        "its memory is known",
    )?;
    let journal = place.said(&["logs", &place.name, "--tail", "5"])?;
    expect(
        journal == format!("kubelet: journal of {server}, asked with --no-pager --lines=5"),
        &journal,
    )?;
    let folder = place.folder().join("logs");
    place.said(&["logs", &place.name, "--export", &folder.to_string_lossy()])?;
    expect(
        folder.join(server).join("inspect.json").is_file(),
        "kind exports its logs",
    )
}

fn load(place: &Place, server: &str) -> Result<(), Failed> {
    let images = [
        "exec",
        server,
        "ctr",
        "--namespace",
        "k8s.io",
        "images",
        "list",
        "--quiet",
    ];
    let before = docker(&images)?;
    place.said(&["images", "load", &place.name, "debian"])?;
    let after = docker(&images)?;
    expect(
        !before.contains("debian") && after.contains("debian"),
        &after,
    )
}

/// The engine may publish its ports elsewhere then.
fn start_again(place: &Place, server: &str) -> Result<(), Failed> {
    docker(&["restart", "--time", "0", server])?;
    until(|| {
        Ok(place
            .lab(&["status", &place.name])
            .output()?
            .status
            .success())
    })
}

fn down(place: &Place, server: &str) -> Result<(), Failed> {
    let template = "{{range .Mounts}}{{if eq .Type \"volume\"}}{{.Name}} {{end}}{{end}}";
    let volumes = docker(&["inspect", "--format", template, server])?;
    expect(!volumes.is_empty(), "it has volumes")?;
    fs::remove_dir_all(place.cluster_folder())?;

    let began = Instant::now();
    let down = place
        .lab(&["down", &place.name])
        .env_remove("LAB_KIND")
        .output()?;

    println!("down after {:.2} s", began.elapsed().as_secs_f32());
    let told = String::from_utf8_lossy(&down.stderr);
    expect(down.status.success(), &told)?;
    place.nothing_is_left()?;
    for volume in volumes.split_whitespace() {
        let found = docker(&[
            "volume",
            "ls",
            "--quiet",
            "--filter",
            &format!("name={volume}"),
        ])?;
        expect(found.is_empty(), "its volumes are gone")?;
    }
    Ok(())
}

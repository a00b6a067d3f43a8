//! A test that panics leaves nothing behind.
#![expect(clippy::panic, reason = "it is about panics")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use mlops_lab::{
    Fault, Lab, LabError,
    k8s_openapi::api::core::v1::{Namespace, Node},
    kube::Api,
};
use tokio::{task::JoinSet, time::sleep};

const GONE_AT_MOST: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_undoes_a_fault_and_takes_the_namespace_and_the_cluster_with_it()
-> Result<(), LabError> {
    let has_docker =
        Path::new("/var/run/docker.sock").exists() || std::env::var_os("DOCKER_HOST").is_some();
    if !has_docker && std::env::var_os("LAB_REQUIRE_DOCKER").is_none() {
        return Ok(());
    }
    let lab = Lab::builder().start().await?;
    a_panic_undoes_a_fault(&lab).await?;
    let namespaces: Api<Namespace> = Api::all(lab.kube().await?.client());
    let namespace = lab.namespace().await?;
    let name = namespace.name().to_owned();
    assert!(namespaces.get(&name).await.is_ok());

    panic_with(namespace).await;

    // The API server takes a namespace's content first.
    let end = Instant::now() + GONE_AT_MOST;
    while namespaces.get(&name).await.is_ok() && Instant::now() < end {
        sleep(Duration::from_millis(200)).await;
    }
    assert!(
        namespaces.get(&name).await.is_err(),
        "the namespace is left"
    );

    let kubeconfig = lab.kubeconfig().to_owned();
    panic_with(lab).await;
    assert!(!kubeconfig.exists(), "the cluster is left");
    Ok(())
}

async fn a_panic_undoes_a_fault(lab: &Lab) -> Result<(), LabError> {
    let node = lab.nodes()[0].clone();
    let nodes: Api<Node> = Api::all(lab.kube().await?.client());
    let is_cordoned = async || {
        let found = nodes.get(&node).await;
        let spec = found.expect("the node is there").spec;
        spec.and_then(|spec| spec.unschedulable) == Some(true)
    };
    let cordoned = || Fault::NodeCordoned { node: node.clone() };

    let fault = lab.fault(cordoned()).await?;
    assert!(is_cordoned().await);
    let twice = lab.fault(cordoned()).await;
    assert!(matches!(twice, Err(LabError::Failed { .. })));

    panic_with(fault).await;
    assert!(!is_cordoned().await, "the fault is left");

    lab.fault(cordoned()).await?.heal().await?;
    assert!(!is_cordoned().await, "a healed fault is left");
    Ok(())
}

/// A task that panics while it holds the thing.
async fn panic_with(thing: impl Send + 'static) {
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let _thing = thing;
        panic!("on purpose");
    });
    let ended = tasks.join_next().await;
    assert!(ended.is_some_and(|ended| ended.is_err()));
}

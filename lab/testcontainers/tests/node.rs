//! A real node, by `testcontainers`: started, asked, gone.

use std::{error::Error, path::Path};

use lab_engine::{Engine, owner};
use mlops_lab::Kube;
use mlops_lab_testcontainers::{Node, kubeconfig};
use testcontainers::runners::AsyncRunner;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_answers_and_leaves_nothing() -> Result<(), Box<dyn Error>> {
    let has_docker =
        Path::new("/var/run/docker.sock").exists() || std::env::var_os("DOCKER_HOST").is_some();
    if !has_docker && std::env::var_os("LAB_REQUIRE_DOCKER").is_none() {
        return Ok(());
    }
    let engine = Engine::connect().await?;
    let node = Node::find().await?.request().start().await?;
    let id = node.id().to_owned();

    let kube = Kube::from_kubeconfig_text(&kubeconfig(&node).await?).await?;
    let nodes = kube.node_names().await?;
    assert_eq!(nodes, [id[..12].to_owned()], "the container's host name");
    let details = engine.container(&id).await?.ok_or("no container")?;
    assert!(details.ports.contains_key(&6443));
    assert_eq!(details.labels["lab.owner"], owner::this_process());

    assert_eq!(details.volumes.len(), 2);

    node.rm().await?;

    assert_eq!(engine.container(&id).await?, None);
    for volume in details.volumes {
        assert_eq!(engine.volume_labels(&volume).await?, None, "{volume}");
    }
    Ok(())
}

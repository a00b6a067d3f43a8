//! Two tests that share one real cluster, each in a namespace of its own.
//!
//! They run as they are with `cargo test` and with `cargo nextest run`, where each
//! test is a process: the first to come makes the cluster, the others join it.

use std::{error::Error, time::Duration};

use mlops_lab::{
    Lab,
    k8s_openapi::api::core::v1::ConfigMap,
    kube::{
        Api,
        api::{ObjectMeta, PostParams},
    },
};

async fn lab() -> Result<Lab, Box<dyn Error>> {
    let lab = Lab::builder().shared("my-model-tests");
    // Long enough for the next test's process to come.
    Ok(lab.stays(Duration::from_secs(30)).start().await?)
}

/// Without Docker there is nothing to test on; `LAB_REQUIRE_DOCKER=1` makes that an error.
fn can_run() -> bool {
    let has_docker = std::path::Path::new("/var/run/docker.sock").exists()
        || std::env::var_os("DOCKER_HOST").is_some();
    has_docker || std::env::var_os("LAB_REQUIRE_DOCKER").is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_map_is_kept() -> Result<(), Box<dyn Error>> {
    if !can_run() {
        return Ok(());
    }
    let lab = lab().await?;
    let namespace = lab.namespace().await?;
    let api: Api<ConfigMap> = Api::namespaced(lab.kube().await?.client(), namespace.name());
    let thresholds = ConfigMap {
        metadata: ObjectMeta {
            name: Some("thresholds".to_owned()),
            ..ObjectMeta::default()
        },
        data: Some([("accuracy".to_owned(), "0.95".to_owned())].into()),
        ..ConfigMap::default()
    };

    api.create(&PostParams::default(), &thresholds).await?;

    let kept = api.get("thresholds").await?.data.unwrap_or_default();
    assert_eq!(kept["accuracy"], "0.95");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_test_sees_nothing_of_it() -> Result<(), Box<dyn Error>> {
    if !can_run() {
        return Ok(());
    }
    let lab = lab().await?;
    let namespace = lab.namespace().await?;
    let api: Api<ConfigMap> = Api::namespaced(lab.kube().await?.client(), namespace.name());

    assert!(api.get_opt("thresholds").await?.is_none());
    Ok(())
}

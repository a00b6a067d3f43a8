//! Pods of this very program, spoken with: what `lab bench --generators` stands on.

use std::{collections::BTreeMap, time::Duration};

use lab_cluster::{Cluster, node};
use lab_engine::Engine;
use lab_k8s::{
    Kube,
    job::{JobSpec, Spoken},
    k8s_openapi::api::{batch::v1::Job, core::v1::Pod},
    kube::{Api, api::ListParams},
};
use lab_model::event::Silent;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdin, stdout};

use super::{expect, pods::until};

type Failure = Box<dyn std::error::Error>;

/// The word that makes this program say what it hears.
pub(super) const ECHO: &str = "echo";
const LABEL: &str = "lab.test";
const IDLE: Duration = Duration::from_mins(1);

/// Says each line that it hears, until there are no more.
pub(super) async fn echo() -> Result<(), Failure> {
    let mut lines = BufReader::new(stdin()).lines();
    let mut output = stdout();
    while let Some(line) = lines.next_line().await? {
        output
            .write_all(format!("heard {line}\n").as_bytes())
            .await?;
        output.flush().await?;
    }
    Ok(())
}

/// Two pods answer, end when nobody speaks with them any more, and are removed.
pub(super) async fn live(engine: &Engine, cluster: &Cluster) -> Result<(), Failure> {
    let image = node::load_own_program(engine, cluster, &Silent).await?;
    let there = node::loaded_images(engine, cluster).await?;
    expect(
        there.contains(&image),
        "the node has an image of this program",
    )?;
    let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig).await?;
    let job = JobSpec {
        namespace: "default".to_owned(),
        name: "spoken".to_owned(),
        image,
        args: vec![ECHO.to_owned()],
        pods: 2,
        limit: Duration::from_mins(5),
        labels: BTreeMap::from([(LABEL.to_owned(), "1".to_owned())]),
    };
    kube.make_job(&job).await?;
    let mut spoken = kube.speak_with_job(&job, IDLE).await?;
    expect(spoken.len() == 2, "both pods are spoken with")?;
    for one in &mut spoken {
        // Longer than any buffer on the way.
        let word = format!("{}{}", one.pod, "x".repeat(300_000));
        let answer = ask(one, &word).await?;
        expect(answer == format!("heard {word}\n"), "a pod answers, whole")?;
    }

    kube.remove_ended_jobs("default", LABEL).await?;
    expect(jobs(&kube).await? == 1, "a Job that is spoken with stays")?;
    // As a process does that is killed: nobody tells the pods anything.
    drop(spoken);
    until("the Job has ended and is removed", async || {
        kube.remove_ended_jobs("default", LABEL).await?;
        Ok((jobs(&kube).await? == 0).then_some(()))
    })
    .await?;
    let pods = Api::<Pod>::namespaced(kube.client(), "default");
    let left = pods.list(&ListParams::default().labels(LABEL)).await?;
    expect(left.items.is_empty(), "no pod of it is left")?;
    kube.remove_job(&job).await?;
    Ok(())
}

async fn ask(one: &mut Spoken, word: &str) -> Result<String, Failure> {
    let speaking = async {
        one.input.write_all(format!("{word}\n").as_bytes()).await?;
        one.input.flush().await
    };
    let mut answer = String::new();
    let mut output = BufReader::new(&mut one.output);
    let hearing = output.read_line(&mut answer);
    tokio::try_join!(speaking, hearing)?;
    Ok(answer)
}

async fn jobs(kube: &Kube) -> Result<usize, Failure> {
    let jobs = Api::<Job>::namespaced(kube.client(), "default");
    let labelled = ListParams::default().labels(LABEL);
    Ok(jobs.list(&labelled).await?.items.len())
}

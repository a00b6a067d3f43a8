//! `lab status`: a cluster as a table to read.

use lab_cluster::{Cluster, Usage};
use lab_k8s::{Kube, evidence::PodState};
use lab_model::{exit::Exit, name::ClusterName};
use lab_report::lang::Lang;
use lab_runner::{RunError, endpoints};
use serde_json::json;

use super::{CommandError, Context, cluster::open};
use crate::{args::ImagePolicy, output};

pub(super) async fn status(context: &Context, name: &ClusterName) -> Result<Exit, CommandError> {
    let workbench = context.workbench(ImagePolicy::Auto).await?;
    let cluster = open(&workbench, name).await?;
    let kube = Kube::from_kubeconfig_file(&cluster.kubeconfig)
        .await
        .map_err(RunError::from)?;
    let nodes = kube.node_names().await.map_err(RunError::from)?;
    let usage = lab_cluster::usage(&workbench.engine, &cluster)
        .await
        .map_err(RunError::from)?;
    let pods = kube.pods().await.map_err(RunError::from)?;
    let locked = workbench
        .catalogue
        .load("lifecycle", "documented")
        .map_err(RunError::from)?;
    let published = endpoints::published(&cluster, &locked);
    let by_hand = endpoints::by_hand(&cluster, &locked);
    let reached: Vec<_> = published.iter().chain(&by_hand).collect();
    let lang = context.global.lang.lang();
    let text = [
        of_cluster(&cluster, &nodes, usage, lang),
        of_endpoints(&reached, lang),
        of_pods(&pods, lang),
    ]
    .join("\n");
    let lines: Vec<_> = pods
        .iter()
        .map(|pod| format!("{:<16} {pod}", pod.namespace))
        .collect();
    let value = json!({
        "name": name, "provider": cluster.provider, "version": cluster.version, "nodes": nodes,
        "memory_bytes": usage.memory_bytes, "cpu_seconds": usage.cpu_seconds,
        "kubeconfig": cluster.kubeconfig, "endpoints": published, "port_forwards": by_hand,
        "pods": lines, "pod_states": pods,
    });
    output::result(&context.global, &value, &text);
    Ok(Exit::Ok)
}

const fn either(lang: Lang, english: &'static str, korean: &'static str) -> &'static str {
    match lang {
        Lang::English => english,
        Lang::Korean => korean,
    }
}

fn of_cluster(cluster: &Cluster, nodes: &[String], usage: Usage, lang: Lang) -> String {
    let row = |english, korean, value: String| [either(lang, english, korean).to_owned(), value];
    output::columns(&[
        row("CLUSTER", "클러스터", cluster.name.to_string()),
        row("PROVIDER", "제공자", cluster.provider.to_string()),
        row("KUBERNETES", "쿠버네티스", cluster.version.clone()),
        row("NODES", "노드", nodes.join(", ")),
        row(
            "MEMORY",
            "메모리",
            format!("{} MiB", usage.memory_bytes / (1 << 20)),
        ),
        row(
            "KUBECONFIG",
            "KUBECONFIG",
            cluster.kubeconfig.display().to_string(),
        ),
    ])
}

fn of_endpoints(reached: &[(&String, &String)], lang: Lang) -> String {
    let head = ["ENDPOINT", "ADDRESS"].map(str::to_owned);
    let head = match lang {
        Lang::English => head,
        Lang::Korean => ["엔드포인트", "주소"].map(str::to_owned),
    };
    let rows = reached
        .iter()
        .map(|(name, address)| [(*name).clone(), (*address).clone()]);
    output::columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

fn of_pods(pods: &[PodState], lang: Lang) -> String {
    let head = match lang {
        Lang::English => ["NAMESPACE", "POD", "READY", "PHASE", "RESTARTS", "WHY"],
        Lang::Korean => ["네임스페이스", "파드", "준비", "단계", "재시작", "이유"],
    };
    let rows = pods.iter().map(|pod| {
        [
            pod.namespace.clone(),
            pod.name.clone(),
            format!("{}/{}", pod.ready, pod.containers),
            pod.phase.clone(),
            pod.restarts.to_string(),
            pod.trouble.clone(),
        ]
    });
    let head = head.map(str::to_owned);
    output::columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_stand_in_columns() {
        let pod = |name: &str, trouble: &str| PodState {
            namespace: "mlops-platform".to_owned(),
            name: name.to_owned(),
            ready: 0,
            containers: 1,
            phase: "Running".to_owned(),
            restarts: 2,
            trouble: trouble.to_owned(),
        };
        let text = of_pods(
            &[pod("a", ""), pod("triton-1", "triton: OOMKilled")],
            Lang::English,
        );
        assert_eq!(
            text,
            "NAMESPACE       POD       READY  PHASE    RESTARTS  WHY\n\
             mlops-platform  a         0/1    Running  2\n\
             mlops-platform  triton-1  0/1    Running  2         triton: OOMKilled\n"
        );
    }
}

//! The names of a run, as commands need them.

use lab_model::installed::InstalledStack;

use crate::{
    lang::words,
    lessons::{Deed, deed},
    report::Report,
};

/// The names of a run: its own where it told them, else those of the lifecycle stack.
pub(crate) struct Names {
    /// The cluster.
    pub(crate) cluster: String,
    /// The server's container, where the cluster is of containers.
    pub(crate) server: String,
    /// The last node: an agent where there is one.
    pub(crate) agent: String,
    /// The stack's name.
    pub(crate) stack: String,
    /// The provider.
    pub(crate) provider: String,
    /// The stack's namespace.
    pub(crate) namespace: String,
    /// Helm's release.
    pub(crate) release: String,
    /// The chart's folder.
    pub(crate) chart: String,
    /// Images of the chart, recipe and reference.
    pub(crate) images: Vec<(String, String)>,
    installed: Option<InstalledStack>,
}

/// An endpoint as the lifecycle stack has it, for one that the run did not tell.
struct Known {
    name: &'static str,
    service: &'static str,
    port: u16,
    node_port: u16,
    /// The port of this machine that a forward takes.
    here: u16,
}

const KNOWN: [Known; 7] = [
    known(
        "mlflow",
        "mlops-platform-mlflow-tracking",
        [80, 30402, 5000],
    ),
    known("airflow", "airflow-webserver", [8080, 30380, 8080]),
    known("triton", "triton", [8000, 30800, 8000]),
    known("triton-metrics", "triton", [8002, 30802, 8002]),
    known("monitor", "model-monitor", [8080, 30880, 8081]),
    known(
        "prometheus",
        "mlops-platform-prometheus-server",
        [80, 30403, 9090],
    ),
    known(
        "alertmanager",
        "mlops-platform-alertmanager",
        [9093, 30405, 9093],
    ),
];

const fn known(
    name: &'static str,
    service: &'static str,
    [port, node_port, here]: [u16; 3],
) -> Known {
    Known {
        name,
        service,
        port,
        node_port,
        here,
    }
}

impl Names {
    /// Those of a run.
    pub(crate) fn of(report: &Report) -> Self {
        let about = report.run.about.as_ref();
        // The one that answered; before that, the one that was to be made.
        let answered = report.run.cluster.as_ref();
        let cluster = about.map_or("demo", |about| about.cluster.as_str());
        let cluster = &word(answered.map_or(cluster, |it| &it.name), cluster);
        let nodes = answered.map(|it| it.nodes.as_slice());
        let node = |of: Option<&String>| word(of.map_or(cluster, String::as_str), cluster);
        let provider = about.map_or("node", |it| it.provider.as_str());
        let provider = answered.map_or(provider, |it| it.provider.as_str());
        let installed = report.stack.as_ref().map(|it| it.stack.clone());
        let of_stack = |name: fn(&InstalledStack) -> &str, else_: &str| {
            word(installed.as_ref().map_or(else_, name), else_)
        };
        let images = installed.iter().flat_map(|it| &it.images);
        let images = images
            .filter(|(recipe, reference)| is_plain(recipe) && is_plain(reference))
            .map(|(recipe, reference)| (recipe.clone(), reference.clone()))
            .collect();
        Self {
            cluster: cluster.to_owned(),
            server: match provider {
                "kind" => node(nodes.and_then(<[String]>::first)),
                _ => format!("lab-{cluster}"),
            },
            agent: node(nodes.and_then(<[String]>::last)),
            stack: word(
                about.map_or("lifecycle", |it| it.stack.as_str()),
                "lifecycle",
            ),
            provider: word(provider, "node"),
            namespace: of_stack(|it| &it.namespace, "mlops-platform"),
            release: of_stack(|it| &it.release, "mlops-platform"),
            chart: of_stack(|it| &it.chart, "mlops-platform"),
            images,
            installed,
        }
    }

    /// A name where a shell takes it as it is, or else another.
    pub(crate) fn plain(name: &str, else_: &str) -> String {
        word(name, else_)
    }

    /// Name and workload of the component with this title.
    pub(crate) fn component(&self, title: &str) -> Option<(&str, &str)> {
        let mut components = self.installed.iter().flat_map(|it| &it.components);
        let found = components.find(|it| it.title == title || it.name == title)?;
        let are_plain = is_plain(&found.name) && is_plain(&found.workload);
        are_plain.then_some((found.name.as_str(), found.workload.as_str()))
    }

    /// `kubectl` in the stack's namespace.
    pub(crate) fn kubectl(&self, rest: &str) -> String {
        format!("kubectl -n {} {rest}", self.namespace)
    }

    /// Base URL of an endpoint: the variable that [`Names::addresses`] sets.
    pub(crate) fn url(endpoint: &str) -> String {
        format!("${}", variable(endpoint))
    }

    /// Sets a variable to the base URL of each endpoint. It is asked for, because the engine
    /// gives every cluster other ports; one that is not published is forwarded.
    pub(crate) fn addresses(&self, endpoints: &[&str]) -> Vec<Deed> {
        endpoints.iter().filter_map(|it| self.address(it)).collect()
    }

    fn address(&self, name: &str) -> Option<Deed> {
        let known = KNOWN.iter().find(|it| it.name == name)?;
        let components = self.installed.iter().flat_map(|it| &it.components);
        let told = components
            .flat_map(|it| &it.endpoints)
            .find(|it| it.name == name && is_plain(&it.service));
        let variable = variable(name);
        let node_port = told.map_or(Some(known.node_port), |it| it.node_port);
        if let Some(port) = node_port.filter(|_| self.provider != "existing") {
            let why = words(
                "where it answers on this machine: the node's port, as Docker publishes it",
                "이 컴퓨터에서 접속할 주소. 도커가 공개한 노드 포트",
            );
            let server = &self.server;
            let command = format!("{variable}=http://$(docker port {server} {port})");
            return Some(deed(why, command));
        }
        let service = told.map_or(known.service, |it| &it.service);
        let (here, port) = (known.here, told.map_or(known.port, |it| it.port));
        let forward = self.kubectl(&format!("port-forward service/{service} {here}:{port} &"));
        Some(deed(
            words(
                "make it reachable on this machine",
                "이 컴퓨터에서 접속할 수 있게 합니다",
            ),
            format!("{forward}\n{variable}=http://127.0.0.1:{here}"),
        ))
    }
}

/// The shell's variable for an endpoint: `TRITON_METRICS`.
fn variable(endpoint: &str) -> String {
    endpoint.to_ascii_uppercase().replace('-', "_")
}

/// A name that a shell takes as it is, or else another.
fn word(name: &str, else_: &str) -> String {
    if is_plain(name) { name } else { else_ }.to_owned()
}

/// Whether a shell takes it as one word: a record may have been written by anybody, and
/// people paste these commands.
fn is_plain(name: &str) -> bool {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_./:@".contains(char);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_shell_would_obey_are_not_taken() {
        for name in ["a b", "$(reboot)", "x;y", "-rf", "", "a\nb", "`id`"] {
            assert_eq!(Names::plain(name, "demo"), "demo", "{name:?}");
        }
        assert_eq!(Names::plain("lab/mlflow:3f", "demo"), "lab/mlflow:3f");
    }

    #[test]
    fn forwards_do_not_take_each_others_ports() {
        let mut ports: Vec<u16> = KNOWN.iter().map(|it| it.here).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), KNOWN.len());
    }
}

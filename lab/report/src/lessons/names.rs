//! The names of a run, as commands need them.

use lab_model::installed::InstalledStack;

use crate::{
    lang::words,
    lessons::{Deed, deed},
    report::Report,
};

/// Ports below belong to root; forwards of them take a higher one.
const FIRST_FREE_PORT: u16 = 1024;
/// What is added to such a port.
const RAISED_BY: u16 = 8000;

/// The names of a run: its own where it told them, else those of the lifecycle stack.
pub(crate) struct Names {
    /// The cluster.
    pub(crate) cluster: String,
    /// The server, a container of the same name where lab made the cluster.
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

/// A Service and its port, for one that the run did not tell.
const KNOWN: [(&str, &str, u16); 7] = [
    ("mlflow", "mlops-platform-mlflow-tracking", 80),
    ("airflow", "airflow-webserver", 8080),
    ("triton", "triton", 8000),
    ("triton-metrics", "triton", 8002),
    ("monitor", "model-monitor", 8080),
    ("prometheus", "mlops-platform-prometheus-server", 80),
    ("alertmanager", "mlops-platform-alertmanager", 9093),
];

impl Names {
    /// Those of a run.
    pub(crate) fn of(report: &Report) -> Self {
        let about = report.run.about.as_ref();
        let cluster = about.map_or("demo", |about| about.cluster.as_str());
        let nodes = report.run.cluster.as_ref().map(|it| it.nodes.as_slice());
        let node = |of: Option<&String>| word(of.map_or(cluster, String::as_str), cluster);
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
            server: node(nodes.and_then(<[String]>::first)),
            agent: node(nodes.and_then(<[String]>::last)),
            stack: word(
                about.map_or("lifecycle", |it| it.stack.as_str()),
                "lifecycle",
            ),
            provider: about.map_or("node", |it| it.provider.as_str()).to_owned(),
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

    /// Base URL of an endpoint: as published in the run, else that of a forward to it.
    pub(crate) fn url(&self, endpoint: &str) -> String {
        let told = self.endpoint(endpoint).and_then(|(_, _, url)| url);
        told.unwrap_or_else(|| format!("http://127.0.0.1:{}", self.forwarded(endpoint)))
    }

    /// The forwards that endpoints need, where the run published none of their ports.
    pub(crate) fn forwards(&self, endpoints: &[&str]) -> Vec<Deed> {
        let mut deeds = Vec::new();
        for endpoint in endpoints {
            let Some((service, port, None)) = self.endpoint(endpoint) else {
                continue;
            };
            let here = self.forwarded(endpoint);
            deeds.push(deed(
                words(
                    "make it reachable on this machine",
                    "이 컴퓨터에서 접속할 수 있게 합니다",
                ),
                self.kubectl(&format!("port-forward service/{service} {here}:{port} &")),
            ));
        }
        deeds
    }

    /// A port for each endpoint, so that several forwards stand beside each other.
    fn forwarded(&self, endpoint: &str) -> u16 {
        let place = KNOWN.iter().position(|(name, ..)| *name == endpoint);
        let port = self.endpoint(endpoint).map_or(80, |(_, port, _)| port);
        let raised = if port < FIRST_FREE_PORT { RAISED_BY } else { 0 };
        let apart = u16::try_from(place.unwrap_or_default()).unwrap_or_default() * 10_000 % 50_000;
        port.saturating_add(raised).saturating_add(apart)
    }

    fn endpoint(&self, name: &str) -> Option<(String, u16, Option<String>)> {
        let components = self.installed.iter().flat_map(|it| &it.components);
        let told = components
            .flat_map(|it| &it.endpoints)
            .find(|it| it.name == name);
        let known = KNOWN.iter().find(|(known, ..)| *known == name);
        match (told, known) {
            (Some(told), _) if is_plain(&told.service) => {
                let url = told.url.clone().filter(|it| is_plain(it));
                Some((told.service.clone(), told.port, url))
            }
            (_, Some((_, service, port))) => Some(((*service).to_owned(), *port, None)),
            _ => None,
        }
    }
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

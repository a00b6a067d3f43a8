//! What the names of a cluster mean: Kubernetes' DNS specification 1.1 as a pure
//! function of Services and Endpoints.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

/// A namespace and a name in it.
pub type Key = (String, String);

/// A Service as DNS sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// One address for all of its pods.
    Address {
        /// The cluster address.
        address: Ipv4Addr,
        /// Its named ports.
        ports: Vec<Port>,
    },
    /// No address: names resolve to its pods.
    Headless,
    /// Another name for something outside.
    External(String),
}

/// A named port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// Its number.
    pub number: u16,
}

/// A ready pod behind a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The pod's address.
    pub address: Ipv4Addr,
    /// The pod's host name, where it has one of its own (StatefulSets).
    pub hostname: Option<String>,
    /// Its named ports.
    pub ports: Vec<Port>,
}

impl Endpoint {
    /// The endpoint's label below its Service: its host name or its address.
    fn label(&self) -> String {
        self.hostname
            .clone()
            .unwrap_or_else(|| self.address.to_string().replace('.', "-"))
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// An IPv4 address.
    A,
    /// A named port.
    Srv,
    /// The name of an address.
    Ptr,
    /// Anything else.
    Other,
}

/// A record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// An address.
    A(Ipv4Addr),
    /// A port of a host.
    Srv {
        /// The port.
        port: u16,
        /// The host's full name.
        target: String,
    },
    /// The name of an address.
    Ptr(String),
    /// Another name.
    Cname(String),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Records.
    Records(Vec<Data>),
    /// The name exists, without such a record.
    NoData,
    /// There is no such name in the cluster.
    NoSuchName,
    /// Not the cluster's to say.
    Elsewhere,
}

/// The names of one cluster.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    /// Every Service.
    pub services: BTreeMap<Key, Service>,
    /// The ready pods behind each Service.
    pub endpoints: BTreeMap<Key, Vec<Endpoint>>,
}

const SUFFIX: &str = "cluster.local";

impl Zone {
    /// Answers a question; `name` is lower case, with or without the final dot.
    pub fn answer(&self, name: &str, question: Question) -> Answer {
        let name = name.strip_suffix('.').unwrap_or(name);
        if let Some(reversed) = name.strip_suffix(".in-addr.arpa") {
            return self.reverse(reversed, question);
        }
        let inner = match name.strip_suffix(SUFFIX) {
            Some("") => return Answer::NoData,
            Some(inner) => match inner.strip_suffix('.') {
                Some(inner) => inner,
                None => return Answer::Elsewhere,
            },
            None => return Answer::Elsewhere,
        };
        let mut labels: Vec<&str> = inner.split('.').collect();
        match labels.pop() {
            Some("svc") => self.below_svc(&labels, question),
            Some("pod") => below_pod(&labels, question),
            _ => Answer::NoSuchName,
        }
    }

    fn below_svc(&self, labels: &[&str], question: Question) -> Answer {
        match *labels {
            [] => Answer::NoData,
            [namespace] => self.namespace(namespace),
            [service, namespace] => self.service(service, namespace, question),
            [host, service, namespace] => self.host(host, service, namespace, question),
            [port, protocol, service, namespace] => {
                self.port([port, protocol], service, namespace, question)
            }
            _ => Answer::NoSuchName,
        }
    }

    fn namespace(&self, namespace: &str) -> Answer {
        if self.services.keys().any(|(other, _)| other == namespace) {
            Answer::NoData
        } else {
            Answer::NoSuchName
        }
    }

    fn service(&self, service: &str, namespace: &str, question: Question) -> Answer {
        let key = (namespace.to_owned(), service.to_owned());
        match (self.services.get(&key), question) {
            (None, _) => Answer::NoSuchName,
            (Some(Service::External(name)), _) => {
                Answer::Records(vec![Data::Cname(name.trim_end_matches('.').to_owned())])
            }
            (Some(Service::Address { address, .. }), Question::A) => {
                Answer::Records(vec![Data::A(*address)])
            }
            (Some(Service::Headless), Question::A) => {
                let addresses: BTreeSet<_> =
                    self.pods(&key).iter().map(|pod| pod.address).collect();
                records(addresses.into_iter().map(Data::A).collect())
            }
            (Some(Service::Address { ports, .. }), Question::Srv) => records(
                ports
                    .iter()
                    .map(|port| Data::Srv {
                        port: port.number,
                        target: full_name(&[service, namespace]),
                    })
                    .collect(),
            ),
            (Some(Service::Headless), Question::Srv) => records(self.pod_ports(&key, |_| true)),
            (Some(_), Question::Ptr | Question::Other) => Answer::NoData,
        }
    }

    fn host(&self, host: &str, service: &str, namespace: &str, question: Question) -> Answer {
        let key = (namespace.to_owned(), service.to_owned());
        let Some(kind) = self.services.get(&key) else {
            return Answer::NoSuchName;
        };
        if matches!(host, "_tcp" | "_udp" | "_sctp") {
            return Answer::NoData;
        }
        if !matches!(kind, Service::Headless) {
            return Answer::NoSuchName;
        }
        let addresses: BTreeSet<_> = self
            .pods(&key)
            .iter()
            .filter(|pod| pod.label() == host)
            .map(|pod| pod.address)
            .collect();
        match (addresses.is_empty(), question) {
            (true, _) => Answer::NoSuchName,
            (false, Question::A) => Answer::Records(addresses.into_iter().map(Data::A).collect()),
            (false, _) => Answer::NoData,
        }
    }

    fn port(
        &self,
        [port, protocol]: [&str; 2],
        service: &str,
        namespace: &str,
        question: Question,
    ) -> Answer {
        let key = (namespace.to_owned(), service.to_owned());
        let (Some(port), Some(protocol)) = (port.strip_prefix('_'), protocol.strip_prefix('_'))
        else {
            return Answer::NoSuchName;
        };
        let wanted = |other: &Port| other.name == port && other.protocol == protocol;
        let found = match self.services.get(&key) {
            Some(Service::Address { ports, .. }) => ports
                .iter()
                .filter(|port| wanted(port))
                .map(|port| Data::Srv {
                    port: port.number,
                    target: full_name(&[service, namespace]),
                })
                .collect(),
            Some(Service::Headless) => self.pod_ports(&key, wanted),
            Some(Service::External(_)) | None => Vec::new(),
        };
        match (found.is_empty(), question) {
            (true, _) => Answer::NoSuchName,
            (false, Question::Srv) => Answer::Records(found),
            (false, _) => Answer::NoData,
        }
    }

    fn pods(&self, key: &Key) -> &[Endpoint] {
        self.endpoints.get(key).map_or(&[], Vec::as_slice)
    }

    fn pod_ports(&self, key: &Key, wanted: impl Fn(&Port) -> bool) -> Vec<Data> {
        let mut found = Vec::new();
        for pod in self.pods(key) {
            for port in pod.ports.iter().filter(|port| wanted(port)) {
                found.push(Data::Srv {
                    port: port.number,
                    target: full_name(&[&pod.label(), &key.1, &key.0]),
                });
            }
        }
        found
    }

    fn reverse(&self, reversed: &str, question: Question) -> Answer {
        let forward: Vec<&str> = reversed.rsplit('.').collect();
        let Ok(address) = forward.join(".").parse::<Ipv4Addr>() else {
            return Answer::Elsewhere;
        };
        let names = self.names_of(address);
        match (names.is_empty(), question) {
            (false, Question::Ptr) => Answer::Records(names),
            (false, _) => Answer::NoData,
            (true, _) if is_clusters_own(address) => Answer::NoSuchName,
            (true, _) => Answer::Elsewhere,
        }
    }

    fn names_of(&self, wanted: Ipv4Addr) -> Vec<Data> {
        let mut names = Vec::new();
        for ((namespace, name), service) in &self.services {
            match service {
                Service::Address { address, .. } if *address == wanted => {
                    names.push(Data::Ptr(full_name(&[name, namespace])));
                }
                Service::Headless => {
                    let key = (namespace.clone(), name.clone());
                    names.extend(
                        self.pods(&key)
                            .iter()
                            .filter(|pod| pod.address == wanted)
                            .map(|pod| Data::Ptr(full_name(&[&pod.label(), name, namespace]))),
                    );
                }
                Service::Address { .. } | Service::External(_) => {}
            }
        }
        names
    }
}

/// `1-2-3-4.NAMESPACE.pod.cluster.local` is 1.2.3.4.
fn below_pod(labels: &[&str], question: Question) -> Answer {
    let [dashed, _] = *labels else {
        return Answer::NoSuchName;
    };
    match (dashed.replace('-', ".").parse::<IpAddr>(), question) {
        (Ok(IpAddr::V4(address)), Question::A) => Answer::Records(vec![Data::A(address)]),
        (Ok(IpAddr::V4(_)), _) => Answer::NoData,
        _ => Answer::NoSuchName,
    }
}

fn full_name(labels: &[&str]) -> String {
    format!("{}.svc.{SUFFIX}", labels.join("."))
}

fn records(found: Vec<Data>) -> Answer {
    if found.is_empty() {
        Answer::NoData
    } else {
        Answer::Records(found)
    }
}

/// The pod and the Service network, `10.42.0.0/16` and `10.43.0.0/16`.
fn is_clusters_own(address: Ipv4Addr) -> bool {
    matches!(address.octets(), [10, 42 | 43, ..])
}

#[cfg(test)]
mod tests;

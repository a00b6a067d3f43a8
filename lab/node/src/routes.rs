//! Routes to the pods of other nodes: all nodes share one network, so a packet for
//! another node's pods goes to that node's address.

use std::collections::BTreeMap;

use futures::StreamExt;
use lab_k8s::{
    k8s_openapi::api::core::v1::Node,
    kube::{
        Api, Client, ResourceExt,
        runtime::{
            WatchStreamExt,
            watcher::{self, Event, watcher},
        },
    },
};

use crate::{once, supervisor::say};

/// Pod networks and the nodes they lie behind.
type Routes = BTreeMap<String, String>;

/// Keeps the routes in step with the cluster's nodes, for ever.
pub(crate) async fn follow(client: &Client, own_name: &str) {
    let nodes = Api::<Node>::all(client.clone());
    let events = watcher(nodes, watcher::Config::default()).default_backoff();
    let mut events = std::pin::pin!(events);
    let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
    let mut there = Routes::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => nodes.clear(),
            Ok(Event::InitApply(node) | Event::Apply(node)) => {
                nodes.insert(node.name_any(), node);
            }
            Ok(Event::Delete(node)) => {
                nodes.remove(&node.name_any());
            }
            Ok(Event::InitDone) => {}
            // The stream waits and begins anew by itself.
            Err(_) => continue,
        }
        let others = nodes.values().filter(|node| node.name_any() != own_name);
        let wanted: Routes = others.filter_map(route).collect();
        apply(&there, &wanted).await;
        there = wanted;
    }
}

/// The pod network of a node and its address, once it has both.
fn route(node: &Node) -> Option<(String, String)> {
    let network = node.spec.as_ref()?.pod_cidr.clone()?;
    let mut addresses = node.status.as_ref()?.addresses.iter().flatten();
    let internal = addresses.find(|address| address.type_ == "InternalIP")?;
    Some((network, internal.address.clone()))
}

async fn apply(there: &Routes, wanted: &Routes) {
    for command in commands(there, wanted) {
        if let Err(error) = once::run("ip", &command).await {
            say("routes", &error.to_string()).await;
        }
    }
}

/// What `ip` is to be told.
fn commands<'a>(there: &'a Routes, wanted: &'a Routes) -> Vec<Vec<&'a str>> {
    let gone = there
        .keys()
        .filter(|network| !wanted.contains_key(*network))
        .map(|network| vec!["route", "delete", network]);
    let new = wanted
        .iter()
        .filter(|(network, node)| there.get(*network) != Some(node))
        .map(|(network, node)| vec!["route", "replace", network, "via", node]);
    gone.chain(new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(routes: &[(&str, &str)]) -> Routes {
        let owned = |(network, node): &(&str, &str)| ((*network).to_owned(), (*node).to_owned());
        routes.iter().map(owned).collect()
    }

    #[test]
    fn only_what_changed_is_told() {
        let there = routes(&[
            ("10.42.0.0/24", "172.18.0.2"),
            ("10.42.1.0/24", "172.18.0.3"),
            ("10.42.2.0/24", "172.18.0.4"),
        ]);
        let wanted = routes(&[
            ("10.42.0.0/24", "172.18.0.2"),
            ("10.42.1.0/24", "172.18.0.9"),
            ("10.42.3.0/24", "172.18.0.5"),
        ]);

        assert_eq!(
            commands(&there, &wanted),
            [
                vec!["route", "delete", "10.42.2.0/24"],
                vec!["route", "replace", "10.42.1.0/24", "via", "172.18.0.9"],
                vec!["route", "replace", "10.42.3.0/24", "via", "172.18.0.5"],
            ]
        );
        assert!(commands(&wanted, &wanted).is_empty());
    }

    #[test]
    fn a_node_without_an_address_has_no_route() {
        let node = |value| serde_json::from_value::<Node>(value).unwrap();
        let without = node(serde_json::json!({
            "metadata": {"name": "demo-agent-1"}, "spec": {"podCIDR": "10.42.1.0/24"},
        }));
        let with = node(serde_json::json!({
            "metadata": {"name": "demo-agent-1"}, "spec": {"podCIDR": "10.42.1.0/24"},
            "status": {"addresses": [
                {"type": "Hostname", "address": "demo-agent-1"},
                {"type": "InternalIP", "address": "172.18.0.3"},
            ]},
        }));

        assert_eq!(route(&without), None);
        assert_eq!(
            route(&with),
            Some(("10.42.1.0/24".to_owned(), "172.18.0.3".to_owned()))
        );
    }
}

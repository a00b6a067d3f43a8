//! Keeps the zone in step with the cluster's Services and Endpoints.

use std::{collections::BTreeMap, net::Ipv4Addr, sync::RwLock};

use futures::StreamExt;
use lab_k8s::{
    k8s_openapi::api::core::v1 as core,
    kube::{
        Api, Client, Resource,
        runtime::{
            WatchStreamExt,
            watcher::{self, Event, watcher},
        },
    },
};

use super::zone::{Endpoint, Key, Port, Service, Zone};

/// A change of one kind of object, made under the zone's lock.
type Change<'a, V> = &'a mut dyn FnMut(&mut BTreeMap<Key, V>);

/// Follows the API for ever; a broken watch is taken up again.
pub(crate) async fn feed(client: Client, zone: &RwLock<Zone>) {
    let services = follow(
        Api::<core::Service>::all(client.clone()),
        service,
        |change: Change<'_, Service>| change(&mut write(zone).services),
    );
    let endpoints = follow(
        Api::<core::Endpoints>::all(client),
        |object| Some(endpoints(object)),
        |change: Change<'_, Vec<Endpoint>>| change(&mut write(zone).endpoints),
    );
    tokio::join!(services, endpoints);
}

fn write(zone: &RwLock<Zone>) -> std::sync::RwLockWriteGuard<'_, Zone> {
    zone.write()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn follow<K, V>(api: Api<K>, read: impl Fn(&K) -> Option<V>, store: impl Fn(Change<'_, V>))
where
    K: Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + 'static,
{
    let events = watcher(api, watcher::Config::default()).default_backoff();
    let mut events = std::pin::pin!(events);
    let mut fresh = BTreeMap::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => fresh.clear(),
            Ok(Event::InitApply(object)) => {
                if let Some(value) = read(&object) {
                    fresh.insert(key(&object), value);
                }
            }
            Ok(Event::InitDone) => store(&mut |all| *all = std::mem::take(&mut fresh)),
            Ok(Event::Apply(object)) => {
                let mut value = read(&object);
                store(&mut |all| match value.take() {
                    Some(value) => drop(all.insert(key(&object), value)),
                    None => drop(all.remove(&key(&object))),
                });
            }
            Ok(Event::Delete(object)) => store(&mut |all| drop(all.remove(&key(&object)))),
            // The stream waits and begins anew by itself.
            Err(error) => tracing::debug!(%error, "a watch broke"),
        }
    }
}

fn key<K: Resource>(object: &K) -> Key {
    let meta = object.meta();
    (
        meta.namespace.clone().unwrap_or_default(),
        meta.name.clone().unwrap_or_default(),
    )
}

fn service(object: &core::Service) -> Option<Service> {
    let spec = object.spec.as_ref()?;
    if let Some(name) = &spec.external_name {
        return Some(Service::External(name.to_lowercase()));
    }
    let address = spec.cluster_ip.as_deref()?;
    if address == "None" {
        return Some(Service::Headless);
    }
    let ports = spec.ports.iter().flatten().filter_map(|port| {
        Some(Port {
            name: port.name.clone()?,
            protocol: port.protocol.as_deref().unwrap_or("tcp").to_lowercase(),
            number: u16::try_from(port.port).ok()?,
        })
    });
    Some(Service::Address {
        address: address.parse().ok()?,
        ports: ports.collect(),
    })
}

fn endpoints(object: &core::Endpoints) -> Vec<Endpoint> {
    let mut found = Vec::new();
    for subset in object.subsets.iter().flatten() {
        let ports: Vec<Port> = subset
            .ports
            .iter()
            .flatten()
            .filter_map(|port| {
                Some(Port {
                    name: port.name.clone()?,
                    protocol: port.protocol.as_deref().unwrap_or("tcp").to_lowercase(),
                    number: u16::try_from(port.port).ok()?,
                })
            })
            .collect();
        for address in subset.addresses.iter().flatten() {
            if let Ok(ip) = address.ip.parse::<Ipv4Addr>() {
                found.push(Endpoint {
                    address: ip,
                    hostname: address.hostname.clone(),
                    ports: ports.clone(),
                });
            }
        }
    }
    found
}

//! The server on a real socket, with a zone written out.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, RwLock},
    time::Duration,
};

use hickory_server::{
    net::runtime::TokioRuntimeProvider,
    proto::rr::{RData, RecordType},
    resolver::{
        Resolver, TokioResolver,
        config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    },
};
use tokio::{net::UdpSocket, task::JoinSet};

use super::{
    serve,
    zone::{Endpoint, Service, Zone},
};

/// More addresses than a datagram of 512 bytes holds.
const MANY: u8 = 60;

fn zone() -> Zone {
    let key = |name: &str| ("ml".to_owned(), name.to_owned());
    let mut zone = Zone::default();
    zone.services.insert(
        key("mlflow"),
        Service::Address {
            address: Ipv4Addr::new(10, 43, 0, 7),
            ports: Vec::new(),
        },
    );
    zone.services.insert(key("many"), Service::Headless);
    let pods = (0..MANY).map(|last| Endpoint {
        address: Ipv4Addr::new(10, 42, 0, last),
        hostname: None,
        ports: Vec::new(),
    });
    zone.endpoints.insert(key("many"), pods.collect());
    zone
}

async fn server(servers: &mut JoinSet<()>) -> SocketAddr {
    // A port that was free a moment ago, for UDP and TCP alike: at an address from which no
    // other test connects.
    let address = Ipv4Addr::new(127, 0, 0, 53);
    let free = UdpSocket::bind((address, 0)).await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    servers.spawn(async move {
        serve(address, Arc::new(RwLock::new(zone())), "")
            .await
            .unwrap();
    });
    address
}

fn client(address: SocketAddr) -> TokioResolver {
    let mut udp = ConnectionConfig::udp();
    udp.port = address.port();
    let mut tcp = ConnectionConfig::tcp();
    tcp.port = address.port();
    let server = NameServerConfig::new(address.ip(), true, vec![udp, tcp]);
    let mut builder = Resolver::builder_with_config(
        ResolverConfig::from_name_servers(vec![server]),
        TokioRuntimeProvider::default(),
    );
    builder.options_mut().timeout = Duration::from_secs(2);
    builder.options_mut().attempts = 3;
    builder.build().unwrap()
}

#[tokio::test]
async fn a_service_resolves_over_the_wire() {
    let mut servers = JoinSet::new();
    let client = client(server(&mut servers).await);

    let found = client
        .lookup("mlflow.ml.svc.cluster.local.", RecordType::A)
        .await
        .unwrap();

    let addresses: Vec<_> = found.answers().iter().map(|it| it.data.clone()).collect();
    assert_eq!(addresses, [RData::A(Ipv4Addr::new(10, 43, 0, 7).into())]);
}

#[tokio::test]
async fn a_long_answer_comes_whole() {
    let mut servers = JoinSet::new();
    let client = client(server(&mut servers).await);

    let found = client
        .lookup("many.ml.svc.cluster.local.", RecordType::A)
        .await
        .unwrap();

    assert_eq!(found.answers().len(), usize::from(MANY));
}

#[tokio::test]
async fn a_missing_name_is_said_to_be_missing() {
    let mut servers = JoinSet::new();
    let client = client(server(&mut servers).await);

    let missing = client
        .lookup("nothing.ml.svc.cluster.local.", RecordType::A)
        .await
        .unwrap_err();
    let empty = client
        .lookup("mlflow.ml.svc.cluster.local.", RecordType::AAAA)
        .await
        .unwrap_err();

    assert!(missing.is_nx_domain());
    assert!(empty.is_no_records_found() && !empty.is_nx_domain());
}

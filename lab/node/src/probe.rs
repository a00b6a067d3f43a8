//! Asks the cluster's DNS as a pod would: by its Service address.

use std::{net::Ipv4Addr, time::Duration};

use hickory_server::{
    net::runtime::TokioRuntimeProvider,
    resolver::{
        Resolver,
        config::{NameServerConfig, ResolverConfig},
    },
};
use tokio::time::sleep;

use crate::dns::DNS_ADDRESS;

/// One try; a packet lost while kube-proxy writes its rules must not cost seconds.
const PATIENCE: Duration = Duration::from_millis(150);
const PAUSE: Duration = Duration::from_millis(25);

/// Waits until the name of the API server resolves through the DNS Service.
pub(crate) async fn wait_for_dns() {
    while !answers(DNS_ADDRESS).await {
        sleep(PAUSE).await;
    }
}

async fn answers(server: Ipv4Addr) -> bool {
    let config = ResolverConfig::from_name_servers(vec![NameServerConfig::udp(server.into())]);
    let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.options_mut().timeout = PATIENCE;
    builder.options_mut().attempts = 0;
    let Ok(resolver) = builder.build() else {
        return false;
    };
    resolver
        .lookup_ip("kubernetes.default.svc.cluster.local.")
        .await
        .is_ok()
}

//! The DNS server: sockets, the handler, forwarding.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures::future::BoxFuture;
use hickory_server::{
    Server,
    net::{
        DnsError as LookupError, NetError,
        runtime::{Time, TokioRuntimeProvider},
    },
    proto::{
        op::{Edns, LowerQuery, Metadata, OpCode, ResponseCode},
        rr::{Name, RData, Record, RecordType},
    },
    resolver::{Resolver, TokioResolver, system_conf::parse_resolv_conf},
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::MessageResponseBuilder,
};
use miette::Diagnostic;
use thiserror::Error;
use tokio::net::{TcpListener, UdpSocket};

use super::{
    answer::{question, record, start_of_authority},
    zone::{Answer, Data, Zone},
};

/// An idle TCP client is let go after this.
const TCP_PATIENCE: Duration = Duration::from_secs(10);
/// Answers that may wait for a slow TCP client.
const TCP_BACKLOG: usize = 32;

/// The server could not start or stopped.
#[derive(Debug, Error, Diagnostic)]
pub enum DnsError {
    /// The port is taken.
    #[error("failed to listen on `{address}`")]
    #[diagnostic(code(lab::node::dns_listen))]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The server ended.
    #[error("the DNS server ended")]
    #[diagnostic(code(lab::node::dns_ended))]
    Ended(#[source] Box<NetError>),
}

/// Answers on UDP and TCP until the future is dropped. `upstream` is the text of
/// a resolv.conf.
///
/// The address must be the node's own, not the unspecified one: an answer that
/// leaves from another address is not translated back and a connected socket
/// drops it.
pub(crate) async fn serve(
    address: SocketAddr,
    zone: Arc<RwLock<Zone>>,
    upstream: &str,
) -> Result<(), DnsError> {
    let listen = |source| DnsError::Listen { address, source };
    let datagrams = UdpSocket::bind(address).await.map_err(listen)?;
    let connections = TcpListener::bind(datagrams.local_addr().map_err(listen)?)
        .await
        .map_err(listen)?;
    let mut server = Server::new(Handler {
        zone,
        forwarder: forwarder(upstream),
    });
    server.register_socket(datagrams);
    server.register_listener(connections, TCP_PATIENCE, TCP_BACKLOG);
    server
        .block_until_done()
        .await
        .map_err(|source| DnsError::Ended(Box::new(source)))
}

/// `None` where the container was given no resolver: nothing outside resolves.
fn forwarder(resolv_conf: &str) -> Option<TokioResolver> {
    let (mut config, mut options) = parse_resolv_conf(resolv_conf).ok()?;
    config = hickory_server::resolver::config::ResolverConfig::from_name_servers(
        config.name_servers().to_vec(),
    );
    options.edns0 = true;
    options.attempts = 2;
    options.preserve_intermediates = true;
    Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
        .ok()
}

struct Handler {
    zone: Arc<RwLock<Zone>>,
    forwarder: Option<TokioResolver>,
}

/// What goes into a response.
struct Reply {
    code: ResponseCode,
    authoritative: bool,
    answers: Vec<Record>,
    authority: Option<Record>,
}

impl Reply {
    fn empty(code: ResponseCode) -> Self {
        Self {
            code,
            authoritative: false,
            answers: Vec::new(),
            authority: None,
        }
    }

    fn missing(code: ResponseCode) -> Self {
        Self {
            code,
            authoritative: true,
            answers: Vec::new(),
            authority: start_of_authority(),
        }
    }
}

impl Handler {
    async fn reply(&self, query: &LowerQuery) -> Reply {
        let name: Name = query.name().into();
        let kind = query.query_type();
        let answer = self
            .zone
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .answer(&name.to_ascii(), question(kind));
        match answer {
            Answer::NoData => Reply::missing(ResponseCode::NoError),
            Answer::NoSuchName => Reply::missing(ResponseCode::NXDomain),
            Answer::Elsewhere => self.forward(&name, kind).await,
            Answer::Records(found) => {
                let mut answers: Vec<Record> = found
                    .iter()
                    .filter_map(|data| record(&name, data))
                    .collect();
                if let [Data::Cname(target)] = found.as_slice()
                    && let Ok(target) = Name::from_ascii(format!("{target}."))
                {
                    answers.extend(self.forward(&target, kind).await.answers);
                }
                Reply {
                    code: ResponseCode::NoError,
                    authoritative: true,
                    answers,
                    authority: None,
                }
            }
        }
    }

    async fn forward(&self, name: &Name, kind: RecordType) -> Reply {
        let Some(forwarder) = &self.forwarder else {
            return Reply::empty(ResponseCode::Refused);
        };
        match forwarder.lookup(name.clone(), kind).await {
            Ok(lookup) => Reply {
                answers: lookup.answers().to_vec(),
                ..Reply::empty(ResponseCode::NoError)
            },
            Err(NetError::Dns(LookupError::NoRecordsFound(none))) => Reply {
                authority: none.soa.map(|soa| {
                    let soa = *soa;
                    Record::from_rdata(soa.name.clone(), soa.ttl, RData::SOA(soa.data))
                }),
                ..Reply::empty(none.response_code)
            },
            Err(_) => Reply::empty(ResponseCode::ServFail),
        }
    }
}

impl RequestHandler for Handler {
    fn handle_request<'life0, 'life1, 'async_trait, R, T>(
        &'life0 self,
        request: &'life1 Request,
        mut responder: R,
    ) -> BoxFuture<'async_trait, ResponseInfo>
    where
        R: ResponseHandler + 'async_trait,
        T: Time + 'async_trait,
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let reply = match request.request_info() {
                Ok(info) if request.metadata.op_code == OpCode::Query => {
                    self.reply(info.query).await
                }
                Ok(_) => Reply::empty(ResponseCode::NotImp),
                Err(_) => Reply::empty(ResponseCode::FormErr),
            };
            let mut metadata = Metadata::response_from_request(&request.metadata);
            metadata.response_code = reply.code;
            metadata.authoritative = reply.authoritative;
            metadata.recursion_available = true;
            let edns = request.edns.as_ref().map(|asked| {
                let mut edns = Edns::new();
                edns.set_max_payload(asked.max_payload().max(512));
                edns
            });
            let mut builder = MessageResponseBuilder::from_message_request(request);
            if let Some(edns) = &edns {
                builder.edns(edns);
            }
            let response = builder.build(
                metadata,
                reply.answers.iter(),
                [],
                reply.authority.iter(),
                [],
            );
            match responder.send_response(response).await {
                Ok(info) => info,
                Err(error) => {
                    tracing::debug!(%error, "failed to send an answer");
                    ResponseInfo::from(hickory_server::proto::op::Header {
                        metadata: Metadata::response_from_request(&request.metadata),
                        counts: hickory_server::proto::op::HeaderCounts::default(),
                    })
                }
            }
        })
    }
}

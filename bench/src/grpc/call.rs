//! One call on a connection of its own: for what is not measured.

use std::future::poll_fn;

use bytes::Bytes;
use http::{
    Request, Version,
    header::{CONTENT_TYPE, TE},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::{
    exchange::{Exchange, Fault, Reply},
    framing::frame,
};
use crate::{
    server::{Peer, Server},
    target::Address,
};

/// The head of a call to an address. `None`: its authority or path is none.
pub(crate) fn head(address: &Address) -> Option<Request<()>> {
    let scheme = if address.scheme.has_tls() {
        "https"
    } else {
        "http"
    };
    let Address {
        authority, path, ..
    } = address;
    Request::post(format!("{scheme}://{authority}{path}"))
        .version(Version::HTTP_2)
        .header(CONTENT_TYPE, "application/grpc")
        .header(TE, "trailers")
        .body(())
        .ok()
}

/// Asks a server for something aside. `None`: it does not answer that.
pub(crate) async fn ask(server: &Server, path: &str, message: &[u8]) -> Option<Bytes> {
    let url = format!("{}{path}", server.grpc_url().trim_end_matches('/'));
    let address = Address::parse(&url).ok()?;
    let peer = Peer::find(&url, &address, &server.trust).await.ok()?;
    let reply = call(&peer, head(&address)?, frame(message)?).await;
    reply.ok().filter(|it| it.code == 0).map(|it| it.message)
}

/// Sends a request's head and its framed message; the answer's code is not judged.
///
/// # Errors
/// In plain words, when nothing came back that is gRPC.
pub(crate) async fn call(peer: &Peer, head: Request<()>, message: Bytes) -> Result<Reply, String> {
    let words = |error: std::io::Error| error.to_string();
    let stream = TcpStream::connect(peer.address).await.map_err(words)?;
    // Else what is short, as the word on how much more may come, waits in the kernel until
    // what went before it is acknowledged.
    stream.set_nodelay(true).map_err(words)?;
    let reply = match &peer.tls {
        None => exchange(stream, head, message).await,
        Some(tls) => {
            let stream = tls.shake(stream).await.map_err(words)?;
            exchange(stream, head, message).await
        }
    };
    reply.map_err(|fault| {
        let (Fault::Broken(reason) | Fault::Malformed(reason)) = fault;
        format!("{reason}; is this the port of gRPC?")
    })
}

async fn exchange<S>(stream: S, head: Request<()>, message: Bytes) -> Result<Reply, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (sender, connection) = h2::client::handshake(stream).await?;
    let exchange = async {
        let (response, mut body) = sender.ready().await?.send_request(head, false)?;
        body.send_data(message, true)?;
        let mut exchange = Exchange::new(response);
        poll_fn(|cx| exchange.poll(cx)).await
    };
    tokio::pin!(connection);
    tokio::select! {
        biased;
        reply = exchange => reply,
        ended = &mut connection => {
            ended?;
            Err(Fault::Broken("the server closed the connection".to_owned()))
        }
    }
}

//! One call on a connection of its own: for what is not measured.

use std::{future::poll_fn, net::SocketAddr};

use bytes::Bytes;
use http::{
    Request, Version,
    header::{CONTENT_TYPE, TE},
};
use tokio::net::{TcpStream, lookup_host};

use super::{
    exchange::{Exchange, Fault, Reply},
    framing::frame,
};

/// The head of a call. `None`: the authority or path is none.
pub(crate) fn head(authority: &str, path: &str) -> Option<Request<()>> {
    Request::post(format!("http://{authority}{path}"))
        .version(Version::HTTP_2)
        .header(CONTENT_TYPE, "application/grpc")
        .header(TE, "trailers")
        .body(())
        .ok()
}

/// Asks a server, given as `http://host:port` or `grpc://host:port`, for something aside.
/// `None`: it does not answer that.
pub(crate) async fn ask(server: &str, path: &str, message: &[u8]) -> Option<Bytes> {
    let (_, authority) = server.trim_end_matches('/').split_once("://")?;
    let address = lookup_host(authority).await.ok()?.next()?;
    let reply = call(address, head(authority, path)?, frame(message)?).await;
    reply.ok().filter(|it| it.code == 0).map(|it| it.message)
}

/// Sends a request's head and its framed message; the answer's code is not judged.
///
/// # Errors
/// In plain words, when nothing came back that is gRPC.
pub(crate) async fn call(
    address: SocketAddr,
    head: Request<()>,
    message: Bytes,
) -> Result<Reply, String> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| error.to_string())?;
    exchange(stream, head, message).await.map_err(|fault| {
        let (Fault::Broken(reason) | Fault::Malformed(reason)) = fault;
        format!("{reason}; is this the port of gRPC?")
    })
}

async fn exchange(stream: TcpStream, head: Request<()>, message: Bytes) -> Result<Reply, Fault> {
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

//! One connection to a port of a pod, through a WebSocket to the API server.
//!
//! kube's own port-forward cuts what it sends after every 4096 bytes of a connection,
//! wherever that falls. There are servers, Triton's among them, that take a request line
//! in two pieces for another one: here a piece goes on as it came.

use std::io;

use futures::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

/// The channels of the one port, as every message begins with.
const DATA: u8 = 0;
const ERROR: u8 = 1;
/// More than any request that is read at once.
const PIECE: usize = 64 << 10;

/// Carries a connection until either side ends it.
pub(crate) async fn carry<S>(socket: WebSocketStream<S>, here: TcpStream) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut to_pod, mut from_pod) = socket.split();
    let (mut read, mut write) = here.into_split();
    let sending = async {
        let mut piece = vec![DATA; PIECE];
        loop {
            let length = read.read(&mut piece[1..]).await?;
            if length == 0 {
                return to_pod.close().await.map_err(io::Error::other);
            }
            let message = Message::binary(piece[..=length].to_vec());
            to_pod.send(message).await.map_err(io::Error::other)?;
        }
    };
    let receiving = async {
        // The first message of each channel only repeats the port.
        let mut begun = [false; 2];
        while let Some(message) = from_pod.next().await {
            let bytes = match message.map_err(io::Error::other)? {
                Message::Binary(bytes) => bytes,
                Message::Close(_) => break,
                _ => continue,
            };
            let Some((&channel, bytes)) = bytes.split_first() else {
                continue;
            };
            let begun = begun.get_mut(usize::from(channel));
            let is_first = begun.is_none_or(|begun| !std::mem::replace(begun, true));
            match channel {
                _ if is_first => {}
                ERROR => return Err(io::Error::other(String::from_utf8_lossy(bytes))),
                _ => write.write_all(bytes).await?,
            }
        }
        write.shutdown().await
    };
    tokio::select! {
        ended = sending => ended,
        ended = receiving => ended,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::{io::DuplexStream, net::TcpListener};
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    /// A client's end, the API server's end, and the tunnel between them.
    async fn tunnel() -> (
        TcpStream,
        WebSocketStream<DuplexStream>,
        impl Future<Output = io::Result<()>>,
    ) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        let (near, far) = tokio::io::duplex(1 << 20);
        let near = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        let far = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
        (client.unwrap(), far, carry(near, accepted.unwrap().0))
    }

    #[tokio::test]
    async fn a_request_stays_in_one_piece_wherever_it_falls() {
        let (mut client, mut server, carrying) = tunnel().await;
        let asking = async {
            for _ in 0..10 {
                client.write_all(&[7; 1000]).await.unwrap();
                let message = server.next().await.unwrap().unwrap();
                assert_eq!(message.len(), 1001);
            }
        };

        tokio::select! {
            () = asking => {}
            ended = carrying => panic!("it ended: {ended:?}"),
        }
    }

    #[tokio::test]
    async fn an_answer_comes_without_the_ports_and_ends_with_the_pod() {
        let (mut client, mut server, carrying) = tunnel().await;
        for bytes in [&[0, 64, 31][..], &[1, 64, 31], b"\0answer"] {
            server.send(Message::binary(bytes.to_vec())).await.unwrap();
        }
        server.close(None).await.unwrap();

        carrying.await.unwrap();

        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "answer");
    }

    #[tokio::test]
    async fn a_pod_that_refuses_says_why() {
        let (_client, mut server, carrying) = tunnel().await;
        for bytes in [&[1, 64, 31][..], b"\x01connection refused"] {
            server.send(Message::binary(bytes.to_vec())).await.unwrap();
        }

        let error = carrying.await.unwrap_err();

        assert_eq!(error.to_string(), "connection refused");
    }
}

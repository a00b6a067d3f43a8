//! An old kubelet's requests, written byte for byte, and a real server behind the door.

use std::{collections::BTreeMap, path::PathBuf};

use futures::{StreamExt, stream};
use proptest::prelude::*;
use tokio::{io::duplex, sync::watch, task::JoinSet};
use tonic::transport::Server;

use super::*;
use crate::gpu::{
    api::DevicePluginServer,
    plugin::{Gpu, Plugin},
};

const SETTINGS: u8 = 0x4;
const RST_STREAM: u8 = 0x3;
const DATA: u8 = 0x0;
/// What grpc-go 1.27 names, which Kubernetes 1.20 has in it.
const PATH: &str = "/var/lib/kubelet/device-plugins/lab-gpu.sock";

fn headers(authority: &str) -> Vec<u8> {
    let headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/v1beta1.DevicePlugin/ListAndWatch"),
        (":authority", authority),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    Encoder::new().encode(headers)
}

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Frame {
    let stream = u32::from(kind != SETTINGS);
    Frame {
        kind,
        flags,
        stream: stream.to_be_bytes(),
        payload: payload.to_vec(),
    }
}

fn request() -> Vec<u8> {
    let frames = [
        frame(SETTINGS, 0, &[]),
        frame(HEADERS, END_HEADERS, &headers(PATH)),
        // An empty message: not compressed, no bytes.
        frame(DATA, END_STREAM, &[0; 5]),
    ];
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    for frame in frames {
        bytes.extend(frame.to_bytes().unwrap());
    }
    bytes
}

/// A server that has one GPU, on one connection.
fn serve(connection: DuplexStream) -> impl Future<Output = ()> {
    let gpu = Gpu {
        file: PathBuf::from("/dev/nvidia0"),
        is_there: true,
    };
    let (tell, gpus) = watch::channel(BTreeMap::from([("GPU-1".to_owned(), gpu)]));
    let server = DevicePluginServer::new(Plugin { gpus });
    let incoming = stream::once(async { io::Result::Ok(connection) }).chain(stream::pending());
    async move {
        let _alive = tell;
        let serving = Server::builder().serve_with_incoming(server, Box::pin(incoming));
        serving.await.unwrap();
    }
}

/// The first frame of an answer to a request that is of one of these kinds.
async fn first_of(kinds: [u8; 2], kubelet: &mut (impl AsyncRead + Unpin)) -> Frame {
    loop {
        let frame = Frame::read(kubelet).await.unwrap().unwrap();
        if kinds.contains(&frame.kind) {
            return frame;
        }
    }
}

#[tokio::test]
async fn a_path_is_refused_by_the_server_and_taken_at_the_door() {
    let mut running = JoinSet::new();
    let (mut kubelet, direct) = duplex(1 << 14);
    running.spawn(serve(direct));
    kubelet.write_all(&request()).await.unwrap();
    let refused = first_of([RST_STREAM, DATA], &mut kubelet).await;
    assert_eq!(refused.kind, RST_STREAM, "the door is of no use any more");

    let (mut kubelet, at_door) = UnixStream::pair().unwrap();
    let (behind_door, server) = duplex(1 << 14);
    running.spawn(serve(server));
    running.spawn(async { pass(at_door, behind_door).await.unwrap() });
    kubelet.write_all(&request()).await.unwrap();
    let answer = first_of([RST_STREAM, DATA], &mut kubelet).await;
    assert_eq!(answer.kind, DATA);
    let told = String::from_utf8_lossy(&answer.payload).into_owned();
    assert!(told.contains("GPU-1") && told.contains("Healthy"), "{told}");
}

fn read(frame: &Frame) -> Vec<(String, String)> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let headers = Decoder::new().decode(&frame.payload).unwrap();
    let headers = headers.into_iter();
    headers
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

#[test]
fn only_the_authority_is_replaced() {
    let whole = frame(HEADERS, END_HEADERS | END_STREAM, &headers(PATH));
    let mended = Mending::default().mend(whole.clone()).unwrap().unwrap();
    assert_eq!(mended.flags, whole.flags);
    let mut expected = read(&whole);
    for (name, value) in &mut expected {
        if name == ":authority" {
            "localhost".clone_into(value);
        }
    }
    assert_eq!(read(&mended), expected);
}

#[test]
fn padding_and_priority_are_no_headers() {
    let mut payload = vec![3, 0, 0, 0, 0, 7];
    payload.extend(headers("localhost"));
    payload.extend([0; 3]);
    let padded = frame(HEADERS, END_HEADERS | PADDED | PRIORITY, &payload);
    let mended = Mending::default().mend(padded).unwrap().unwrap();
    assert_eq!(mended.flags, END_HEADERS);
    assert!(read(&mended).contains(&("te".to_owned(), "trailers".to_owned())));
}

proptest! {
    #[test]
    fn headers_may_come_in_pieces(cuts in prop::collection::vec(0_usize..120, 0..4)) {
        let block = headers(PATH);
        let mut cuts: Vec<_> = cuts.into_iter().map(|it| it % block.len()).collect();
        cuts.push(0);
        cuts.push(block.len());
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|it| &block[it[0]..it[1]]).collect();
        let mut mending = Mending::default();
        let mut mended = None;
        for (at, piece) in pieces.iter().enumerate() {
            let kind = if at == 0 { HEADERS } else { CONTINUATION };
            let is_last = at + 1 == pieces.len();
            let flags = if is_last { END_HEADERS } else { 0 };
            prop_assert!(mended.is_none());
            mended = mending.mend(frame(kind, flags, piece)).unwrap();
        }
        let whole = Mending::default().mend(frame(HEADERS, END_HEADERS, &block)).unwrap();
        prop_assert_eq!(mended, whole);
    }

    #[test]
    fn nonsense_is_refused_and_breaks_nothing(
        frames in prop::collection::vec((0_u8..12, any::<u8>(), prop::collection::vec(any::<u8>(), 0..64)), 1..5)
    ) {
        let mut mending = Mending::default();
        for (kind, flags, payload) in frames {
            if mending.mend(frame(kind, flags, &payload)).is_err() {
                break;
            }
        }
    }
}

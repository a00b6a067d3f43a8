//! What stands between the kubelet and our server. A kubelet before 1.26 names a socket's
//! path as the `:authority` of its requests (kubernetes/kubernetes#112597); that is no
//! authority, and Rust's HTTP/2 refuses the request (hyperium/h2#487). Here the header is
//! replaced on its way in. What goes back is not looked at.

use std::io;

use loona_hpack::{Decoder, Encoder};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, copy, split},
    net::UnixStream,
};

/// What every connection begins with (RFC 9113, 3.4).
const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
const HEADERS: u8 = 0x1;
const CONTINUATION: u8 = 0x9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
/// Bytes of a stream's priority, in front of the headers.
const PRIORITY_LENGTH: usize = 5;
/// Longest frame that a server takes which has not said otherwise; ours says nothing.
const LONGEST: usize = 1 << 14;
const AUTHORITY: &[u8] = b":authority";

/// Passes everything on between the two until both have ended.
pub(super) async fn pass(kubelet: UnixStream, server: DuplexStream) -> io::Result<()> {
    let (from_kubelet, mut to_kubelet) = kubelet.into_split();
    let (mut from_server, to_server) = split(server);
    let back = async {
        copy(&mut from_server, &mut to_kubelet).await?;
        to_kubelet.shutdown().await
    };
    tokio::try_join!(mend(from_kubelet, to_server), back)?;
    Ok(())
}

async fn mend(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut preface = [0; PREFACE];
    from.read_exact(&mut preface).await?;
    to.write_all(&preface).await?;
    let mut mending = Mending::default();
    while let Some(frame) = Frame::read(&mut from).await? {
        if let Some(frame) = mending.mend(frame)? {
            to.write_all(&frame.to_bytes()?).await?;
        }
    }
    to.shutdown().await
}

/// One frame of HTTP/2 (RFC 9113, 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    kind: u8,
    flags: u8,
    /// As on the wire, with the bit in front that means nothing.
    stream: [u8; 4],
    payload: Vec<u8>,
}

impl Frame {
    /// The next one; none at the end.
    async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut head = [0; 9];
        match from.read_exact(&mut head).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        };
        let [a, b, c, kind, flags, stream @ ..] = head;
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        if length > LONGEST {
            return Err(bad("a frame is too long"));
        }
        let mut payload = vec![0; length];
        from.read_exact(&mut payload).await?;
        Ok(Some(Self {
            kind,
            flags,
            stream,
            payload,
        }))
    }

    fn to_bytes(&self) -> io::Result<Vec<u8>> {
        if self.payload.len() > LONGEST {
            return Err(bad("the headers are too long"));
        }
        let [.., a, b, c] = self.payload.len().to_be_bytes();
        let mut bytes = vec![a, b, c, self.kind, self.flags];
        bytes.extend(self.stream);
        bytes.extend(&self.payload);
        Ok(bytes)
    }

    /// The piece of headers in a HEADERS frame, without what else may be in it.
    fn headers(&self) -> io::Result<&[u8]> {
        let mut piece = self.payload.as_slice();
        if self.flags & PADDED != 0 {
            let (length, rest) = piece.split_first().ok_or_else(|| bad("no padding"))?;
            let end = rest.len().checked_sub(usize::from(*length));
            piece = &rest[..end.ok_or_else(|| bad("padding without end"))?];
        }
        if self.flags & PRIORITY != 0 {
            piece = piece
                .get(PRIORITY_LENGTH..)
                .ok_or_else(|| bad("no priority"))?;
        }
        Ok(piece)
    }
}

/// Headers are written with what both ends remember of earlier ones, so all of them are
/// read and written anew.
#[derive(Default)]
struct Mending {
    decoder: Decoder<'static>,
    encoder: Encoder<'static>,
    /// A HEADERS frame whose last piece is still to come.
    begun: Option<Frame>,
}

impl Mending {
    /// The frame to pass on; none while headers are incomplete.
    fn mend(&mut self, frame: Frame) -> io::Result<Option<Frame>> {
        let mut whole = match (frame.kind, self.begun.take()) {
            (HEADERS, None) => Frame {
                payload: frame.headers()?.to_vec(),
                flags: frame.flags & END_STREAM,
                ..frame
            },
            (CONTINUATION, Some(mut begun)) if begun.stream == frame.stream => {
                begun.payload.extend(&frame.payload);
                begun
            }
            (HEADERS | CONTINUATION, _) | (_, Some(_)) => {
                return Err(bad("headers are out of order"));
            }
            (_, None) => return Ok(Some(frame)),
        };
        if whole.payload.len() > LONGEST {
            return Err(bad("the headers are too long"));
        }
        if frame.flags & END_HEADERS == 0 {
            self.begun = Some(whole);
            return Ok(None);
        }
        whole.payload = self.with_authority(&whole.payload)?;
        whole.flags |= END_HEADERS;
        Ok(Some(whole))
    }

    fn with_authority(&mut self, headers: &[u8]) -> io::Result<Vec<u8>> {
        let mut headers = self
            .decoder
            .decode(headers)
            .map_err(|error| bad(&format!("the headers cannot be read: {error:?}")))?;
        for (name, value) in &mut headers {
            if name == AUTHORITY {
                // What later kubelets say.
                *value = b"localhost".to_vec();
            }
        }
        let headers = headers.iter().map(|(name, value)| (&name[..], &value[..]));
        Ok(self.encoder.encode(headers))
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests;

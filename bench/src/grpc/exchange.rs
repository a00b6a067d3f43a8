//! One call's answer, as HTTP/2 brings it: head, body, trailers.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use h2::{RecvStream, client::ResponseFuture};
use http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode;

use super::framing::unframe;

const STATUS: &str = "grpc-status";
const WORDS: &str = "grpc-message";

/// What a call came back with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// gRPC's code; 0 is success. Of an answer that is none of gRPC's, HTTP's status.
    pub(crate) code: u16,
    /// The server's own words on an error.
    pub(crate) words: String,
    /// The message, where the code is 0.
    pub(crate) message: Bytes,
}

/// Why a call came back with nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The stream or its connection ended.
    Broken(String),
    /// What came is not gRPC.
    Malformed(String),
}

impl From<h2::Error> for Fault {
    fn from(error: h2::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// A call whose request has been sent.
#[derive(Debug)]
pub(crate) struct Exchange {
    stage: Stage,
    body: Body,
    /// All of the body has come.
    ended: bool,
}

#[derive(Debug)]
enum Stage {
    Head(ResponseFuture),
    Body(RecvStream),
}

impl Exchange {
    pub(crate) fn new(response: ResponseFuture) -> Self {
        Self {
            stage: Stage::Head(response),
            body: Body::default(),
            ended: false,
        }
    }

    /// Goes on with what the connection has brought.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reply, Fault>> {
        loop {
            match &mut self.stage {
                Stage::Head(response) => {
                    let (head, body) = ready!(Pin::new(response).poll(cx))?.into_parts();
                    if head.status != StatusCode::OK {
                        return Poll::Ready(Ok(not_grpc(head.status)));
                    }
                    if body.is_end_stream() {
                        return Poll::Ready(self.finish(&head.headers));
                    }
                    self.stage = Stage::Body(body);
                }
                Stage::Body(stream) if !self.ended => {
                    match ready!(stream.poll_data(cx)).transpose()? {
                        Some(part) => {
                            stream.flow_control().release_capacity(part.len())?;
                            self.body.put(part);
                        }
                        None => self.ended = true,
                    }
                }
                Stage::Body(stream) => {
                    let trailers = ready!(stream.poll_trailers(cx))?.unwrap_or_default();
                    return Poll::Ready(self.finish(&trailers));
                }
            }
        }
    }

    fn finish(&mut self, trailers: &HeaderMap) -> Result<Reply, Fault> {
        let status = trailers.get(STATUS).map(http::HeaderValue::as_bytes);
        if status == Some(b"0") {
            let message = unframe(&self.body.take()).map_err(Fault::Malformed)?;
            return Ok(Reply {
                message,
                ..Reply::default()
            });
        }
        let code = status
            .and_then(|it| std::str::from_utf8(it).ok()?.parse().ok())
            .ok_or_else(|| Fault::Malformed("the answer has no `grpc-status`".to_owned()))?;
        let words = trailers.get(WORDS).map(|it| {
            let words = percent_decode(it.as_bytes()).decode_utf8_lossy();
            words.into_owned()
        });
        Ok(Reply {
            code,
            words: words.unwrap_or_default(),
            message: Bytes::new(),
        })
    }
}

fn not_grpc(status: StatusCode) -> Reply {
    Reply {
        code: status.as_u16(),
        words: format!("HTTP {status}: no answer of gRPC"),
        message: Bytes::new(),
    }
}

/// A body's parts; usually there is one, and it is not copied.
#[derive(Debug, Default)]
struct Body {
    first: Bytes,
    all: Option<BytesMut>,
}

impl Body {
    fn put(&mut self, part: Bytes) {
        match &mut self.all {
            Some(all) => all.extend_from_slice(&part),
            None if self.first.is_empty() => self.first = part,
            None => {
                let mut all = BytesMut::from(&self.first[..]);
                all.extend_from_slice(&part);
                self.all = Some(all);
            }
        }
    }

    fn take(&mut self) -> Bytes {
        let first = std::mem::take(&mut self.first);
        self.all.take().map_or(first, BytesMut::freeze)
    }
}

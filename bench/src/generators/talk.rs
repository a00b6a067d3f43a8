//! Messages over streams: a line of JSON each.

use std::io;

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, Lines};

/// What is heard on a stream.
pub(super) struct Hearing<R>(Lines<BufReader<R>>);

impl<R: AsyncRead + Unpin> Hearing<R> {
    pub(super) fn new(stream: R) -> Self {
        Self(BufReader::new(stream).lines())
    }

    /// The next message; none at the stream's end. May be dropped and asked again.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let line = self.0.next_line().await?;
        Ok(line.map(|line| serde_json::from_str(&line)).transpose()?)
    }
}

/// What is said on a stream.
pub(super) struct Saying<W>(W);

impl<W: AsyncWrite + Unpin> Saying<W> {
    pub(super) const fn new(stream: W) -> Self {
        Self(stream)
    }

    pub(super) async fn say<T: Serialize>(&mut self, message: &T) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.0.write_all(&line).await?;
        self.0.flush().await
    }
}

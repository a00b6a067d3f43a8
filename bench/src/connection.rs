//! One keep-alive HTTP/1.1 connection, driven by the task that uses it.

use std::{future::Future, pin::Pin, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, StatusCode,
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use crate::{statistics::FailureClass, target::Address};

/// The connection's own work: reading and writing. Ends when the connection does.
type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// An answer with its status.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// A request that got no whole answer.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) class: FailureClass,
    pub(crate) reason: String,
}

impl Unanswered {
    fn new(class: FailureClass, reason: &impl ToString) -> Self {
        Self {
            class,
            reason: reason.to_string(),
        }
    }
}

/// A connection that is made when first needed and again after it broke.
pub(crate) struct Connection {
    address: Address,
    open: Option<(SendRequest<Full<Bytes>>, Driver)>,
}

impl Connection {
    pub(crate) const fn new(address: Address) -> Self {
        Self {
            address,
            open: None,
        }
    }

    /// Connects where no connection is open.
    pub(crate) async fn ready(&mut self, limit: Duration) -> Result<(), Unanswered> {
        if let Some((sender, _)) = &self.open
            && !sender.is_closed()
        {
            return Ok(());
        }
        self.open = None;
        let opened = timeout(limit, open(&self.address)).await;
        self.open = Some(opened.map_err(|_| {
            Unanswered::new(FailureClass::Connect, &format!("none within {limit:?}"))
        })??);
        Ok(())
    }

    /// Sends one request and reads the whole answer. The connection must be ready.
    pub(crate) async fn post(
        &mut self,
        body: Bytes,
        limit: Duration,
    ) -> Result<Answer, Unanswered> {
        let Some((sender, driver)) = &mut self.open else {
            return Err(Unanswered::new(FailureClass::Connect, &"not connected"));
        };
        let request = Request::post(self.address.path.as_str())
            .header(header::HOST, self.address.authority.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| Unanswered::new(FailureClass::Connect, &error))?;
        let (result, ended) = timeout(limit, exchange(sender, driver, request))
            .await
            .unwrap_or_else(|_| {
                let late = format!("none within {limit:?}");
                (Err(Unanswered::new(FailureClass::TimedOut, &late)), true)
            });
        if ended || result.is_err() {
            // Whatever still arrived on it would be the answer to this request.
            self.open = None;
        }
        result
    }
}

/// Sends a request while driving its connection. Tells whether the connection ended.
async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    driver: &mut Driver,
    request: Request<Full<Bytes>>,
) -> (Result<Answer, Unanswered>, bool) {
    let broken = |error: hyper::Error| Unanswered::new(FailureClass::Broken, &error);
    let answer = async {
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok::<_, hyper::Error>(Answer { status, body })
    };
    tokio::pin!(answer);
    let ended = tokio::select! {
        answer = &mut answer => return (answer.map_err(broken), false),
        ended = driver.as_mut() => ended,
    };
    // The driver has handed over all it read; it must not be polled again.
    let result = match (answer.await, ended) {
        (Ok(answer), _) => Ok(answer),
        (Err(_), Err(cause)) | (Err(cause), Ok(())) => Err(broken(cause)),
    };
    (result, true)
}

async fn open(address: &Address) -> Result<(SendRequest<Full<Bytes>>, Driver), Unanswered> {
    let stream = TcpStream::connect(&address.authority)
        .await
        .map_err(|error| Unanswered::new(FailureClass::Connect, &error))?;
    // A request is one small write; waiting to fill a segment would time the kernel.
    stream
        .set_nodelay(true)
        .map_err(|error| Unanswered::new(FailureClass::Connect, &error))?;
    let (sender, driver) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Unanswered::new(FailureClass::Connect, &error))?;
    Ok((sender, Box::pin(driver)))
}

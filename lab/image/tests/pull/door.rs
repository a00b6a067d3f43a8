//! A door in front of the registry that its test can make narrow, shut, or rude.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

const RUDE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const CHUNK: usize = 16 << 10;

/// A port on loopback that leads to the registry for as long as it lives.
pub(crate) struct Door {
    pub(crate) port: u16,
    _tasks: JoinSet<()>,
}

/// What a door does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// Takes connections and never says a word.
    Mute,
    /// Shuts for good after so many bytes came out of the registry.
    Shuts(i64),
    /// Lets nothing more out after so many bytes, and stays open.
    Jams(i64),
    /// Answers so many requests with 503 itself.
    Rude(u32),
}

#[derive(Clone)]
struct State {
    to: u16,
    manner: Manner,
    bytes_left: Arc<AtomicI64>,
    refusals_left: Arc<AtomicU32>,
    shut: CancellationToken,
}

impl Door {
    pub(crate) async fn open(to: u16, manner: Manner) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let state = State {
            to,
            manner,
            bytes_left: Arc::new(AtomicI64::new(match manner {
                Manner::Shuts(bytes) | Manner::Jams(bytes) => bytes,
                Manner::Mute | Manner::Rude(_) => i64::MAX,
            })),
            refusals_left: Arc::new(AtomicU32::new(match manner {
                Manner::Rude(refusals) => refusals,
                Manner::Mute | Manner::Shuts(_) | Manner::Jams(_) => 0,
            })),
            shut: CancellationToken::new(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(take(listener, state));
        Ok(Self {
            port,
            _tasks: tasks,
        })
    }
}

/// Takes connections; the listener closes with the door.
async fn take(listener: TcpListener, state: State) {
    let mut guests = JoinSet::new();
    let shut = state.shut.clone();
    let taking = async {
        while let Ok((guest, _)) = listener.accept().await {
            guests.spawn(lead(guest, state.clone()));
        }
    };
    shut.run_until_cancelled(taking).await;
}

async fn lead(guest: TcpStream, state: State) {
    if matches!(state.manner, Manner::Mute) {
        state.shut.cancelled().await;
        return;
    }
    let shut = state.shut.clone();
    let led = shut.run_until_cancelled(lead_through(guest, state));
    // A guest that hangs up is no failure of the door.
    let _ = led.await;
}

async fn lead_through(mut guest: TcpStream, state: State) -> io::Result<()> {
    let mut first = vec![0; CHUNK];
    let length = guest.read(&mut first).await?;
    first.truncate(length);
    let refused = first.starts_with(b"GET")
        && state
            .refusals_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .is_ok();
    if refused {
        guest.write_all(RUDE).await?;
        return guest.shutdown().await;
    }
    let mut registry = TcpStream::connect(("127.0.0.1", state.to)).await?;
    registry.write_all(&first).await?;
    let (from_guest, to_guest) = guest.into_split();
    let (from_registry, to_registry) = registry.into_split();
    tokio::try_join!(
        pass(from_guest, to_registry, None),
        pass(from_registry, to_guest, Some(&state)),
    )?;
    Ok(())
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    counted: Option<&State>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = from.read(&mut chunk).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&chunk[..length]).await?;
        if let Some(state) = counted {
            let passed = i64::try_from(length).unwrap_or(i64::MAX);
            let used_up = state.bytes_left.fetch_sub(passed, Ordering::Relaxed) <= passed;
            match state.manner {
                Manner::Shuts(_) if used_up => state.shut.cancel(),
                Manner::Jams(_) if used_up => state.shut.cancelled().await,
                _ => {}
            }
        }
    }
}

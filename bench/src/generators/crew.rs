//! The generators as lab knows them: what each is asked, and what became of it.

use std::{fmt, io, sync::Arc, time::Duration};

use futures::future::{join_all, try_join_all};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Mutex,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    message::{Ask, Nanos, Tell},
    record::Record,
    talk::{Hearing, Saying},
    together::{Board, Lost, Part, window},
};
use crate::{
    error::BenchError,
    load::{Course, Watch},
    measure::Window,
    session::Loader,
    target::Target,
};

/// How long before a window's load begins the generators are told: the slowest of the
/// ways to them takes some hundredths of a second.
const AHEAD: Duration = Duration::from_millis(500);
/// What a generator may be silent beyond what it was asked to take.
const SILENT: Duration = Duration::from_secs(30);
/// How often a clock is asked. The answer that took least says most.
const CLOCK_ASKED: usize = 9;

/// A generator elsewhere, and the way to it. It ends when this is dropped.
pub struct Wire {
    /// Its name.
    pub name: String,
    /// What it is asked on.
    pub input: Box<dyn AsyncWrite + Send + Unpin>,
    /// What it tells on.
    pub output: Box<dyn AsyncRead + Send + Unpin>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// How well the generators' clocks agree, microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clocks {
    /// The difference between the clock that is most ahead and the one most behind.
    pub apart: f64,
    /// How far off each may have been read: half of what question and answer took.
    pub within: f64,
}

/// Generators that make one load together.
pub struct Generators {
    members: Mutex<Vec<Member>>,
    clocks: Clocks,
    cancel: CancellationToken,
}

impl fmt::Debug for Generators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generators")
            .field("clocks", &self.clocks)
            .finish_non_exhaustive()
    }
}

impl Generators {
    /// Has each ask the target every request once, without load, and reads its clock.
    ///
    /// # Errors
    /// With the first generator that cannot, or when the token is cancelled.
    pub async fn open(
        wires: Vec<Wire>,
        target: &Target,
        limit: Duration,
        cancel: &CancellationToken,
    ) -> Result<Self, BenchError> {
        let members = wires
            .into_iter()
            .map(|wire| Member::open(wire, target, limit));
        let members = tokio::select! {
            () = cancel.cancelled() => return Err(BenchError::Cancelled),
            members = try_join_all(members) => members?,
        };
        Ok(Self {
            clocks: clocks(&members),
            members: Mutex::new(members),
            cancel: cancel.clone(),
        })
    }

    /// How well their clocks agree.
    pub const fn clocks(&self) -> Clocks {
        self.clocks
    }
}

impl Loader for Generators {
    /// A generator that is lost voids this window; the next is shared among the others.
    async fn measure(&self, course: &Course, watch: &Arc<Watch>) -> Result<Window, BenchError> {
        let mut members = self.members.lock().await;
        let shares = course.shares(u32::try_from(members.len()).unwrap_or(u32::MAX));
        let board = Board::new(watch, shares.len());
        let begins = Instant::now() + AHEAD;
        let asked = members.iter_mut().zip(shares).enumerate();
        let asked = asked.map(|(place, (member, share))| {
            let board = &board;
            member.measure(share, begins, move |told| board.take(place, told))
        });
        let told = tokio::select! {
            () = self.cancel.cancelled() => return Err(BenchError::Cancelled),
            told = join_all(asked) => told,
        };
        board.close();
        let (mut parts, mut lost) = (Vec::new(), Vec::new());
        for one in told {
            match one {
                Ok(part) => parts.push(part),
                Err(one) => lost.push(one),
            }
        }
        members.retain(|member| lost.iter().all(|one| one.name != member.name));
        window(course, parts, lost)
    }
}

/// A generator, and what is known of it.
struct Member {
    name: String,
    hearing: Hearing<Box<dyn AsyncRead + Send + Unpin>>,
    saying: Saying<Box<dyn AsyncWrite + Send + Unpin>>,
    clock: Clock,
}

/// A clock beside ours, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clock {
    /// How far it is ahead of ours.
    ahead: i64,
    /// How long question and answer took.
    took: i64,
}

impl Member {
    async fn open(wire: Wire, target: &Target, limit: Duration) -> Result<Self, BenchError> {
        let mut member = Self {
            name: wire.name,
            hearing: Hearing::new(wire.output),
            saying: Saying::new(wire.input),
            clock: Clock {
                ahead: 0,
                took: i64::MAX,
            },
        };
        let requests = u32::try_from(target.requests.len()).unwrap_or(u32::MAX);
        let within = limit.saturating_mul(requests).saturating_add(SILENT);
        let ready = timeout(within, member.prepare(target, limit)).await;
        match ready.unwrap_or_else(|_| Err(silent(within))) {
            Ok(()) => Ok(member),
            Err(reason) => Err(BenchError::Generator {
                name: member.name,
                reason,
            }),
        }
    }

    async fn prepare(&mut self, target: &Target, limit: Duration) -> Result<(), String> {
        for _ in 0..CLOCK_ASKED {
            let asked = Nanos::now();
            let Tell::Time(theirs) = self.ask(&Ask::Time).await? else {
                return Err(OUT_OF_STEP.to_owned());
            };
            let clock = Clock::read(asked, theirs, Nanos::now());
            if clock.took < self.clock.took {
                self.clock = clock;
            }
        }
        let prepare = Ask::Prepare {
            target: target.clone(),
            timeout: limit,
        };
        match self.ask(&prepare).await? {
            Tell::Ready => Ok(()),
            Tell::Failed(reason) => Err(reason),
            _ => Err(OUT_OF_STEP.to_owned()),
        }
    }

    /// Has it measure its share of a window.
    async fn measure(
        &mut self,
        share: Course,
        begins: Instant,
        told: impl Fn(&Tell),
    ) -> Result<Part, Lost> {
        let within = AHEAD + share.settle + share.window + share.timeout + SILENT;
        let ahead = i64::try_from((begins - Instant::now()).as_nanos()).unwrap_or(0);
        let ask = Ask::Window {
            course: share.clone(),
            at: Nanos(Nanos::now().0 + ahead + self.clock.ahead),
        };
        let record = timeout(within, self.until_measured(&ask, told)).await;
        match record.unwrap_or_else(|_| Err(silent(within))) {
            Ok(mut record) => {
                record.began = Nanos(record.began.0 - self.clock.ahead);
                Ok(Part {
                    name: self.name.clone(),
                    share,
                    record,
                })
            }
            Err(reason) => Err(Lost {
                name: self.name.clone(),
                reason,
            }),
        }
    }

    async fn until_measured(&mut self, ask: &Ask, told: impl Fn(&Tell)) -> Result<Record, String> {
        let mut answer = self.ask(ask).await?;
        loop {
            match answer {
                Tell::Measured(record) => return Ok(*record),
                Tell::Failed(reason) => return Err(reason),
                Tell::Phase(_) | Tell::Counted { .. } => told(&answer),
                Tell::Time(_) | Tell::Ready => return Err(OUT_OF_STEP.to_owned()),
            }
            answer = self.hear().await?;
        }
    }

    async fn ask(&mut self, ask: &Ask) -> Result<Tell, String> {
        self.saying.say(ask).await.map_err(|error| gone(&error))?;
        self.hear().await
    }

    async fn hear(&mut self) -> Result<Tell, String> {
        let told = self.hearing.next().await.map_err(|error| gone(&error))?;
        told.ok_or_else(|| "it ended".to_owned())
    }
}

const OUT_OF_STEP: &str = "it answers what it was not asked";

fn gone(error: &io::Error) -> String {
    format!("the way to it broke: {error}")
}

fn silent(within: Duration) -> String {
    format!("it did not answer within {} s", within.as_secs())
}

impl Clock {
    /// What an answer says that came while ours went from `asked` to `heard`.
    const fn read(asked: Nanos, theirs: Nanos, heard: Nanos) -> Self {
        Self {
            ahead: theirs.0 - i64::midpoint(asked.0, heard.0),
            took: heard.0 - asked.0,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn clocks(members: &[Member]) -> Clocks {
    let ahead = || members.iter().map(|member| member.clock.ahead);
    let apart = ahead().max().unwrap_or(0) - ahead().min().unwrap_or(0);
    let took = members.iter().map(|member| member.clock.took).max();
    Clocks {
        apart: apart as f64 / 1e3,
        within: took.unwrap_or(0) as f64 / 2e3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_read_in_the_middle_of_question_and_answer() {
        let clock = Clock::read(Nanos(1_000), Nanos(5_100), Nanos(1_200));
        assert_eq!(
            clock,
            Clock {
                ahead: 4_000,
                took: 200
            }
        );
    }
}

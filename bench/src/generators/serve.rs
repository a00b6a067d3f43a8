//! One generator: it does what it is asked, and ends when nobody can ask any more.

use std::{io, pin::pin, sync::Arc, time::Duration};

use lab_model::outcome::reason;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{interval, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    message::{Ask, Nanos, Tell},
    record::Record,
    talk::{Hearing, Saying},
};
use crate::{
    load::{Course, Watch},
    session::Session,
};

/// How often counts are told: rarely, for what carries them takes CPU from the server.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Makes load as it is asked on `input` and tells on `output` what it measured. Ends with
/// `input`, also within a window.
///
/// # Errors
/// When one of the streams breaks, or what is asked cannot be read.
pub async fn serve(
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let (mut hearing, mut saying) = (Hearing::new(input), Saying::new(output));
    let mut session = None;
    while let Some(ask) = hearing.next::<Ask>().await? {
        let told = match (ask, &session) {
            (Ask::Time, _) => Tell::Time(Nanos::now()),
            (Ask::Prepare { target, timeout }, _) => {
                match Session::open(&target, timeout, &CancellationToken::new()).await {
                    Ok(opened) => {
                        session = Some(opened);
                        Tell::Ready
                    }
                    Err(error) => Tell::Failed(reason(&error)),
                }
            }
            (Ask::Window { .. }, None) => Tell::Failed("it was not told what to ask".to_owned()),
            (Ask::Window { course, at }, Some(session)) => tokio::select! {
                told = window(session, &course, at, &mut saying) => told?,
                // Nobody waits for the figures any more, or somebody who is out of step.
                heard = hearing.next::<Ask>() => match heard? {
                    None => return Ok(()),
                    Some(_) => Tell::Failed("it was asked something within a window".to_owned()),
                },
            },
        };
        saying.say(&told).await?;
    }
    Ok(())
}

/// Measures a window, telling how it goes on.
async fn window(
    session: &Session,
    course: &Course,
    at: Nanos,
    saying: &mut Saying<impl AsyncWrite + Unpin>,
) -> io::Result<Tell> {
    let watch = Arc::new(Watch::default());
    let mut phases = watch.phases();
    let mut ticks = interval(TELL_EVERY);
    sleep(at.still_ahead()).await;
    let mut driving = pin!(session.drive(course, &watch));
    let driven = loop {
        tokio::select! {
            driven = &mut driving => break driven,
            Ok(()) = phases.changed() => {
                let phase = *phases.borrow_and_update();
                saying.say(&Tell::Phase(phase)).await?;
            }
            _ = ticks.tick() => {
                let (answers, errors) = watch.counts();
                saying.say(&Tell::Counted { answers, errors }).await?;
            }
        }
    };
    Ok(match (driven, watch.began()) {
        (Ok(driven), Some(began)) => Tell::Measured(Box::new(Record::of(driven, Nanos::of(began)))),
        (Ok(_), None) => Tell::Failed("its window never began".to_owned()),
        (Err(error), _) => Tell::Failed(reason(&error)),
    })
}

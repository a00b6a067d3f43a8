//! What a load's requests go over, and what it tells of them.

use std::io;

use super::poller::EventFlags;
use crate::{judge::Wrong, record::FailureClass};

/// What a place is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing can be sent.
    Closed,
    /// It is being opened.
    Connecting,
    /// A request may be sent.
    Idle,
    /// A request is on its way, or its answer.
    Busy,
}

/// What happened to a place.
#[derive(Debug)]
pub(crate) enum Told {
    /// It was being opened, and now is.
    Opened(usize),
    /// It was being opened, and is not: closed.
    Unopened(usize, io::Error),
    /// The answer has come. The place is idle, or closed where the server wants that.
    Answered {
        place: usize,
        /// Bytes that came for it.
        bytes: u64,
    },
    /// No answer will come: closed.
    Failed {
        place: usize,
        class: FailureClass,
        reason: String,
    },
}

/// Places, each of which carries one request at a time: connections of HTTP/1.1, or
/// streams of HTTP/2.
pub(crate) trait Wire {
    fn state(&self, place: usize) -> State;

    /// Begins to open a closed place; that it is, or is not, will be told.
    fn open(&mut self, place: usize, told: &mut Vec<Told>);

    /// Sends one of the target's requests on an idle place; its end will be told.
    /// Gives the bytes that were written.
    fn send(&mut self, place: usize, request: usize, told: &mut Vec<Told>) -> u64;

    /// Closes a place, with what is on its way. Nothing more is told of it.
    fn close(&mut self, place: usize);

    /// The kernel has an event for a socket.
    fn ready(&mut self, socket: usize, flags: EventFlags, told: &mut Vec<Told>);

    /// Writes what was sent and is still here. Called before the thread sleeps.
    fn flush(&mut self, told: &mut Vec<Told>);

    /// Judges the answer that was told of, before the place is used again.
    fn judge(&self, place: usize) -> Result<(), Wrong>;
}

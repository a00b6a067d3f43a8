//! HTTP/1.1: every place is a connection of its own. A request costs one `write` and
//! one `read`.

use std::io;

use super::{
    connection::{Came, Connection},
    http::Reader,
    poller::{EventFlags, Poller},
    wire::{State, Told, Wire},
};
use crate::{
    judge::{Answer, Status, Wrong, judge},
    prepare::Prepared,
    record::FailureClass,
};

/// What the kernel tells of a socket, each time it changes: a socket whose bytes were
/// read is not looked at again by the next wait, and none is ever watched anew.
const WATCHED: EventFlags = EventFlags::IN
    .union(EventFlags::OUT)
    .union(EventFlags::RDHUP)
    .union(EventFlags::ET);
/// There is something to read, or the end.
const CAME: EventFlags = EventFlags::IN
    .union(EventFlags::RDHUP)
    .union(EventFlags::HUP)
    .union(EventFlags::ERR);

#[derive(Debug)]
pub(crate) struct Connections<'a> {
    prepared: &'a Prepared,
    poller: Poller,
    places: Vec<Connection>,
    reader: Reader,
}

impl<'a> Connections<'a> {
    pub(crate) fn new(prepared: &'a Prepared, poller: &Poller, places: usize) -> Self {
        Self {
            prepared,
            poller: poller.clone(),
            places: (0..places).map(|_| Connection::new()).collect(),
            reader: Reader::default(),
        }
    }

    fn fail(&mut self, place: usize, error: &io::Error, told: &mut Vec<Told>) {
        self.places[place].close();
        told.push(Told::Failed {
            place,
            class: match error.kind() {
                io::ErrorKind::InvalidData => FailureClass::Malformed,
                _ => FailureClass::Broken,
            },
            reason: error.to_string(),
        });
    }

    fn unopened(&mut self, place: usize, error: io::Error, told: &mut Vec<Told>) {
        self.places[place].close();
        told.push(Told::Unopened(place, error));
    }

    fn send_rest(&mut self, place: usize, told: &mut Vec<Told>) {
        let payload = &self.prepared.payloads[self.places[place].request];
        if let Err(error) = self.places[place].go_on(payload) {
            self.unsent(place, &error, told);
        }
    }

    /// The server takes no more of a request: it may have answered what it took, and closed
    /// the connection behind that.
    fn unsent(&mut self, place: usize, error: &io::Error, told: &mut Vec<Told>) {
        match self.places[place].receive(&mut self.reader) {
            Came::Answer(bytes) => answered(place, bytes, told),
            Came::Some | Came::End(_) => self.fail(place, error, told),
        }
    }

    fn receive(&mut self, place: usize, told: &mut Vec<Told>) {
        match self.places[place].receive(&mut self.reader) {
            Came::Some => {}
            Came::Answer(bytes) => answered(place, bytes, told),
            Came::End(error) => self.fail(place, &error, told),
        }
    }
}

fn answered(place: usize, bytes: usize, told: &mut Vec<Told>) {
    let bytes = bytes as u64;
    told.push(Told::Answered { place, bytes });
}

impl Wire for Connections<'_> {
    fn state(&self, place: usize) -> State {
        self.places[place].state
    }

    fn open(&mut self, place: usize, told: &mut Vec<Told>) {
        let opened = self.places[place]
            .open(&self.prepared.peer)
            .and_then(|socket| self.poller.add(socket, place, WATCHED));
        if let Err(error) = opened {
            self.unopened(place, error, told);
        }
    }

    fn send(&mut self, place: usize, request: usize, told: &mut Vec<Told>) -> u64 {
        let payload = &self.prepared.payloads[request];
        self.places[place].request = request;
        if let Err(error) = self.places[place].send(payload) {
            self.unsent(place, &error, told);
        }
        payload.len() as u64
    }

    fn close(&mut self, place: usize) {
        self.places[place].close();
    }

    fn ready(&mut self, place: usize, flags: EventFlags, told: &mut Vec<Told>) {
        match self.places[place].state {
            State::Connecting => match self.places[place].opened() {
                Ok(true) => told.push(Told::Opened(place)),
                Ok(false) => {}
                Err(error) => self.unopened(place, error, told),
            },
            State::Idle if flags.intersects(CAME) => self.places[place].overhear(),
            State::Idle | State::Closed => {}
            State::Busy => {
                if flags.contains(EventFlags::OUT) {
                    self.send_rest(place, told);
                }
                if flags.intersects(CAME) && self.places[place].state == State::Busy {
                    self.receive(place, told);
                    // Closed behind the answer, of which no event would tell again.
                    if flags.contains(EventFlags::RDHUP) && self.places[place].state == State::Idle
                    {
                        self.places[place].close();
                    }
                }
            }
        }
    }

    /// Nothing waits here: `send` writes, and the kernel tells when it can go on.
    fn flush(&mut self, _: &mut Vec<Told>) {}

    fn judge(&self, place: usize) -> Result<(), Wrong> {
        let connection = &self.places[place];
        let (status, body) = connection.answer();
        judge(
            &self.prepared.expect,
            &self.prepared.references[connection.request],
            &Answer {
                status: Status::Http(status),
                body,
            },
        )
    }
}

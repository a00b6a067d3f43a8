//! gRPC: every place is a stream of HTTP/2; some share a connection.
//!
//! What is sent within one turn of the loop is written at its end, in one system call a
//! connection. A call counts as sent when HTTP/2 was given it: its way to the socket, a
//! few microseconds, is in its service time and not in the generator's lag. Calls beyond
//! what a server allows on a connection wait here, which is in their service time, too.

use std::{
    io,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;

use super::{
    channel::{Channel, Went},
    poller::{EventFlags, Poller},
    socket::Traffic,
    wire::{State, Told, Wire},
};
use crate::{
    grpc::{Exchange, Fault, Reply},
    judge::{Answer, Status, Wrong, judge},
    prepare::Prepared,
    record::FailureClass,
};

/// Streams that share a connection.
const SHARE: usize = 64;

/// Places whose stream has something new.
#[derive(Debug, Default)]
struct Woken(Mutex<Vec<usize>>);

impl Woken {
    fn push(&self, place: usize) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.push(place);
    }

    fn pop(&self) -> Option<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

struct Bell {
    place: usize,
    woken: Arc<Woken>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.woken.push(self.place);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.push(self.place);
    }
}

struct Stream {
    state: State,
    /// A handle of its own: a call that waits for its turn holds up no other.
    sender: Option<SendRequest<Bytes>>,
    request: usize,
    exchange: Option<Exchange>,
    /// The call could not be sent yet: the server was leaving the connection.
    waits: bool,
    reply: Reply,
    waker: Waker,
}

/// Streams over as many connections as they need.
pub(crate) struct Streams<'a> {
    prepared: &'a Prepared,
    heads: &'a [Request<()>],
    poller: Poller,
    channels: Vec<Channel>,
    places: Vec<Stream>,
    woken: Arc<Woken>,
    traffic: Rc<Traffic>,
}

impl<'a> Streams<'a> {
    /// `heads`: one for each of the payloads.
    pub(crate) fn new(
        prepared: &'a Prepared,
        heads: &'a [Request<()>],
        poller: &Poller,
        places: usize,
    ) -> Self {
        let woken = Arc::new(Woken::default());
        let traffic = Rc::new(Traffic::default());
        let longest = prepared.payloads.iter().map(Bytes::len).max().unwrap_or(0);
        let stream = |place| Stream {
            state: State::Closed,
            sender: None,
            request: 0,
            exchange: None,
            waits: false,
            reply: Reply::default(),
            waker: Waker::from(Arc::new(Bell {
                place,
                woken: Arc::clone(&woken),
            })),
        };
        Self {
            prepared,
            heads,
            poller: poller.clone(),
            channels: (0..places.div_ceil(SHARE))
                .map(|number| Channel::new(number, &prepared.peer, longest, Rc::clone(&traffic)))
                .collect(),
            places: (0..places).map(stream).collect(),
            woken,
            traffic,
        }
    }

    /// The places of a channel.
    fn of(&self, channel: usize) -> std::ops::Range<usize> {
        channel * SHARE..((channel + 1) * SHARE).min(self.places.len())
    }

    /// Reads and writes on a channel, and tells what that brought.
    fn went(&mut self, channel: usize, went: Went, told: &mut Vec<Told>) {
        match went {
            Went::On => {}
            Went::Opened => self.opened(channel, told),
            Went::Unopened(error) => self.unopened(channel, &error, told),
            Went::Ended => {
                self.take_answers(told);
                self.ended(channel, told);
            }
        }
        self.take_answers(told);
    }

    fn opened(&mut self, channel: usize, told: &mut Vec<Told>) {
        for place in self.of(channel) {
            let stream = &mut self.places[place];
            stream.sender = self.channels[channel].sender().cloned();
            if stream.state == State::Connecting {
                stream.state = State::Idle;
                told.push(Told::Opened(place));
            } else if stream.waits {
                stream.waits = false;
                self.call(place, told);
            }
        }
    }

    fn unopened(&mut self, channel: usize, error: &io::Error, told: &mut Vec<Told>) {
        for place in self.of(channel) {
            let stream = &mut self.places[place];
            stream.sender = None;
            let state = stream.close();
            if state == State::Connecting {
                let error = io::Error::new(error.kind(), error.to_string());
                told.push(Told::Unopened(place, error));
            } else if state == State::Busy {
                told.push(Told::Failed {
                    place,
                    class: FailureClass::Connect,
                    reason: error.to_string(),
                });
            }
        }
    }

    /// A channel is closed; what waits for it has it opened again.
    fn ended(&mut self, channel: usize, told: &mut Vec<Told>) {
        let mut wanted = false;
        for place in self.of(channel) {
            let stream = &mut self.places[place];
            stream.sender = None;
            match stream.state {
                State::Connecting => wanted = true,
                State::Busy if stream.waits => wanted = true,
                // Its exchange says why, where it has not yet.
                State::Busy => self.woken.push(place),
                State::Idle => stream.state = State::Closed,
                State::Closed => {}
            }
        }
        if wanted {
            self.open_channel(channel, told);
        }
    }

    fn open_channel(&mut self, channel: usize, told: &mut Vec<Told>) {
        let opened = self.channels[channel].open(&self.prepared.peer, &self.poller);
        if let Err(error) = opened {
            self.unopened(channel, &error, told);
        }
    }

    /// Goes on with every call that something has come for.
    fn take_answers(&mut self, told: &mut Vec<Told>) {
        while let Some(place) = self.woken.pop() {
            self.take_answer(place, told);
        }
    }

    fn take_answer(&mut self, place: usize, told: &mut Vec<Told>) {
        let stream = &mut self.places[place];
        let Some(exchange) = &mut stream.exchange else {
            return;
        };
        match exchange.poll(&mut Context::from_waker(&stream.waker)) {
            Poll::Pending => {}
            Poll::Ready(Ok(reply)) => {
                stream.reply = reply;
                stream.exchange = None;
                stream.state = if stream.sender.is_some() {
                    State::Idle
                } else {
                    State::Closed
                };
                let bytes = self.traffic.read.take();
                told.push(Told::Answered { place, bytes });
            }
            Poll::Ready(Err(fault)) => {
                stream.close();
                let (class, reason) = match fault {
                    Fault::Broken(reason) => (FailureClass::Broken, reason),
                    Fault::Malformed(reason) => (FailureClass::Malformed, reason),
                };
                told.push(Told::Failed {
                    place,
                    class,
                    reason,
                });
            }
        }
    }

    /// Hands a place's call to HTTP/2.
    fn call(&mut self, place: usize, told: &mut Vec<Told>) {
        let stream = &mut self.places[place];
        let head = self.heads[stream.request].clone();
        let body = self.prepared.payloads[stream.request].clone();
        let called = match &mut stream.sender {
            Some(sender) => sender
                .send_request(head, false)
                .and_then(|(response, mut sent)| {
                    sent.send_data(body, true)?;
                    Ok(response)
                }),
            None => Err(h2::Reason::INTERNAL_ERROR.into()),
        };
        match called {
            Ok(response) => {
                stream.exchange = Some(Exchange::new(response));
                self.take_answer(place, told);
            }
            // Nothing of it was sent: it is on the next connection.
            Err(error) if error.is_go_away() && error.is_remote() => {
                stream.waits = true;
                self.channels[place / SHARE].leave();
            }
            Err(error) => {
                stream.close();
                told.push(Told::Failed {
                    place,
                    class: FailureClass::Broken,
                    reason: error.to_string(),
                });
            }
        }
    }
}

impl Stream {
    /// Gives the call up. Gives what the stream was about.
    fn close(&mut self) -> State {
        self.exchange = None;
        self.waits = false;
        std::mem::replace(&mut self.state, State::Closed)
    }
}

impl Wire for Streams<'_> {
    fn state(&self, place: usize) -> State {
        self.places[place].state
    }

    fn open(&mut self, place: usize, told: &mut Vec<Told>) {
        let channel = place / SHARE;
        if let Some(sender) = self.channels[channel].sender() {
            self.places[place].sender = Some(sender.clone());
            self.places[place].state = State::Idle;
            told.push(Told::Opened(place));
            return;
        }
        self.places[place].state = State::Connecting;
        if self.channels[channel].is_closed() {
            self.open_channel(channel, told);
        }
    }

    fn send(&mut self, place: usize, request: usize, told: &mut Vec<Told>) -> u64 {
        let stream = &mut self.places[place];
        stream.request = request;
        stream.state = State::Busy;
        self.call(place, told);
        // What was written since the last one: this one will be at the turn's end.
        self.traffic.written.take()
    }

    fn close(&mut self, place: usize) {
        self.places[place].close();
    }

    fn ready(&mut self, channel: usize, flags: EventFlags, told: &mut Vec<Told>) {
        let went = self.channels[channel].ready(flags, &self.poller);
        self.went(channel, went, told);
    }

    fn flush(&mut self, told: &mut Vec<Told>) {
        for channel in 0..self.channels.len() {
            if self.channels[channel].is_awake() {
                let went = self.channels[channel].advance(&self.poller);
                self.went(channel, went, told);
            }
        }
    }

    fn judge(&self, place: usize) -> Result<(), Wrong> {
        let stream = &self.places[place];
        let answer = Answer {
            status: Status::Grpc(stream.reply.code, &stream.reply.words),
            body: &stream.reply.message,
        };
        let reference = &self.prepared.references[stream.request];
        judge(&self.prepared.expect, reference, &answer)
    }
}

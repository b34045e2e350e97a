//! The socket of one session: the only file that knows `actix-web-actors`. It carries frames in and out, reads
//! the pages that the session asks for, and ends the session when its peer is silent.

use super::frames::Frames;
use super::session::{Goodbye, Known, Reading, Session, Step};
use crate::actors::context::Context as Caller;
use crate::actors::erasing::Names;
use crate::actors::event_hub::{self, Deliver, Subscribe, SubscriberId, Unsubscribe};
use crate::domain::live::Event;
use crate::domain::{
    Emitted, Epoch, FieldError, Page, PageRequest, PageSize, Position, Seq, WorkspaceId,
};
use crate::http::app::{App, Place};
use crate::http::connection::SocketEnd;
use crate::storage::Stretch;
use actix::prelude::*;
use actix_http::ws::Item;
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws;
use bytestring::ByteString;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

/// The largest message of a client.
const FRAME_BYTES: usize = 64 * 1024;
/// Messages that may wait for a session. One that falls behind by more goes back to reading pages.
const MAILBOX: usize = 16;
/// Bytes handed on before it is seen whether the socket takes them: what a session keeps in its buffers.
const TURN_BYTES: usize = 4 * 1024;
/// Steps that may wait for their turn before what is recorded is passed over.
const WAITING: usize = 64;
/// Entries of one page of a replay.
const REPLAY_PAGE: usize = 200;
/// Messages of a client in one second; more is no client.
const MOST_A_SECOND: u32 = 100;

pub struct Socket {
    session: Session,
    app: web::Data<App>,
    epoch: Epoch,
    newest_seq: Option<Seq>,
    /// Where the book stood when that was read.
    upto: Seq,
    end: SocketEnd,
    id: Option<SubscriberId>,
    heard_at: Instant,
    /// What came of a message in parts.
    parts: Vec<u8>,
    window: (Instant, u32),
    /// What the socket has had no turn for yet.
    waiting: VecDeque<Step>,
    turn_is_planned: bool,
    blanks: watch::Receiver<Names>,
    blanked: Names,
    /// What is recorded at its end, of somebody in particular.
    by: Option<Caller>,
    _places: (Place, Option<Place>),
}

pub fn start(
    socket: Socket,
    request: &HttpRequest,
    stream: web::Payload,
) -> Result<HttpResponse, actix_web::Error> {
    let frames = Frames::of_at_most(FRAME_BYTES, stream);
    ws::WsResponseBuilder::new(socket, request, frames)
        .frame_size(FRAME_BYTES)
        .start()
}

type Ctx = ws::WebsocketContext<Socket>;

impl Socket {
    pub fn new(
        session: Session,
        app: web::Data<App>,
        page: Page,
        end: SocketEnd,
        places: (Place, Option<Place>),
    ) -> Self {
        let now = Instant::now();
        let mut blanks = app.writer.blanks();
        let blanked = Arc::clone(&blanks.borrow_and_update());
        Self {
            blanks,
            blanked,
            session,
            app,
            epoch: page.epoch,
            newest_seq: page.newest_seq,
            upto: page.upto,
            end,
            id: None,
            heard_at: now,
            parts: Vec::new(),
            window: (now, 0),
            waiting: VecDeque::new(),
            turn_is_planned: false,
            by: Caller::current().filter(|caller| caller.principal.is_named()),
            _places: places,
        }
    }

    fn hello(&self) -> Event {
        Event::Hello {
            version: env!("CARGO_PKG_VERSION"),
            epoch: self.epoch.clone(),
            server_time: self.app.now(),
            newest_seq: self.newest_seq,
        }
    }

    fn take(&mut self, steps: Vec<Step>, ctx: &mut Ctx) {
        if self.waiting.is_empty() {
            self.waiting = steps.into();
        } else {
            self.waiting.extend(steps);
        }
        if !self.turn_is_planned {
            self.turn(ctx);
        }
    }

    /// Hands on a little of what waits. A context is only served while its socket takes what it is handed, so
    /// the rest waits here, shared with all other sessions, and not in buffers of its own.
    fn turn(&mut self, ctx: &mut Ctx) {
        let mut handed = 0;
        while handed < TURN_BYTES {
            let Some(step) = self.next_step() else {
                self.waiting = VecDeque::new();
                return;
            };
            match step {
                Step::Send(frame) => {
                    let Some(frame) = self.as_it_may_be_sent(frame) else {
                        continue;
                    };
                    handed += frame.len();
                    ctx.text(frame);
                }
                Step::Read(reading) => self.read(*reading, ctx),
                Step::Close(goodbye) => {
                    self.waiting = VecDeque::new();
                    return say(ctx, goodbye);
                }
            }
        }
        self.turn_is_planned = true;
        let next = tokio::task::yield_now().into_actor(self);
        next.map(|(), socket, ctx| {
            socket.turn_is_planned = false;
            socket.turn(ctx);
        })
        .spawn(ctx);
    }

    /// Whatever waited may have been made before somebody was erased.
    fn as_it_may_be_sent(&mut self, frame: ByteString) -> Option<ByteString> {
        if self.blanks.has_changed().unwrap_or(false) {
            self.blanked = Arc::clone(&self.blanks.borrow_and_update());
        }
        match self.blanked.is_empty() {
            true => Some(frame),
            false => event_hub::blanked(frame, &self.blanked),
        }
    }

    fn next_step(&mut self) -> Option<Step> {
        if self.waiting.is_empty() {
            self.waiting.extend(self.session.caught_up());
        }
        self.waiting.pop_front()
    }

    fn read(&mut self, reading: Reading, ctx: &mut Ctx) {
        let reader = Arc::clone(&self.app.reader);
        let ticket = reading.ticket;
        let page = web::block(move || -> Option<Page> {
            let page = PageRequest {
                position: Position::After(reading.after),
                size: PageSize::new(REPLAY_PAGE).ok()?,
            };
            reader
                .page(&reading.scope, &reading.filter, page, Stretch::default())
                .inspect_err(|error| log::warn!("a replay could not be read: {error}"))
                .ok()
        });
        page.into_actor(self)
            .map(move |page, socket, ctx| {
                let page = page.ok().flatten();
                let steps = socket.session.page_read(ticket, page.as_ref());
                socket.take(steps, ctx);
            })
            .spawn(ctx);
    }

    fn asked(&mut self, text: &str, ctx: &mut Ctx) {
        let steps = self.session.asked(text, self.app.now(), &self.app.rules);
        self.take(steps, ctx);
    }

    /// A client that says more than anybody needs to is no client.
    fn is_flooding(&mut self) -> bool {
        let now = Instant::now();
        if now.duration_since(self.window.0).as_secs() >= 1 {
            self.window = (now, 0);
        }
        self.window.1 += 1;
        self.window.1 > MOST_A_SECOND
    }

    fn part(&mut self, item: Item, ctx: &mut Ctx) {
        let (bytes, is_last) = match item {
            Item::FirstText(bytes) => {
                self.parts.clear();
                (bytes, false)
            }
            Item::Continue(bytes) => (bytes, false),
            Item::Last(bytes) => (bytes, true),
            Item::FirstBinary(_) => return end(ctx, ws::CloseCode::Unsupported, "text only"),
        };
        if self.parts.len() + bytes.len() > FRAME_BYTES {
            return end(ctx, ws::CloseCode::Size, "the message is too large");
        }
        self.parts.extend_from_slice(&bytes);
        if is_last {
            match String::from_utf8(std::mem::take(&mut self.parts)) {
                Ok(text) => self.asked(&text, ctx),
                Err(_) => end(ctx, ws::CloseCode::Invalid, "the message is not UTF-8"),
            }
        }
    }

    /// As well as can be: nobody's session waits for it.
    fn note(&self, emitted: Emitted, did: &str) {
        if let Some(by) = &self.by {
            let own = emitted.says(format!("{} {did}", by.principal.label()));
            let own = own.within(WorkspaceId::default_workspace());
            self.app.recorder.record_event(own, Some(by));
        }
    }

    fn look_after_the_peer(&mut self, ctx: &mut Ctx) {
        if self.heard_at.elapsed() > self.app.settings.live.idle_timeout.get() {
            end(ctx, ws::CloseCode::Policy, "no answer to a ping");
        } else {
            ctx.ping(b"");
        }
    }
}

fn say(ctx: &mut Ctx, goodbye: Goodbye) {
    match goodbye {
        Goodbye::Stopping => end(ctx, ws::CloseCode::Away, "the server is shutting down"),
        Goodbye::AnotherBook => end(ctx, ws::CloseCode::Restart, "the book is another one now"),
    }
}

fn end(ctx: &mut Ctx, code: ws::CloseCode, why: &str) {
    ctx.close(Some(ws::CloseReason {
        code,
        description: Some(why.to_owned()),
    }));
    ctx.stop();
}

impl Actor for Socket {
    type Context = Ctx;

    fn started(&mut self, ctx: &mut Ctx) {
        ctx.set_mailbox_capacity(MAILBOX);
        let subscribe = Subscribe {
            deliver: ctx.address().recipient(),
            socket: Arc::new(self.end.clone()),
        };
        self.app
            .hub
            .send(subscribe)
            .into_actor(self)
            .map(|id, socket, ctx| match id {
                Ok(id) => socket.id = Some(id),
                Err(_) => ctx.stop(),
            })
            .spawn(ctx);
        let principal = self.session.principal().clone();
        let clock = Arc::clone(&self.app.clock);
        let keys = self.app.keys.clone();
        // Whoever was let in stays as long as he would be let in.
        keys.until_over(principal, move || clock())
            .into_actor(self)
            .map(|(), _, ctx| {
                end(
                    ctx,
                    ws::CloseCode::Policy,
                    "neither the key nor the sign-in is in force any more",
                )
            })
            .spawn(ctx);
        self.note(Emitted::AuthWsConnected, "began to follow live");
        let every = self.app.settings.live.ping_interval.get();
        ctx.run_interval(every, Self::look_after_the_peer);
    }

    fn stopped(&mut self, _: &mut Ctx) {
        self.note(Emitted::AuthWsDisconnected, "ended to follow live");
        if let Some(id) = self.id {
            // When its mailbox is full, the hub finds this session closed at its next send.
            let _ = self.app.hub.try_send(Unsubscribe(id));
        }
    }
}

impl Handler<Deliver> for Socket {
    type Result = ();

    fn handle(&mut self, message: Deliver, ctx: &mut Ctx) {
        let steps = match message {
            Deliver::Welcome { last_seq, epoch } => {
                let known = Known { last_seq, epoch };
                let hello = self.hello();
                let (now, rules) = (self.app.now(), &self.app.rules);
                self.session.welcomed(known, self.upto, hello, now, rules)
            }
            Deliver::Recorded(batch) if self.waiting.len() >= WAITING => {
                self.session.passed_over(&batch);
                Vec::new()
            }
            Deliver::Recorded(batch) => self.session.recorded(&batch),
            Deliver::Nudge { last_seq } => self.session.nudged(last_seq),
            Deliver::Published { frame, workspace } => {
                self.session.published(&frame, workspace.as_ref())
            }
            Deliver::Stop => self.session.stopping(),
        };
        self.take(steps, ctx);
    }
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for Socket {
    fn handle(&mut self, message: Result<ws::Message, ws::ProtocolError>, ctx: &mut Ctx) {
        self.heard_at = Instant::now();
        if self.is_flooding() {
            return end(ctx, ws::CloseCode::Policy, "too many messages");
        }
        match message {
            Ok(ws::Message::Text(text)) => self.asked(&text, ctx),
            Ok(ws::Message::Continuation(item)) => self.part(item, ctx),
            Ok(ws::Message::Ping(bytes)) => ctx.pong(&bytes),
            Ok(ws::Message::Pong(_) | ws::Message::Nop) => {}
            Ok(ws::Message::Binary(_)) => {
                let error = FieldError::new("message", "must be a text frame");
                let steps = self.session.misspoken(error);
                self.take(steps, ctx);
            }
            Ok(ws::Message::Close(reason)) => {
                ctx.close(reason);
                ctx.stop();
            }
            Err(ws::ProtocolError::Overflow) => {
                end(ctx, ws::CloseCode::Size, "the message is too large");
            }
            Err(_) => end(ctx, ws::CloseCode::Protocol, "not the WebSocket protocol"),
        }
    }
}

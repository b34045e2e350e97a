//! How what became of devices gets into the book: one commit after the other, each change with its entry, and what
//! follows live after that.

use super::{Discovery, NotDone};
use crate::actors::Refusal;
use crate::actors::context::Context as Caller;
use crate::actors::event_hub::Publish;
use crate::domain::device::{Change, Tracked};
use crate::domain::{DeviceId, WorkspaceId};
use crate::storage::Request;
use actix::prelude::*;
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// Changes that one commit holds when they wait.
const TOGETHER: usize = 64;
/// Changes that may wait. What is more is kept without its entry.
const MOST_WAITING: usize = 5_000;

/// What is to be committed as one.
pub struct Outgoing {
    pub changes: Vec<Change>,
    pub asked: Option<Asked>,
}

/// Somebody asked for it, and is answered.
pub struct Asked {
    pub by: Option<Caller>,
    pub answer: oneshot::Sender<Result<(), NotDone>>,
    /// As it was before.
    pub before: (DeviceId, Option<Tracked>),
}

#[derive(Default)]
pub struct Outbox {
    waiting: VecDeque<Outgoing>,
    is_sending: bool,
}

impl Outbox {
    /// All that waits, as one request, for the last commit of a life.
    pub fn drain(&mut self) -> Vec<Outgoing> {
        self.waiting.drain(..).collect()
    }
}

impl Discovery {
    /// What came of itself.
    pub fn put(&mut self, changes: Vec<Change>, ctx: &mut Context<Self>) {
        for change in changes {
            if self.outbox.waiting.len() >= MOST_WAITING {
                self.parts.recorder.lost("too much happens to devices");
                self.not_kept(&change);
                continue;
            }
            self.outbox.waiting.push_back(Outgoing {
                changes: vec![change],
                asked: None,
            });
        }
        self.send_next(ctx);
    }

    /// What somebody asked for; it stands alone, so that it alone fails.
    pub fn put_asked(&mut self, changes: Vec<Change>, asked: Asked, ctx: &mut Context<Self>) {
        self.outbox.waiting.push_back(Outgoing {
            changes,
            asked: Some(asked),
        });
        self.send_next(ctx);
    }

    fn send_next(&mut self, ctx: &mut Context<Self>) {
        if self.outbox.is_sending {
            return;
        }
        let Some(first) = self.outbox.waiting.pop_front() else {
            return;
        };
        let mut group = vec![first];
        while group.len() < TOGETHER
            && group[0].asked.is_none()
            && self
                .outbox
                .waiting
                .front()
                .is_some_and(|one| one.asked.is_none())
        {
            group.extend(self.outbox.waiting.pop_front());
        }
        self.outbox.is_sending = true;
        let request = self.request(&group);
        let writer = self.parts.writer.clone();
        let committed = async move { writer.commit(request).await };
        ctx.spawn(committed.into_actor(self).map(move |done, own, ctx| {
            own.outbox.is_sending = false;
            own.sent(group, done.map(drop));
            own.send_next(ctx);
        }));
    }

    pub fn request(&self, group: &[Outgoing]) -> Request {
        let recorder = &self.parts.recorder;
        let mut request = Request::default();
        for one in group {
            let by = one.asked.as_ref().and_then(|asked| asked.by.as_ref());
            for change in &one.changes {
                request.acts.extend(change.acts());
                let entry = change.own().map(|own| recorder.own_entry(own, by));
                // An act that somebody asked for is recorded in any case; what comes of itself, while it is on.
                let taken = |entry: &_| one.asked.is_some() || recorder.takes(entry);
                request.entries.extend(entry.filter(taken));
            }
        }
        request
    }

    fn sent(&mut self, group: Vec<Outgoing>, done: Result<(), Refusal>) {
        for one in group {
            match (&done, one.asked) {
                (Ok(()), asked) => {
                    one.changes.iter().for_each(|change| self.tell(change));
                    // Whoever asked may have gone.
                    let _ = asked.map(|asked| asked.answer.send(Ok(())));
                }
                (Err(refusal), Some(asked)) => {
                    let (id, before) = asked.before;
                    self.registry.put_back(&id, before);
                    let _ = asked.answer.send(Err(refusal.clone().into()));
                }
                (Err(refusal), None) => {
                    for change in &one.changes {
                        if change.own().is_some() {
                            self.parts.recorder.lost(&refusal.to_string());
                        }
                        self.not_kept(change);
                    }
                }
            }
        }
    }

    fn not_kept(&mut self, change: &Change) {
        for device in &change.devices {
            self.registry.was_not_kept(&device.id);
        }
    }

    fn tell(&self, change: &Change) {
        for event in change.events() {
            let workspace = Some(WorkspaceId::default_workspace());
            // A hub that is full has sessions that look again by themselves.
            let _ = self.parts.hub.try_send(Publish { event, workspace });
        }
    }
}

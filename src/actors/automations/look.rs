//! How the book is gone through: entry by entry in the order of their numbers, as the hub hands them on while that is
//! without a gap, and from the book otherwise.

use super::desk::Desk;
use crate::access::Scope;
use crate::actors::Refusal;
use crate::domain::automation::{Came, Delivery, is_own};
use crate::domain::{Emitted, Entry, Filter, Page, PageRequest, PageSize, Position, Seq, limits};
use crate::storage::{EntryReader, StorageError, Stretch};

/// So far the position may be ahead of what the book says; after a crash this much is read again.
const UNNOTED: Seq = 5_000;
/// Activations in one commit.
const ACTIVATIONS: usize = 100;

/// What one step came to.
#[derive(Default)]
struct Step {
    made: Vec<Delivery>,
    /// An erasure may have taken rules away.
    rules_changed: bool,
}

impl Step {
    fn is_full(&self) -> bool {
        self.made.len() >= ACTIVATIONS
    }
}

impl Desk {
    /// One step through the book; whether there is more.
    pub async fn look(&mut self) -> Result<bool, Refusal> {
        self.save().await?;
        self.give_up_expired().await;
        if !self.is_recalled {
            self.begin().await?;
        }
        let has_rules = self.held.values().any(|held| held.rule.enabled);
        self.news.feed.want(has_rules);
        if !has_rules {
            return self.look_without_rules().await;
        }
        let mut step = Step::default();
        self.take_fed(&mut step);
        let mut more = step.is_full();
        if !more && self.position < self.news.newest() {
            more = self.read(&mut step).await?;
        }
        if !step.made.is_empty() || self.position - self.noted >= UNNOTED {
            self.decide(step.made);
            self.save().await?;
        }
        if step.rules_changed {
            self.read_again().await?;
        }
        Ok(more || self.ahead.is_some())
    }

    /// As far as it is without a gap.
    fn take_fed(&mut self, step: &mut Step) {
        while !step.is_full() {
            let Some(group) = self.ahead.take().or_else(|| self.news.feed.take()) else {
                return;
            };
            if group.last_seq <= self.position {
                continue;
            }
            if group.first_seq > self.position + 1 {
                self.ahead = Some(group);
                return;
            }
            let after = self.position;
            for (seq, entry) in group.entries.iter().filter(|(seq, _)| *seq > after) {
                self.judge(*seq, entry, step);
                if step.is_full() {
                    break;
                }
            }
            match step.is_full() {
                true => self.ahead = Some(group),
                false => self.position = group.last_seq,
            }
        }
    }

    /// The next page of the book; whether there is another.
    async fn read(&mut self, step: &mut Step) -> Result<bool, Refusal> {
        let after = self.position;
        let page = self
            .reading(move |reader| page_after(reader, after))
            .await?;
        if page.epoch != self.epoch {
            step.rules_changed = true;
            return Ok(true);
        }
        for stored in &page.items {
            self.judge(stored.seq, &stored.entry, step);
            if step.is_full() {
                return Ok(true);
            }
        }
        self.position = page.next_after_seq.unwrap_or(page.upto);
        Ok(page.next_after_seq.is_some())
    }

    /// Nothing can be set off; but an erasure may have taken a rule away.
    async fn look_without_rules(&mut self) -> Result<bool, Refusal> {
        self.ahead = None;
        while self.news.feed.take().is_some() {}
        self.position = self.position.max(self.news.newest());
        if self.held.is_empty() {
            return Ok(false);
        }
        let kept = self.reading(|reader| reader.automations()).await?;
        let held = self.held.values().filter(|held| held.file.is_none());
        if held.count() > kept.rules.len() {
            self.read_again().await?;
        }
        Ok(false)
    }

    /// What an entry sets off; up to it the book was looked at then.
    fn judge(&mut self, seq: Seq, entry: &Entry, step: &mut Step) {
        self.position = seq;
        if is_own(entry.action.as_str()) {
            return;
        }
        step.rules_changed |= entry.action.as_str() == Emitted::ActivityLogErased.action();
        let about = self.held.values_mut().filter(|held| held.is_about(entry));
        for held in about {
            let Came::Activated { seqs, count } = held.gate.on(seq, entry) else {
                continue;
            };
            let now = (self.parts.clock)();
            step.made.push(Delivery {
                id: format!("dl_{}", uuid::Uuid::now_v7().simple()),
                rule: held.rule.name.clone(),
                made: now,
                seqs,
                count,
                attempts: 0,
                next: now,
            });
        }
    }
}

pub(super) fn page_after(reader: &dyn EntryReader, after: Seq) -> Result<Page, StorageError> {
    let page = PageRequest {
        position: Position::After(after),
        size: PageSize::new(limits::PAGE_MAX).unwrap_or_default(),
    };
    let scope = Scope::for_the_daemon();
    reader.page(&scope, &Filter::default(), page, Stretch::default())
}

//! What the desk does first: it notes where rules begin, gives up what has no rule any more, and counts again what
//! was counted before a restart.

use super::desk::{Desk, put_standing};
use super::held::micros;
use super::look::page_after;
use super::telling::failed;
use crate::access::Scope;
use crate::actors::Refusal;
use crate::config::DeclaredRule;
use crate::domain::automation::{Gate, is_own};
use crate::domain::{Act, Filter, PageRequest, PageSize, Position, Seq, Stored, Timestamp, limits};
use crate::storage::{EntryReader, Request, StorageError, Stretch};
use std::collections::{BTreeMap, BTreeSet};

/// Matches that are looked for to fill the windows again.
const RECALLED: usize = 50_000;

impl Desk {
    /// Notes where new rules begin, gives up what has no rule any more, and fills the windows again.
    pub(super) async fn begin(&mut self) -> Result<(), Refusal> {
        let kept = self.reading(|reader| reader.automations()).await?;
        let mut request = Request::default();
        // One that is not in force, since something is wrong with it, is not gone.
        let made = kept.rules.iter().map(|(name, _)| name.as_str());
        let declared = self.declared.iter().map(DeclaredRule::name);
        let known: BTreeSet<&str> = made.chain(declared).collect();
        for delivery in &kept.deliveries {
            if !known.contains(delivery.rule.as_str()) {
                let id = delivery.id.clone();
                request.acts.push(Act::RemoveDelivery { id });
                request
                    .entries
                    .push(self.own_entry(failed(delivery, "removed", None)));
            }
        }
        let standings: BTreeMap<_, _> = kept.standings.into_iter().collect();
        let gone = standings
            .keys()
            .filter(|name| !known.contains(name.as_str()));
        request
            .acts
            .extend(gone.map(|name| Act::RemoveRule { name: name.clone() }));
        for (name, held) in &self.held {
            let act = put_standing(held);
            if !matches!(&act, Act::PutStanding { standing, .. } if standings.get(name) == Some(standing))
            {
                request.acts.push(act);
            }
        }
        if kept.position.is_none() && !self.held.is_empty() {
            request.acts.push(Act::ReadUpTo { seq: self.position });
            self.noted = self.position;
        }
        if !request.acts.is_empty() {
            self.parts.writer.commit(request).await?;
        }
        let names: Vec<String> = self.held.keys().cloned().collect();
        for name in names {
            self.recall(&name).await?;
        }
        self.is_recalled = true;
        Ok(())
    }

    /// What was counted before the restart, of one rule.
    pub(super) async fn recall(&mut self, name: &str) -> Result<(), Refusal> {
        let upto = self.position;
        let Some(held) = self.held.get(name).filter(|held| held.rule.enabled) else {
            return Ok(());
        };
        let Some(within) = held.gate.within() else {
            return Ok(());
        };
        let (filter, workspace) = (held.filter().clone(), held.rule.workspace.clone());
        let begin = held.gate.standing.begin;
        let next = self.reading(move |reader| page_after(reader, upto)).await?;
        let next = next.items.first().map(|stored| stored.entry.ts);
        let from = next.unwrap_or_else(|| (self.parts.clock)());
        let since = from.minus_micros(micros(within));
        let found = self
            .reading(move |reader| {
                let all = Scope::for_the_daemon();
                let scope = match &workspace {
                    None => Some(all),
                    Some(name) => all.narrowed_to(name),
                };
                let Some(scope) = scope else {
                    return Ok(Vec::new());
                };
                before(reader, &scope, &filter, (begin, upto), since)
            })
            .await?;
        if let Some(held) = self.held.get_mut(name) {
            held.gate = Gate::new(&held.rule, held.gate.standing.clone());
            let counted = found
                .iter()
                .rev()
                .filter(|one| !is_own(one.entry.action.as_str()));
            counted.for_each(|Stored { seq, entry }| held.gate.recall(*seq, entry));
        }
        Ok(())
    }
}

/// The matches since a time, the newest first.
fn before(
    reader: &dyn EntryReader,
    scope: &Scope,
    filter: &Filter,
    (begin, upto): (Seq, Seq),
    since: Timestamp,
) -> Result<Vec<Stored>, StorageError> {
    let mut found: Vec<Stored> = Vec::new();
    let filter = Filter {
        since: Some(since),
        ..filter.clone()
    };
    let mut below = Some(upto + 1);
    while let Some(seq) = below.filter(|seq| *seq > begin && found.len() < RECALLED) {
        let page = PageRequest {
            position: Position::Before(seq),
            size: PageSize::new(limits::PAGE_MAX).unwrap_or_default(),
        };
        let page = reader.page(scope, &filter, page, Stretch::default())?;
        found.extend(page.items.into_iter().filter(|one| one.seq > begin));
        below = page.next_before_seq;
    }
    Ok(found)
}

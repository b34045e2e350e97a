//! Forgetting somebody, as the keeper carries it out.

use super::Keeper;
use crate::access::Scope;
use crate::actors::context::Context;
use crate::actors::{Refusal, erasing};
use crate::domain::{Emitted, Erasure, Filter, Seq, entity_event};
use crate::storage::{EntryReader, Request, StorageError};
use std::sync::Arc;

/// Backups that the entry names; of more it says how many there are.
const NAMED_BACKUPS: usize = 100;
/// Entries that a dry run reads at once.
const PART: usize = 500;

/// What to erase.
#[derive(Debug, Clone)]
pub struct Forget {
    pub scope: Scope,
    pub actor: String,
    /// What holds the name all the same.
    pub backups: Vec<String>,
    pub by: Option<Context>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// Of how many entries that was the actor.
    pub entries: u64,
    /// How many held the name at all.
    pub blanked: u64,
    pub upto: Seq,
    /// The file does not hold the name either; else that goes on, after a restart too.
    pub finished: bool,
}

impl Keeper {
    /// Comes back when the file does not hold the name any more; nobody sees it from the beginning on.
    pub async fn forget(&self, asked: Forget) -> Result<Forgotten, Refusal> {
        let Forget {
            scope,
            actor,
            backups,
            by,
        } = asked;
        let named = scope.workspace().map_or("*", |name| name.as_str());
        let mut own = entity_event("workspace", Emitted::ActivityLogErased, named, None)
            .saying("Somebody was erased from what was recorded before")
            .with("workspace_id", named)
            .with("backup_count", backups.len())
            .with(
                "backups",
                backups.into_iter().take(NAMED_BACKUPS).collect::<Vec<_>>(),
            );
        if let Some(name) = scope.workspace() {
            own = own.within(name.clone());
        }
        let entry = self.recorder.own_entry(own, by.as_ref());
        let (mut entries, mut upto) = (0, 0);
        for name in self.recorder.names_of(actor) {
            let whom = Erasure::new(None, name.as_str(), Seq::MAX);
            let record = Request {
                acts: Vec::new(),
                entries: vec![entry.clone().without(&whom)],
            };
            let erased = self.writer.erase(scope.clone(), name, record).await?;
            entries += erased.entries;
            upto = erased.upto;
        }
        let (blanked, finished) = match self.finish_erasures().await {
            Ok(done) => done,
            Err(refusal) => {
                log::warn!("what is left of an erasure stays for the next run: {refusal}");
                (0, false)
            }
        };
        Ok(Forgotten {
            entries,
            blanked,
            upto,
            finished,
        })
    }

    pub(super) async fn finish_erasures(&self) -> Result<(u64, bool), Refusal> {
        erasing::finish(&self.writer, &self.erase_pace, &self.stopping).await
    }

    /// How many entries hold the name.
    pub async fn would_forget(&self, scope: Scope, actor: String) -> Result<Forgotten, Refusal> {
        let reader = Arc::clone(&self.reader);
        let names = self.recorder.names_of(actor);
        let counted = tokio::task::spawn_blocking(move || count(reader.as_ref(), &scope, &names));
        match counted.await {
            Ok(counted) => counted.map_err(Refusal::from),
            Err(_) => Err(Refusal::Stopping),
        }
    }
}

/// By reading all of it, in short transactions.
fn count(
    reader: &dyn EntryReader,
    scope: &Scope,
    names: &[String],
) -> Result<Forgotten, StorageError> {
    let upto = reader.head()?.last_seq;
    let erasures: Vec<Erasure> = names
        .iter()
        .map(|name| Erasure::new(None, name.as_str(), upto))
        .collect();
    let (mut entries, mut blanked, mut after) = (0, 0, 0);
    loop {
        let part = reader.export(scope, &Filter::default(), after, upto, PART)?;
        for mut stored in part.items {
            entries += u64::from(names.contains(&stored.entry.actor));
            let blank = |changed, one: &Erasure| one.blank(&mut stored) | changed;
            blanked += u64::from(erasures.iter().fold(false, blank));
        }
        match part.next {
            Some(next) => after = next,
            None => break,
        }
    }
    Ok(Forgotten {
        entries,
        blanked,
        upto,
        finished: false,
    })
}

//! How the rules in force are changed: what is put at run time, and what a file says that was read again.

use super::Keeper;
use super::ages::Ages;
use crate::actors::Refusal;
use crate::actors::context::Context;
use crate::actors::halt::{Halt, Reason};
use crate::domain::retention::{Base, InForce, Key, Override, Retention, Source};
use crate::domain::{Act, Emitted, FieldError, FieldErrors, Own, WorkspaceId, entity_event};
use crate::storage::Request;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What somebody wants of the settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Put(Map<String, Value>),
    /// Back to the file.
    Forget,
}

/// Why a setting is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotChanged {
    #[error("{0}")]
    Wrong(#[from] FieldErrors),
    #[error("{0}")]
    Locked(FieldErrors),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Keeper {
    /// Puts or takes back what holds for the book or for one workspace, together with the entry of it;
    /// then it takes effect.
    pub async fn change(
        &self,
        workspace: Option<WorkspaceId>,
        change: Change,
        by: Option<Context>,
    ) -> Result<InForce, NotChanged> {
        let _changing = self.changing.acquire().await;
        let before = self.current();
        let put_before = before.put_for(workspace.as_ref());
        let put = match change {
            Change::Forget => {
                refuse_locked(&before, |key| put_before.holds(key))?;
                Override::default()
            }
            Change::Put(object) => {
                refuse_locked(&before, |key| object.contains_key(key.name()))?;
                put_before.with(&object)?
            }
        };
        if put == put_before {
            return Ok(before.in_force(workspace.as_ref()));
        }
        let mut after = (*before).clone();
        after.put(workspace.as_ref(), put);
        let key = Retention::setting_key(workspace.as_ref());
        let act = if put.is_empty() {
            Act::DeleteSetting { key }
        } else {
            let value = serde_json::to_string(&put).unwrap_or_default();
            Act::PutSetting { key, value }
        };
        let changed = Key::ALL
            .into_iter()
            .filter(|key| differs(*key, put_before, put));
        let own = said(&before, &after, workspace.as_ref(), changed.collect());
        let entry = |own: Own| self.recorder.own_entry(own, by.as_ref());
        let request = Request {
            acts: vec![act],
            entries: own.into_iter().map(entry).collect(),
        };
        self.writer.commit(request).await?;
        Ok(self.take_effect(after).in_force(workspace.as_ref()))
    }

    /// What a file that was read again says. Switching off is recorded before it takes effect.
    pub async fn reload(&self, base: Base) -> Result<(), Refusal> {
        let _changing = self.changing.acquire().await;
        let before = self.current();
        let mut after = (*before).clone();
        after.base = base;
        if after == *before {
            return Ok(());
        }
        if before.base.rule != base.rule || before.base.enabled != base.enabled {
            warn_of_overrides(&after);
        }
        let own = said(&before, &after, None, Vec::new());
        if !own.is_empty() {
            let request = Request {
                acts: Vec::new(),
                entries: own.into_iter().map(Own::by_system).collect(),
            };
            self.writer.commit(request).await?;
        }
        self.take_effect(after);
        Ok(())
    }

    fn take_effect(&self, after: Retention) -> Arc<Retention> {
        // As the run that follows finds it, where nothing is left that it could hold back.
        if Ages::of(&after).differ_for_all(&self.seen.borrow()) {
            let of_the_rule = |halt: &mut Option<Halt>| {
                halt.take_if(|halt| halt.reason == Reason::MoreThanHalf)
                    .is_some()
            };
            if of_the_rule(&mut self.halt.borrow_mut()) {
                self.halted.send_replace(None);
            }
        }
        self.retention.send_replace(Arc::new(after));
        self.current()
    }
}

fn refuse_locked(held: &Retention, names: impl Fn(Key) -> bool) -> Result<(), NotChanged> {
    let locked = Key::ALL.into_iter().filter(|key| held.base.locks(*key));
    let named = locked.filter(|key| held.base.locked || names(*key));
    let wrong = named.map(|key| {
        let source = held.base.sources[key as usize].as_str();
        FieldError::new(key.name(), format!("is locked by the {source}"))
    });
    FieldErrors::none_in(wrong.collect()).map_err(NotChanged::Locked)
}

fn differs(key: Key, a: Override, b: Override) -> bool {
    match key {
        Key::Enabled => a.enabled != b.enabled,
        Key::MaxDays => a.max_days != b.max_days,
        Key::MaxEntries => a.max_entries != b.max_entries,
    }
}

/// The entries of a change: switching on or off, and which other keys were changed.
fn said(
    before: &Retention,
    after: &Retention,
    workspace: Option<&WorkspaceId>,
    mut changed: Vec<Key>,
) -> Vec<Own> {
    let whose = workspace.map_or_else(String::new, |name| format!(" of the workspace {name}"));
    // Whose rule it is: one workspace's, or that of all which have none of their own.
    let event = |emitted: Emitted| match workspace {
        Some(name) => entity_event("setting", emitted, "retention", None).within(name.clone()),
        None => entity_event("setting", emitted, "retention", None),
    };
    let mut own = Vec::new();
    let (was, is) = (
        before.in_force(workspace).enabled,
        after.in_force(workspace).enabled,
    );
    if was != is {
        changed.retain(|key| *key != Key::Enabled);
        own.push(if is {
            event(Emitted::ActivityLogEnabled).saying(format!("Recording{whose} was switched on"))
        } else {
            event(Emitted::ActivityLogDisabled).saying(format!("Recording{whose} was switched off"))
        });
    }
    if !changed.is_empty() {
        let keys: Vec<&str> = changed.into_iter().map(Key::name).collect();
        let message = format!("The retention{whose} was changed: {}", keys.join(", "));
        let said = event(Emitted::ActivityLogSettingsChanged).saying(message);
        own.push(said.with("keys", keys));
    }
    own
}

fn warn_of_overrides(retention: &Retention) {
    let held = retention.in_force(None);
    for key in Key::ALL {
        if held.sources[key as usize] == Source::Override {
            log::warn!(
                "retention.{} of the file does not count: another was put at run time; \
                 DELETE /api/v1/activity/settings goes back to the file",
                key.name()
            );
        }
    }
}

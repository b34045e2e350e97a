//! How rules come and go: over HTTP, each with its entry, and with the configuration.

use super::desk::{Desk, put_standing};
use super::held::{Held, Shown};
use crate::actors::Refusal;
use crate::actors::context::Context;
use crate::config::DeclaredRule;
use crate::domain::automation::{MOST_RULES, Rule, Standing};
use crate::domain::{Act, Emitted, FieldErrors, entity_event};
use crate::storage::Request;

/// Why a rule is as it was.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    #[error("{0}")]
    Wrong(#[from] FieldErrors),
    #[error("{0}")]
    Conflict(FieldErrors),
    #[error("there is no automation of this name")]
    NoSuchAutomation,
    #[error("as many are tried by hand as can be at once; try again")]
    Busy,
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// What is wanted.
#[derive(Debug, Clone)]
pub enum Change {
    Create(Box<Rule>),
    /// The one of the same name; a secret that is said as it is shown stays.
    Replace(Box<Rule>),
    Switch(String, bool),
    Remove(String),
}

impl Desk {
    pub async fn alter(&mut self, change: Change, by: &Context) -> Result<Option<Shown>, NotDone> {
        self.save().await?;
        let (rule, emitted) = match change {
            Change::Create(rule) => {
                self.has_room_for(&rule)?;
                (*rule, Emitted::AutomationCreated)
            }
            Change::Replace(mut rule) => {
                let held = self.ours(&rule.name)?;
                rule.action = rule.action.with_secrets_of(&held.rule.action);
                (*rule, Emitted::AutomationChanged)
            }
            Change::Switch(name, enabled) => {
                let held = self.ours(&name)?;
                if held.rule.enabled == enabled {
                    return Ok(Some(held.shown()));
                }
                let rule = Rule {
                    enabled,
                    ..held.rule.as_ref().clone()
                };
                (rule, Emitted::AutomationChanged)
            }
            Change::Remove(name) => return self.remove(&name, by).await.map(|()| None),
        };
        self.put(rule, emitted, by).await.map(Some)
    }

    async fn put(&mut self, rule: Rule, emitted: Emitted, by: &Context) -> Result<Shown, NotDone> {
        let name = rule.name.clone();
        let newest = self.reading(|reader| reader.head()).await?.last_seq;
        let former = self.held.get(&name);
        let standing = former.map_or_else(Standing::default, |held| held.gate.standing.clone());
        let standing = standing.taken_up_by(&rule, newest);
        let act = Act::PutRule {
            name: name.clone(),
            rule: serde_json::Value::Object(rule.to_json(true)).to_string(),
        };
        let mut held = Held::of(rule, None, standing, &self.parts.rules)?;
        let own = entity_event("automation", emitted, &name, None);
        let own = own
            .with("kind", held.rule.action.kind())
            .with("enabled", held.rule.enabled);
        let mut acts = vec![act, put_standing(&held)];
        if self.held.is_empty() {
            acts.push(Act::ReadUpTo { seq: newest });
        }
        let entries = vec![self.parts.recorder.own_entry(own, Some(by))];
        self.parts.writer.commit(Request { acts, entries }).await?;
        if self.held.is_empty() {
            self.position = newest;
            self.noted = newest;
        }
        if let Some(former) = self.held.remove(&name) {
            held.pending = former.pending;
            held.in_flight = former.in_flight;
            held.answered = former.answered;
        }
        let shown = held.shown();
        self.held.insert(name.clone(), held);
        if self.is_recalled && self.recall(&name).await.is_err() {
            // All windows are filled again before the next entry is judged.
            self.is_recalled = false;
        }
        Ok(shown)
    }

    async fn remove(&mut self, name: &str, by: &Context) -> Result<(), NotDone> {
        let pending = self.ours(name)?.pending.len();
        let own = entity_event("automation", Emitted::AutomationRemoved, name, None);
        let own = own.with("pending", pending);
        let request = Request {
            acts: vec![Act::RemoveRule {
                name: name.to_owned(),
            }],
            entries: vec![self.parts.recorder.own_entry(own, Some(by))],
        };
        self.parts.writer.commit(request).await?;
        self.held.remove(name);
        self.count_pending();
        Ok(())
    }

    /// The one of this name, unless it stands in the configuration.
    fn ours(&self, name: &str) -> Result<&Held, NotDone> {
        let held = self.held.get(name).ok_or(NotDone::NoSuchAutomation)?;
        match &held.file {
            None => Ok(held),
            Some(file) => {
                let reason = format!("stands in {file}, and is changed there");
                Err(NotDone::Conflict(FieldErrors::one("name", reason)))
            }
        }
    }

    fn has_room_for(&self, rule: &Rule) -> Result<(), NotDone> {
        let conflict = |reason: String| Err(NotDone::Conflict(FieldErrors::one("name", reason)));
        if let Some(held) = self.held.get(&rule.name) {
            return conflict(match &held.file {
                None => "is the name of an automation that is there".into(),
                Some(file) => format!("is the name of an automation in {file}"),
            });
        }
        if self.held.len() >= MOST_RULES {
            return conflict(format!("there are {MOST_RULES} automations already"));
        }
        Ok(())
    }

    /// The configuration declares others now. On an error those before are in force.
    pub async fn declare(&mut self, declared: Vec<DeclaredRule>) -> Result<(), Refusal> {
        self.save().await?;
        let former = std::mem::replace(&mut self.declared, declared);
        let answers: Vec<_> = self
            .held
            .iter()
            .map(|(name, held)| (name.clone(), held.answered.clone()))
            .collect();
        if let Err(refusal) = self.read_again().await {
            self.declared = former;
            return Err(refusal);
        }
        for (name, answered) in answers {
            if let Some(held) = self.held.get_mut(&name) {
                held.answered = answered;
            }
        }
        if let Err(refusal) = self.begin().await {
            // Before the next entry is judged it is done again.
            log::warn!(
                "where the automations of the configuration begin is noted later: {refusal}"
            );
        }
        Ok(())
    }
}

//! A configuration that was read again: what it contradicts is found first and refuses all of it, then what a
//! running daemon can take is put in force, and then it is recorded what was. What leans on a part that waits for a
//! restart waits with it, and what it would have changed goes on. How it is read is no matter of this file.

use super::captures;
use super::discovery;
use super::keys::{Declare, NotOpened};
use super::pruner::Reload;
use super::{Refusal, Supervisor, lifecycle};
use crate::config::{Capture, Changes, ConfigError, DeclaredRule, Loaded, Settings};
use crate::domain::Rules;

/// Why nothing of a configuration is in force.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    #[error(transparent)]
    Wrong(#[from] ConfigError),
    /// It is right in itself, and contradicts the book: as at the start.
    #[error(transparent)]
    Keys(#[from] NotOpened),
}

impl NotTaken {
    pub fn in_one_line(&self) -> String {
        match self {
            Self::Wrong(error) => error.in_one_line(),
            Self::Keys(error) => error.to_string(),
        }
    }
}

impl Supervisor {
    /// Takes what it can, and records what came of it. `running` is what the daemon runs with: that of its start,
    /// and what it took since.
    pub async fn reload(
        &self,
        running: &mut Settings,
        read: Result<Loaded, ConfigError>,
    ) -> Result<Changes, NotTaken> {
        let taken = match read {
            Ok(loaded) => self.take(running, &loaded).await,
            Err(error) => Err(error.into()),
        };
        let own = match &taken {
            Ok(changes) => {
                log::info!("the configuration was read again: {changes}");
                lifecycle::reloaded(changes)
            }
            Err(why) => {
                log::error!("the configuration stays as it was: {why}");
                lifecycle::reload_refused(why)
            }
        };
        self.recorder.record_own(own);
        taken
    }

    async fn take(&self, running: &mut Settings, loaded: &Loaded) -> Result<Changes, NotTaken> {
        let mut new = loaded.settings.clone();
        let waiting = held_back(running, &mut new, self.recorder.rules());
        let new = &new;
        let mut changes = Changes::between(running, new);
        changes.not_applied.extend(waiting);
        // First, for it alone can be refused by what is in the book; it is all or nothing, and so is the rest.
        match self.keys.addr().send(Declare(new.auth.declared())).await {
            Ok(declared) => declared?,
            Err(_) => changes.not_applied("auth.keys", "nobody attends to the keys"),
        }
        let retain = Reload {
            base: new.retention.base(&loaded.origins),
            interval: new.retention.interval.get(),
        };
        let retained = self.pruner.send(retain).await;
        if let Err(refusal) = retained.unwrap_or(Err(Refusal::Stopping)) {
            log::warn!("retention goes on by its former rule: {refusal}");
            changes.not_applied("retention", &refusal.to_string());
        }
        let of_devices = discovery::Reload {
            announce: new.discovery.announce,
            browse: new.discovery.browse.clone(),
        };
        if self.devices.reload(of_devices).await.is_err() {
            log::warn!("what is looked for is so when discovery has started anew");
        }
        let captures = captures::Reload(new.captures.clone());
        if self.captures.addr().send(captures).await.is_err() {
            log::error!("the captures stay as they were: nobody attends to them");
            changes.not_applied("captures", "nobody attends to the captures");
        }
        if let Err(refusal) = self.automations.declare(new.automations.clone()).await {
            log::error!("the automations stay as they were: {refusal}");
            changes.not_applied("automations", &refusal.to_string());
        }
        changes.take_over(running, new);
        Ok(changes)
    }
}

/// What stands in one of these lists and cannot be put in force under the rules that run, and why. In the list is then
/// what goes on instead.
type Waiting = Vec<(String, String)>;

fn held_back(running: &Settings, new: &mut Settings, rules: &Rules) -> Waiting {
    let mut waiting = captures_held_back(&running.captures, &mut new.captures, rules);
    waiting.extend(rules_held_back(
        &running.automations,
        &mut new.automations,
        rules,
    ));
    waiting
}

fn captures_held_back(running: &[Capture], captures: &mut Vec<Capture>, rules: &Rules) -> Waiting {
    let refused = |capture: &Capture| {
        let category = capture.category.as_ref();
        let unknown = category.filter(|name| !rules.knows_category(name))?;
        let known = rules.category_list();
        Some(format!(
            "category: {unknown:?} is none of {known} before a restart"
        ))
    };
    let mut waiting = Vec::new();
    let mut back: Vec<Capture> = Vec::new();
    captures.retain(|capture| match refused(capture) {
        None => true,
        Some(why) => {
            waiting.push((format!("captures.{}", capture.name), why));
            back.push(capture.clone());
            false
        }
    });
    // What goes on has its name and its place, so that whatever would take these waits as well.
    let stay = loop {
        let stays = |old: &&Capture| back.iter().any(|new| new.is_in_the_way_of(old));
        let stay: Vec<Capture> = running.iter().filter(stays).cloned().collect();
        let in_the_way = |new: &mut Capture| stay.iter().any(|old| old.is_in_the_way_of(new));
        let more: Vec<Capture> = captures.extract_if(.., in_the_way).collect();
        if more.is_empty() {
            break stay;
        }
        for capture in more {
            let why = "takes the name or the place of a capture that goes on until a restart";
            waiting.push((format!("captures.{}", capture.name), why.to_owned()));
            back.push(capture);
        }
    };
    captures.extend(stay);
    in_the_order_of(running, captures, |capture| &capture.name);
    waiting
}

fn rules_held_back(
    running: &[DeclaredRule],
    declared: &mut Vec<DeclaredRule>,
    rules: &Rules,
) -> Waiting {
    let mut waiting = Vec::new();
    let mut stay = Vec::new();
    declared.retain(|new| {
        let Err(errors) = new.rule(rules) else {
            return true;
        };
        let former = running.iter().find(|old| old.name() == new.name());
        stay.extend(former.cloned());
        let why = errors.to_string();
        waiting.push((format!("automations.{}", new.name()), why));
        false
    });
    declared.extend(stay);
    in_the_order_of(running, declared, |rule| rule.name());
    waiting
}

/// So that a list which holds what it did before is no other one.
fn in_the_order_of<T>(running: &[T], list: &mut [T], name: impl Fn(&T) -> &str) {
    list.sort_by_key(|new| {
        let place = running.iter().position(|old| name(old) == name(new));
        place.unwrap_or(usize::MAX)
    });
}

//! A configuration that was read again: what it contradicts is found first and refuses all of it, then what a
//! running daemon can take is put in force, and then it is recorded what was. How it is read is no matter of this file.

use super::captures;
use super::discovery;
use super::keys::{Declare, NotOpened};
use super::pruner::Reload;
use super::{Refusal, Supervisor, lifecycle};
use crate::config::{Changes, ConfigError, Loaded, Settings};

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
        let new = &loaded.settings;
        let mut changes = Changes::between(running, new);
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
        self.automations.declare(new.automations.clone()).await;
        changes.take_over(running, new);
        Ok(changes)
    }
}

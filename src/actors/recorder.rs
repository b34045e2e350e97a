//! The Recorder: the face for whatever happens inside this process. What it is told never fails and never
//! waits, whoever tells it, on whatever thread; an entry that cannot be taken is a telemetry line and a counter.

use super::Writer;
use super::context::Context;
use super::workspaces::Standing;
use crate::access::Privacy;
use crate::domain::retention::Retention;
use crate::domain::vocabulary::{SYSTEM, passes_when_off};
use crate::domain::{Draft, FieldErrors, NewEntry, Own, Rules, Sink};
use crate::storage::Request;
use crate::telemetry::Metrics;
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::sync::watch;

/// Cheap to clone; every part of the daemon has one.
#[derive(Clone)]
pub struct Recorder {
    writer: Writer,
    retention: watch::Receiver<Arc<Retention>>,
    rules: Arc<Rules>,
    privacy: Arc<Privacy>,
    archived: watch::Receiver<Standing>,
    metrics: Metrics,
}

impl Recorder {
    pub fn new(
        writer: Writer,
        retention: watch::Receiver<Arc<Retention>>,
        rules: Arc<Rules>,
        privacy: Arc<Privacy>,
        archived: watch::Receiver<Standing>,
        metrics: Metrics,
    ) -> Self {
        Self {
            writer,
            retention,
            rules,
            privacy,
            archived,
            metrics,
        }
    }

    /// Records what happened, as far as that can be done at once. The principal is that of the request
    /// that runs, or `system`; a draft that names an actor keeps it.
    pub fn record(&self, draft: Draft) {
        match self.checked(draft) {
            Ok(entry) if self.takes(&entry) => self.hand_over(entry),
            Ok(_) => {}
            Err(why) => self.lost(&why),
        }
    }

    /// Records what the daemon does by itself, outside any request.
    pub fn record_own(&self, own: Own) {
        self.hand_over(self.own_entry(own, None));
    }

    /// The entry of an act on the book, for whoever commits the two together: with `by`, it names whose call
    /// it was, and the call has its entry then. The best effort for what cannot be committed with its entry
    /// is [`Self::record_event`].
    pub fn own_entry(&self, own: Own, by: Option<&Context>) -> NewEntry {
        let mut draft = own.clone().draft();
        match by {
            None => draft.actor = Some(SYSTEM.to_owned()),
            Some(by) => {
                self.attribute(&mut draft, by);
                by.sign(&mut draft);
            }
        }
        if !passes_when_off(own.category(), own.action()) {
            self.spare_the_archived(&mut draft);
        }
        // It was made by us, so that nothing in it is refused.
        draft.check(&self.rules).unwrap_or_else(|_| own.by_system())
    }

    /// Records what was done to a thing of the daemon's own that is not in the book (a file, a device), on
    /// behalf of whoever asked for it, as far as that can be done at once.
    pub fn record_event(&self, own: Own, by: Option<&Context>) {
        let entry = self.own_entry(own, by);
        if self.takes(&entry) {
            self.hand_over(entry);
        }
    }

    /// The entry of what is already said of whom and from where: only privacy is added. None where nothing is
    /// recorded now.
    pub fn entry_of(&self, mut draft: Draft) -> Result<Option<NewEntry>, FieldErrors> {
        let ip_address = draft.ip_address.take();
        draft.ip_address = ip_address.and_then(|ip| self.privacy.ip_address(ip));
        let user_agent = draft.user_agent.take();
        draft.user_agent = user_agent.and_then(|agent| self.privacy.user_agent(agent));
        let entry = draft.check(&self.rules)?;
        Ok(Some(entry).filter(|entry| self.takes(entry)))
    }

    /// What every draft is checked against.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The names under which an actor stands in the book: as said, and as it is kept since addresses are hashed.
    pub fn names_of(&self, actor: String) -> Vec<String> {
        let kept = self.rules.redact.sought(actor.clone());
        let mut names = vec![actor, kept];
        names.dedup();
        names
    }

    /// Takes secrets out of what is kept beside entries.
    pub fn redact(&self, object: &mut Map<String, Value>) {
        self.rules.redact.metadata(object);
    }

    fn checked(&self, mut draft: Draft) -> Result<NewEntry, String> {
        match Context::current() {
            Some(context) => {
                self.attribute(&mut draft, &context);
                context.sign(&mut draft);
            }
            None => drop(draft.actor.get_or_insert_with(|| SYSTEM.to_owned())),
        }
        self.spare_the_archived(&mut draft);
        draft
            .check(&self.rules)
            .map_err(|errors| errors.to_string())
    }

    /// What happens in this process may be said of anybody, so only what is missing is filled in.
    fn attribute(&self, draft: &mut Draft, context: &Context) {
        let mut own = Draft::default();
        // A draft that says nothing is refused to nobody.
        let _ = context
            .principal
            .attribute(&mut own, &context.origin, &self.privacy);
        if draft.actor.is_none() {
            draft.actor = own.actor;
            draft.ip_address = draft.ip_address.take().or(own.ip_address);
            draft.user_agent = draft.user_agent.take().or(own.user_agent);
        }
        draft.workspace_id = draft.workspace_id.take().or(own.workspace_id);
    }

    /// What is done by the keys of a workspace that takes no entries stands in the operator's own.
    fn spare_the_archived(&self, draft: &mut Draft) {
        let is_archived = |name: &mut String| self.archived.borrow().holds(name);
        if let Some(name) = draft.workspace_id.take_if(is_archived) {
            let metadata = draft.metadata.get_or_insert_default();
            metadata.insert("workspace_id".to_owned(), name.into());
        }
    }

    /// Whether it is recorded now.
    pub fn takes(&self, entry: &NewEntry) -> bool {
        passes_when_off(entry.category().as_str(), entry.action().as_str())
            || self.retention.borrow().records(entry.workspace_id())
    }

    fn hand_over(&self, entry: NewEntry) {
        let request = Request {
            acts: Vec::new(),
            entries: vec![entry],
        };
        if let Err(refusal) = self.writer.hand_over(request) {
            self.lost(&refusal.to_string());
        }
    }

    /// An entry could not be recorded.
    pub fn lost(&self, why: &str) {
        self.metrics.recorder_lost.inc();
        log::warn!("something that happened here was not recorded: {why}");
    }
}

/// For what is already said of whom: only privacy is added.
impl Sink for Recorder {
    fn take_in(&self, mut draft: Draft) {
        draft.actor.get_or_insert_with(|| SYSTEM.to_owned());
        self.spare_the_archived(&mut draft);
        match self.entry_of(draft) {
            Ok(Some(entry)) => self.hand_over(entry),
            Ok(None) => {}
            Err(why) => self.lost(&why.to_string()),
        }
    }
}

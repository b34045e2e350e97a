//! Drafts for what happens to things, in the recommended vocabulary: one builder for every kind of thing.

use super::draft::Draft;
use serde_json::{Map, Value};

/// A thing that something happened to. Name it, say who it was if it was not whoever is asking, and end with
/// what happened.
///
/// ```
/// use daybook::domain::Entity;
///
/// let created = Entity::task("42").named("Water the plants").created();
/// assert_eq!(created.action.as_deref(), Some("task.created"));
/// assert_eq!(created.message.as_deref(), Some("task “Water the plants” was created"));
///
/// let joined = Entity::workspace("7").by("anna").member_added("bob");
/// assert_eq!(joined.action.as_deref(), Some("workspace.member_added"));
///
/// let other = Entity::new("invoice", "2026-17").with("total", 120).did("paid");
/// assert_eq!(other.action.as_deref(), Some("invoice.paid"));
/// ```
///
/// The draft goes to [`Recorder::record`](crate::actors::Recorder::record), or to
/// [`Draft::check`] for whoever wants to know what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "nothing is said until it is said what happened"]
pub struct Entity {
    kind: String,
    id: String,
    name: Option<String>,
    actor: Option<String>,
    workspace: Option<String>,
    message: Option<String>,
    metadata: Map<String, Value>,
}

impl Entity {
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            id: id.into(),
            name: None,
            actor: None,
            workspace: None,
            message: None,
            metadata: Map::new(),
        }
    }

    pub fn task(id: impl Into<String>) -> Self {
        Self::new("task", id)
    }

    pub fn event(id: impl Into<String>) -> Self {
        Self::new("event", id)
    }

    pub fn project(id: impl Into<String>) -> Self {
        Self::new("project", id)
    }

    pub fn workspace(id: impl Into<String>) -> Self {
        Self::new("workspace", id)
    }

    pub fn user(id: impl Into<String>) -> Self {
        Self::new("user", id)
    }

    /// What people call it.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Who did it, when it was not the principal of the request.
    pub fn by(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// The tenant whose entry it is.
    pub fn within(mut self, workspace: impl Into<String>) -> Self {
        self.workspace = Some(workspace.into());
        self
    }

    /// Instead of the sentence that is made of the action.
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    pub fn created(self) -> Draft {
        self.did("created")
    }

    pub fn updated(self) -> Draft {
        self.did("updated")
    }

    pub fn deleted(self) -> Draft {
        self.did("deleted")
    }

    pub fn completed(self) -> Draft {
        self.did("completed")
    }

    pub fn assigned(self, to: impl Into<String>) -> Draft {
        self.with("assignee", to.into()).did("assigned")
    }

    pub fn member_added(self, member: impl Into<String>) -> Draft {
        self.with("member", member.into()).did("member_added")
    }

    pub fn member_removed(self, member: impl Into<String>) -> Draft {
        self.with("member", member.into()).did("member_removed")
    }

    /// Any other verb, in the past tense.
    pub fn did(self, verb: &str) -> Draft {
        let message = self.message.clone().unwrap_or_else(|| self.sentence(verb));
        Draft {
            category: Some("entity".to_owned()),
            action: Some(format!("{}.{verb}", self.kind)),
            actor: self.actor,
            entity_type: Some(self.kind),
            entity_id: Some(self.id),
            entity_name: self.name,
            message: Some(message),
            metadata: Some(self.metadata),
            workspace_id: self.workspace,
            ..Draft::default()
        }
    }

    fn sentence(&self, verb: &str) -> String {
        let what = match &self.name {
            Some(name) => format!("{} “{name}”", self.kind),
            None => format!("{} {}", self.kind, self.id),
        };
        let text = |key: &str| self.metadata.get(key).and_then(Value::as_str);
        match (verb, text("assignee"), text("member")) {
            ("assigned", Some(to), _) => format!("{what} was assigned to {to}"),
            ("member_added", _, Some(member)) => format!("{member} became a member of {what}"),
            ("member_removed", _, Some(member)) => format!("{member} left {what}"),
            _ => format!("{what} was {}", verb.replace('_', " ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_for_each_kind_is_an_action_of_its_own() {
        let makers = [
            Entity::task,
            Entity::event,
            Entity::project,
            Entity::workspace,
            Entity::user,
        ];
        for make in makers {
            let of = |draft: Draft| draft.action.unwrap();
            let kind = make("1").kind;
            assert_eq!(of(make("1").created()), format!("{kind}.created"));
            assert_eq!(of(make("1").updated()), format!("{kind}.updated"));
            assert_eq!(of(make("1").deleted()), format!("{kind}.deleted"));
            assert_eq!(of(make("1").completed()), format!("{kind}.completed"));
            assert_eq!(of(make("1").assigned("x")), format!("{kind}.assigned"));
            assert_eq!(
                of(make("1").member_added("x")),
                format!("{kind}.member_added")
            );
            assert_eq!(
                of(make("1").member_removed("x")),
                format!("{kind}.member_removed")
            );
        }
    }

    #[test]
    fn the_sentence_says_who_and_what() {
        let said = |draft: Draft| draft.message.unwrap();
        assert_eq!(
            said(Entity::task("4").assigned("bob")),
            "task 4 was assigned to bob"
        );
        assert_eq!(
            said(Entity::project("4").named("Garden").member_removed("bob")),
            "bob left project “Garden”"
        );
        assert_eq!(said(Entity::task("4").saying("Done.").completed()), "Done.");
    }
}

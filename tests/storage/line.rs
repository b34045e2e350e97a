//! Entries in the making, as short as a test can say them.

use daybook::domain::{Draft, NewEntry, Redact, Rules};
use serde_json::{Map, Value};

struct NoSecrets;

impl Redact for NoSecrets {
    fn metadata(&self, _: &mut Map<String, Value>) {}

    fn holds_secret(&self, _: &str) -> bool {
        false
    }
}

pub fn rules() -> Rules {
    Rules {
        extra_categories: Vec::new(),
        redact: Box::new(NoSecrets),
    }
}

/// An entry in the making.
#[derive(Debug, Clone)]
pub struct Line(pub Draft);

/// An entry with this message and nothing special else.
pub fn line(message: &str) -> Line {
    let some = |text: &str| Some(text.to_owned());
    Line(Draft {
        category: some("entity"),
        action: some("task.created"),
        actor: some("anna"),
        message: some(message),
        ..Draft::default()
    })
}

/// So many entries without anything special.
pub fn lines(n: usize) -> impl Iterator<Item = Line> {
    (0..n).map(|i| line(&format!("entry {i}")))
}

impl Line {
    pub fn checked(self) -> NewEntry {
        self.0.check(&rules()).unwrap()
    }

    pub fn with_id(mut self, id: &str) -> Self {
        self.0.id = Some(id.to_owned());
        self
    }

    pub fn of(mut self, category: &str) -> Self {
        self.0.category = Some(category.to_owned());
        self
    }

    pub fn did(mut self, action: &str) -> Self {
        self.0.action = Some(action.to_owned());
        self
    }

    pub fn severity(mut self, severity: &str) -> Self {
        self.0.severity = Some(severity.to_owned());
        self
    }

    pub fn by(mut self, actor: &str) -> Self {
        self.0.actor = Some(actor.to_owned());
        self
    }

    pub fn on(mut self, entity_type: &str, entity_id: &str) -> Self {
        self.0.entity_type = Some(entity_type.to_owned());
        self.0.entity_id = Some(entity_id.to_owned());
        self
    }

    pub fn within(mut self, workspace: &str) -> Self {
        self.0.workspace_id = Some(workspace.to_owned());
        self
    }
}

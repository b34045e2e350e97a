//! What somebody asks of a workspace, read from JSON: the same over HTTP, the control socket and the command
//! line.

use crate::domain::draft::workspace_id;
use crate::domain::{FieldError, FieldErrors, Title, WorkspaceId};
use serde_json::{Map, Value};

/// A workspace that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWorkspace {
    pub name: WorkspaceId,
    pub title: Option<Title>,
}

impl NewWorkspace {
    pub fn read(mut object: Map<String, Value>) -> Result<Self, FieldErrors> {
        let name = match object.remove("name") {
            Some(Value::String(name)) => named(&name)?,
            Some(_) => return Err(FieldErrors::one("name", "must be a string")),
            None => return Err(FieldErrors::one("name", "is missing")),
        };
        let title = object.remove("title").unwrap_or(Value::Null);
        nothing_else(&object)?;
        Ok(Self {
            name,
            title: read_title(title)?,
        })
    }
}

/// The name of one, where the field is called so.
pub fn named(name: &str) -> Result<WorkspaceId, FieldError> {
    let refused = |error: FieldError| FieldError::new("name", error.reason);
    workspace_id(name.to_owned()).map_err(refused)
}

/// The title that one is to have; `null` for none.
pub fn title(mut object: Map<String, Value>) -> Result<Option<Title>, FieldErrors> {
    let title = object.remove("title");
    nothing_else(&object)?;
    let missing = || FieldErrors::one("title", "is missing; the name never changes");
    Ok(read_title(title.ok_or_else(missing)?)?)
}

fn read_title(title: Value) -> Result<Option<Title>, FieldError> {
    match title {
        Value::Null => Ok(None),
        Value::String(text) => Title::parse(&text).map(Some),
        _ => Err(FieldError::new("title", "must be a string or null")),
    }
}

fn nothing_else(object: &Map<String, Value>) -> Result<(), FieldErrors> {
    match object.keys().next() {
        None => Ok(()),
        Some(name) => {
            let name: String = name.chars().take(64).collect();
            Err(FieldErrors::one(name, "is not known here"))
        }
    }
}

//! What a principal arranges for itself on the dashboard: widgets, saved views, a layout. It says what they may
//! hold; how a page shows them is the page's.

mod layout;
mod lens;
mod view;
mod widget;

pub use layout::{COLUMNS, Layout, MOST_PLACES, Place};
pub use lens::Lens;
pub use view::View;
pub use widget::{BuiltIn, Look, Widget, built_in};

use super::{FieldError, FieldErrors, WorkspaceId, secret};
use serde_json::{Map, Value};

/// Of each principal.
pub const MOST_WIDGETS: usize = 64;
pub const MOST_VIEWS: usize = 128;
pub const TITLE_CHARS: usize = 64;

/// Whose it is: a label is one principal's within a workspace, and of those who see all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub workspace: Option<WorkspaceId>,
    pub principal: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Widget,
    View,
    Layout,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Widget => "widget",
            Self::View => "view",
            Self::Layout => "layout",
        }
    }

    /// How many one principal has at most.
    pub fn most(self) -> usize {
        match self {
            Self::Widget => MOST_WIDGETS,
            Self::View => MOST_VIEWS,
            Self::Layout => 1,
        }
    }
}

/// One thing of somebody's, as the book names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub owner: Owner,
    pub kind: Kind,
    pub id: String,
}

/// What people call a thing: some characters, none of which moves the cursor.
fn title(object: &mut Map<String, Value>, field: &'static str) -> Result<String, FieldError> {
    let wrong = || {
        let reason =
            format!("must be 1 to {TITLE_CHARS} characters, none of them a control character");
        FieldError::new(field, reason)
    };
    let Some(Value::String(text)) = object.remove(field) else {
        return Err(wrong());
    };
    no_key(field, &text)?;
    let text = text.trim();
    let fits = (1..=TITLE_CHARS).contains(&text.chars().count());
    match fits && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(wrong()),
    }
}

/// What is kept in the book is refused when it holds a key: it would be shown to whoever reads the file.
fn no_key(field: &'static str, text: &str) -> Result<(), FieldError> {
    match secret::holds_key(text) {
        true => Err(FieldError::new(field, "holds a Daybook key")),
        false => Ok(()),
    }
}

fn nothing_else(object: &Map<String, Value>) -> Result<(), FieldErrors> {
    let unknown = |name: &String| {
        let name: String = name.chars().take(TITLE_CHARS).collect();
        FieldError::new(name, "is not known here")
    };
    FieldErrors::none_in(object.keys().map(unknown).collect())
}

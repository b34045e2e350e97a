//! Erasure: what is left of an entry when somebody is to be forgotten. The entry stays, in its place and with
//! its number; what names the one who is erased becomes `[erased]`.

use super::{Entry, FieldError, Filter, Metadata, Seq, Stored, WorkspaceId, limits};
use memchr::memmem::Finder;
use serde_json::{Map, Value};

/// What stands where somebody was named.
pub const ERASED: &str = "[erased]";

/// These are nobody.
const NOBODY: [&str; 3] = ["system", "anonymous", ERASED];

/// Somebody is forgotten, in a workspace or in all, up to the entry that was the newest when it was asked for.
#[derive(Debug, Clone)]
pub struct Erasure {
    pub workspace: Option<WorkspaceId>,
    pub upto: Seq,
    name: String,
    finder: Finder<'static>,
    /// As it stands within a JSON text.
    in_json: Finder<'static>,
}

/// Checks a name that is to be erased.
pub fn checked_name(name: String) -> Result<String, FieldError> {
    let wrong = |reason: String| Err(FieldError::new("actor", reason));
    if name.is_empty() {
        return wrong("must not be empty".into());
    }
    if name.chars().nth(limits::ACTOR_CHARS).is_some() {
        return wrong(format!("is longer than {} characters", limits::ACTOR_CHARS));
    }
    if NOBODY.contains(&name.as_str()) {
        return wrong("is nobody who could be erased".into());
    }
    Ok(name)
}

impl Erasure {
    pub fn new(workspace: Option<WorkspaceId>, name: impl Into<String>, upto: Seq) -> Self {
        let name = name.into();
        let json = Value::from(name.as_str()).to_string();
        Self {
            workspace,
            upto,
            finder: Finder::new(&name).into_owned(),
            in_json: Finder::new(&json[1..json.len() - 1]).into_owned(),
            name,
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn covers(&self, workspace: &str, seq: Seq) -> bool {
        seq <= self.upto
            && self
                .workspace
                .as_ref()
                .is_none_or(|own| own.as_str() == workspace)
    }

    /// Blanks the entry; whether anything of it changed.
    pub fn blank(&self, stored: &mut Stored) -> bool {
        let entry = &mut stored.entry;
        if !self.covers(entry.workspace_id.as_str(), stored.seq) {
            return false;
        }
        let mut changed = false;
        if entry.actor == self.name {
            changed |= erase(&mut entry.actor);
            changed |= erase_some(&mut entry.ip_address) | erase_some(&mut entry.user_agent);
        }
        changed |= self.blank_entity(entry);
        for text in [&mut entry.ip_address, &mut entry.user_agent] {
            if text.as_ref().is_some_and(|text| self.is_named_in(text)) {
                changed |= erase_some(text);
            }
        }
        if self.is_named_in(&entry.message) {
            changed |= erase(&mut entry.message);
        }
        changed | self.blank_metadata(&mut entry.metadata)
    }

    /// One whose id or name is that of who is erased is that person, and loses both.
    fn blank_entity(&self, entry: &mut Entry) -> bool {
        let (id, name) = (&mut entry.entity_id, &mut entry.entity_name);
        let is = |text: &Option<String>| text.as_ref() == Some(&self.name);
        let is_person = is(id) || is(name);
        let mut changed = false;
        for text in [id, name] {
            if is_person || text.as_ref().is_some_and(|text| self.is_named_in(text)) {
                changed |= erase_some(text);
            }
        }
        changed
    }

    fn blank_metadata(&self, metadata: &mut Metadata) -> bool {
        let text = metadata.as_str();
        // Only a hand that edited the book escapes what need not be.
        if self.in_json.find(text.as_bytes()).is_none() && !text.contains('\\') {
            return false;
        }
        let mut object = metadata.to_object();
        if !self.blank_object(&mut object) {
            return false;
        }
        *metadata = Metadata::new(object).unwrap_or_else(|_| {
            // Many short names are less than what stands for them, and there is no room for that.
            let only = Map::from_iter([(ERASED.to_owned(), Value::from(ERASED))]);
            Metadata::new(only).unwrap_or_default()
        });
        true
    }

    fn blank_object(&self, object: &mut Map<String, Value>) -> bool {
        let mut changed = false;
        for value in object.values_mut() {
            changed |= self.blank_value(value);
        }
        if object
            .keys()
            .any(|key| self.is_named_in(key) && key != ERASED)
        {
            changed = true;
            let held = std::mem::take(object);
            object.extend(
                held.into_iter()
                    .map(|(key, value)| match self.is_named_in(&key) {
                        true => (ERASED.to_owned(), value),
                        false => (key, value),
                    }),
            );
        }
        changed
    }

    fn blank_value(&self, value: &mut Value) -> bool {
        match value {
            Value::Object(object) => self.blank_object(object),
            Value::Array(items) => items
                .iter_mut()
                .fold(false, |changed, item| self.blank_value(item) | changed),
            Value::String(text) if self.is_named_in(text) => erase(text),
            _ => false,
        }
    }

    /// The name stands in the text by itself: no letter or digit goes on from it on either side where it has
    /// one itself. So `al` is named in `al's`, and not in `already`.
    pub fn is_named_in(&self, text: &str) -> bool {
        let is_bound = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let (first, last) = (
            is_bound(self.name.chars().next()),
            is_bound(self.name.chars().next_back()),
        );
        let mut from = 0;
        while let Some(place) = self.finder.find(&text.as_bytes()[from..]) {
            let (start, end) = (from + place, from + place + self.name.len());
            let goes_on_before = first && is_bound(text[..start].chars().next_back());
            let goes_on_after = last && is_bound(text[end..].chars().next());
            if !goes_on_before && !goes_on_after {
                return true;
            }
            // To the next character of the text, so that none is looked at for ever.
            from = start + text[start..].chars().next().map_or(1, char::len_utf8);
        }
        false
    }

    /// Whether an entry that fits the filter as it stands in the store, or one that does not, may be another
    /// to this filter when it is blanked.
    pub fn bears_on(&self, filter: &Filter) -> bool {
        let actor = filter.actor.as_ref();
        actor.is_some_and(|actor| *actor == self.name || actor == ERASED)
            || filter.entity_id.is_some()
            || filter.text.is_some()
            || !filter.except.entity_ids.is_empty()
            || filter
                .except
                .actors
                .iter()
                .any(|actor| *actor == self.name || actor == ERASED)
    }
}

/// The filter without what is asked for of a text that can become another by being blanked: what fits the
/// filter afterwards fits this one before.
pub fn loosened(filter: &Filter) -> Filter {
    let is_erased = |text: &String| text == ERASED;
    let mut filter = filter.clone();
    filter.actor = filter.actor.filter(|actor| !is_erased(actor));
    filter.entity_id = filter.entity_id.filter(|id| !is_erased(id));
    filter.text = filter.text.filter(|text| !text.is_in(ERASED));
    // Who was left out by name is not any more when the name is blanked.
    filter.except.actors.clear();
    filter.except.entity_ids.clear();
    filter
}

fn erase(text: &mut String) -> bool {
    let changes = text != ERASED;
    if changes {
        ERASED.clone_into(text);
    }
    changes
}

fn erase_some(text: &mut Option<String>) -> bool {
    text.as_mut().is_some_and(erase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_named(name: &str, text: &str) -> bool {
        Erasure::new(None, name, 9).is_named_in(text)
    }

    #[test]
    fn a_name_is_found_where_it_stands_by_itself() {
        for (name, text) in [
            ("al", "al"),
            ("al", "so al went"),
            ("al", "already al"),
            ("al", "al's"),
            ("al", "x_al_y"),
            ("anna@example.org", "<anna@example.org>"),
            ("@bob", "x@bob"),
            ("ü", "a ü."),
            ("a.b", "(a.b)"),
            ("aa", "aaa aa"),
            ("-", "--"),
        ] {
            assert!(is_named(name, text), "{name} in {text}");
        }
        for (name, text) in [
            ("al", "already"),
            ("al", "Al"),
            ("al", "festival"),
            ("al", "éal"),
            ("al", "al2"),
            ("@bob", "@bobby"),
            ("anna@example.org", "joanna@example.org"),
            ("aa", "aaaa"),
            ("ü", "üü"),
        ] {
            assert!(!is_named(name, text), "{name} in {text}");
        }
    }

    #[test]
    fn who_is_nobody_cannot_be_erased() {
        for name in ["", "system", "anonymous", ERASED, &"x".repeat(257)] {
            assert!(checked_name(name.to_owned()).is_err(), "{name}");
        }
        assert!(checked_name("System".to_owned()).is_ok());
    }

    #[test]
    fn metadata_is_blanked_in_keys_and_values_however_it_is_written() {
        let blanked = |name: &str, text: &str| {
            let mut metadata = Metadata::from_stored(text.to_owned()).unwrap();
            let changed = Erasure::new(None, name, 9).blank_metadata(&mut metadata);
            (changed, metadata.as_str().to_owned())
        };
        let (changed, text) = blanked("anna", r#"{"a":["by anna",{"anna":1}],"b":"annabel"}"#);
        assert!(changed);
        assert_eq!(text, r#"{"a":["[erased]",{"[erased]":1}],"b":"annabel"}"#);
        assert_eq!(
            blanked("anna", r#"{"a":"\u0061nna"}"#).1,
            r#"{"a":"[erased]"}"#
        );
        assert_eq!(blanked("a\"b", r#"{"x":"a\"b"}"#).1, r#"{"x":"[erased]"}"#);
        assert!(!blanked("anna", r#"{"b":"annabel"}"#).0);
        let full = format!("{{\"a\":[{}]}}", vec!["\"a\""; 4_000].join(","));
        assert_eq!(blanked("a", &full).1, r#"{"[erased]":"[erased]"}"#);
    }
}

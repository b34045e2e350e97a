//! The secret under which this book hashes e-mail addresses: made once, kept in the book, never exported.

use super::{Refusal, Writer};
use crate::access::HashKey;
use crate::config::{Emails, Privacy};
use crate::domain::Act;
use crate::storage::{EntryReader, Request, StorageError};

/// Under which name the book keeps it.
const SETTING: &str = "privacy.email_key";

/// The book's own, if it has one.
pub fn kept(reader: &dyn EntryReader) -> Result<Option<HashKey>, StorageError> {
    let Some((_, held)) = reader.settings(SETTING)?.pop() else {
        return Ok(None);
    };
    let text = serde_json::from_str::<String>(&held).ok();
    match text.and_then(|text| HashKey::from_text(&text)) {
        None => Err(StorageError::Corrupt(format!(
            "the setting {SETTING} is no key"
        ))),
        key => Ok(key),
    }
}

/// The book's own, made now when it has none; none when nothing is hashed.
pub async fn of_book(
    privacy: &Privacy,
    reader: &dyn EntryReader,
    writer: &Writer,
) -> Result<Option<HashKey>, Refusal> {
    if privacy.emails != Emails::Hash {
        return Ok(None);
    }
    if let Some(key) = kept(reader)? {
        return Ok(Some(key));
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)
        .map_err(|cause| StorageError::Other(format!("no random numbers: {cause}")))?;
    let key = HashKey::new(secret);
    let act = Act::PutSetting {
        key: SETTING.to_owned(),
        value: serde_json::Value::from(key.to_text()).to_string(),
    };
    writer
        .commit(Request {
            acts: vec![act],
            entries: Vec::new(),
        })
        .await?;
    Ok(Some(key))
}

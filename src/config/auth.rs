//! `[auth]`: how long a signed-in person stays signed in, how often one may fail to be let in, whom a proxy may
//! name, and the keys that stand in the file.

use super::Duration;
use super::checked;
use crate::access::Keyring;
use crate::access::key::is_id;
use crate::access::sign_ins::Spans;
use crate::domain::{FieldError, Key, KeyLabel, Reach, Rights, SecretHash, Timestamp};
use serde::de;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// Signed out after so long without a request.
    #[serde(deserialize_with = "session")]
    pub session_idle: Duration,
    /// Signed out after so long, whatever was done.
    #[serde(deserialize_with = "session")]
    pub session_absolute: Duration,
    /// Of one address; 0: no limit.
    #[serde(deserialize_with = "attempts")]
    pub attempts_per_minute: u32,
    /// In which a trusted proxy names who asks; empty: none.
    #[serde(deserialize_with = "header")]
    pub trusted_header: String,
    /// What those people may do,
    #[serde(deserialize_with = "scopes")]
    pub trusted_scopes: Vec<String>,
    /// and where.
    #[serde(deserialize_with = "workspace")]
    pub trusted_workspace: String,
    /// For people who keep their machines in code.
    #[serde(deserialize_with = "declared")]
    pub keys: Vec<DeclaredKey>,
}

/// A key of which the file holds the hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredKey {
    pub label: String,
    /// What stands between the two `_` of the key.
    pub id: String,
    /// Of what stands behind the second.
    pub sha256: String,
    pub scopes: Vec<String>,
    #[serde(default = "default_workspace")]
    pub workspace: String,
    #[serde(default)]
    pub speak_for_others: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

impl DeclaredKey {
    pub fn key(&self) -> Result<Key, FieldError> {
        if !is_id(&self.id) {
            return Err(FieldError::new("id", "must be 1 to 32 letters and digits"));
        }
        let secret = SecretHash::parse(&self.sha256)
            .ok_or_else(|| FieldError::new("sha256", "must be 64 hex digits"))?;
        let expires = self.expires.as_deref().map(Timestamp::parse).transpose();
        Ok(Key {
            label: KeyLabel::parse(&self.label)?,
            id: self.id.clone(),
            secret,
            former: None,
            rights: Rights::parse(self.scopes.iter().map(String::as_str))?,
            reach: Reach::parse(&self.workspace)?,
            speaks_for_others: self.speak_for_others,
            created: Timestamp::from_micros(0),
            expires: expires.map_err(|e| FieldError::new("expires", e.to_string()))?,
            revoked: None,
            last_used: None,
        })
    }
}

impl Auth {
    /// They were checked when they were read.
    pub fn declared(&self) -> Vec<Key> {
        let keys = self.keys.iter();
        keys.filter_map(|declared| declared.key().ok()).collect()
    }

    /// What there is before there is a key: nobody is anonymous where a proxy names everybody.
    pub fn no_keys(&self) -> Keyring {
        Keyring::empty(!self.trusted_header.is_empty())
    }

    pub fn spans(&self) -> Spans {
        Spans {
            idle: self.session_idle.get(),
            absolute: self.session_absolute.get(),
        }
    }

    /// What those may do whom a proxy names. They were checked when they were read.
    pub fn trusted_rights(&self) -> Rights {
        let words = self.trusted_scopes.iter().map(String::as_str);
        Rights::parse(words).unwrap_or_default()
    }

    pub fn trusted_reach(&self) -> Result<Reach, FieldError> {
        Reach::parse(&self.trusted_workspace)
    }
}

/// They say something else already.
const NO_NAMES: [&str; 9] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "origin",
    "user-agent",
    "x-api-key",
];

fn attempts<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    checked::number_or_zero(d, 1..=100_000, "no limit")
}

fn header<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let name = String::deserialize(d)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let lower = name.to_ascii_lowercase();
    if name.len() > 64 || !name.bytes().all(allowed) {
        return Err(de::Error::custom(format!(
            "{name:?} is not the name of a header, such as \"Remote-User\""
        )));
    }
    if NO_NAMES.contains(&lower.as_str()) || lower.starts_with("x-forwarded-") {
        return Err(de::Error::custom(format!("{name} says something else")));
    }
    Ok(name)
}

fn scopes<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    let words = Vec::<String>::deserialize(d)?;
    match Rights::parse(words.iter().map(String::as_str)) {
        Ok(_) => Ok(words),
        Err(error) => Err(de::Error::custom(error.reason)),
    }
}

fn workspace<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let name = String::deserialize(d)?;
    match Reach::parse(&name) {
        Ok(_) => Ok(name),
        Err(error) => Err(de::Error::custom(error.reason)),
    }
}

fn default_workspace() -> String {
    "default".to_owned()
}

/// Each right by itself, no two of one label or id.
fn declared<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<DeclaredKey>, D::Error> {
    let keys = Vec::<DeclaredKey>::deserialize(d)?;
    let (mut labels, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for key in &keys {
        let wrong = |why: String| de::Error::custom(format!("the key {:?}: {why}", key.label));
        key.key().map_err(|error| wrong(error.to_string()))?;
        if !labels.insert(&key.label) || !ids.insert(&key.id) {
            return Err(wrong("its label or its id stands here twice".into()));
        }
    }
    Ok(keys)
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            session_idle: Duration::hours(12),
            session_absolute: Duration::days(30),
            attempts_per_minute: 30,
            trusted_header: String::new(),
            trusted_scopes: vec!["read".to_owned()],
            trusted_workspace: default_workspace(),
            keys: Vec::new(),
        }
    }
}

fn session<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    checked::duration(d, Duration::minutes(1)..=Duration::days(366))
}

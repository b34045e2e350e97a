//! Privacy: no secret is stored, and of addresses and user agents only what the owner allows.

use super::Emails;
use crate::domain::Redact;
use crate::domain::draft::REDACTED;
use crate::domain::{limits, secret};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::net::IpAddr;

/// How much of a network address is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressKept {
    #[default]
    Full,
    /// The network alone: the first three bytes of IPv4, the first 48 bits of IPv6.
    Network,
    None,
}

#[derive(Debug, Clone)]
pub struct Privacy {
    /// Folded to lower case letters and digits.
    redact_keys: Vec<String>,
    ip_address: AddressKept,
    keep_user_agent: bool,
    /// Of who did it.
    actor_emails: Emails,
    /// Everywhere else.
    emails: Emails,
    /// The actor's id and nothing else that is personal.
    is_strict: bool,
}

/// What kinds of entities are people, in lower case.
const PEOPLE: [&str; 9] = [
    "user", "users", "person", "people", "member", "account", "customer", "contact", "employee",
];

/// What the shipped configuration redacts.
pub const DEFAULT_REDACT_KEYS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "api_key",
    "access_key",
    "private_key",
    "credential",
    "cookie",
];

impl Default for Privacy {
    fn default() -> Self {
        Self::new(
            DEFAULT_REDACT_KEYS.iter().map(ToString::to_string),
            AddressKept::Full,
            true,
        )
    }
}

impl Privacy {
    pub fn new(
        redact_keys: impl IntoIterator<Item = String>,
        ip_address: AddressKept,
        keep_user_agent: bool,
    ) -> Self {
        Self {
            redact_keys: redact_keys
                .into_iter()
                .map(|key| folded(&key))
                .filter(|key| !key.is_empty())
                .collect(),
            ip_address,
            keep_user_agent,
            actor_emails: Emails::Keep,
            emails: Emails::Keep,
            is_strict: false,
        }
    }

    pub fn with_emails(self, emails: Emails) -> Self {
        Self {
            actor_emails: emails.clone(),
            emails: if self.is_strict { Emails::Drop } else { emails },
            ..self
        }
    }

    /// Keeps the actor's id and nothing else that is personal.
    pub fn strict(self) -> Self {
        Self {
            ip_address: AddressKept::None,
            keep_user_agent: false,
            emails: Emails::Drop,
            is_strict: true,
            ..self
        }
    }

    pub fn ip_address(&self, address: String) -> Option<String> {
        match self.ip_address {
            AddressKept::Full => Some(address),
            AddressKept::None => None,
            AddressKept::Network => address.parse().ok().map(network_of),
        }
    }

    pub fn user_agent(&self, agent: String) -> Option<String> {
        self.keep_user_agent.then_some(agent)
    }

    fn is_secret_key(&self, key: &str, value: &Value) -> bool {
        let key = folded(key);
        let matched = |pattern: &&String| holds(key.as_bytes(), pattern.as_bytes());
        let Some(pattern) = self.redact_keys.iter().find(matched) else {
            return false;
        };
        // How many tokens a model read is no secret, and worth keeping.
        let counts = pattern == "token" && key != "token" && key != "tokens" && value.is_number();
        !counts
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::Object(object) => self.metadata(object),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::String(text) => {
                if let Cow::Owned(kept) = self.string(text) {
                    *text = kept;
                }
            }
            _ => {}
        }
    }

    /// Borrowed when it may be stored as it is.
    fn string<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.holds_secret(text) {
            Cow::Owned(REDACTED.to_owned())
        } else {
            self.emails.kept(text)
        }
    }
}

impl Redact for Privacy {
    fn metadata(&self, object: &mut Map<String, Value>) {
        let changes = |key: &String| matches!(self.string(key), Cow::Owned(_));
        if object.keys().any(changes) {
            let held = std::mem::take(object);
            // What a key says of its value counts as it came in.
            object.extend(held.into_iter().map(|(key, mut value)| {
                if self.is_secret_key(&key, &value) {
                    value = Value::from(REDACTED);
                }
                (self.string(&key).into_owned(), value)
            }));
        }
        for (key, value) in object.iter_mut() {
            if self.is_secret_key(key, value) {
                *value = Value::from(REDACTED);
            } else {
                self.value(value);
            }
        }
    }

    fn text(&self, text: String) -> String {
        match self.emails.kept(&text) {
            Cow::Owned(kept) => kept,
            Cow::Borrowed(_) => text,
        }
    }

    fn actor(&self, actor: String) -> String {
        match self.actor_emails.kept(&actor) {
            Cow::Owned(kept) => kept,
            Cow::Borrowed(_) => actor,
        }
    }

    /// Those that were dropped are all alike, and none of them is found again.
    fn sought(&self, actor: String) -> String {
        match self.actor_emails {
            Emails::Hash(_) => self.actor(actor),
            Emails::Keep | Emails::Drop => actor,
        }
    }

    fn keeps_name_of(&self, entity_type: Option<&str>) -> bool {
        let is_person = |kind: &str| PEOPLE.iter().any(|one| one.eq_ignore_ascii_case(kind));
        !self.is_strict || !entity_type.is_some_and(is_person)
    }

    /// A Daybook key: `dbk_<id>_<secret>`, wherever it stands in the text.
    fn holds_secret(&self, text: &str) -> bool {
        secret::holds_key(text)
    }
}

/// Both are short, so that setting up a search would take longer than searching.
fn holds(text: &[u8], part: &[u8]) -> bool {
    memchr::memchr_iter(part[0], text).any(|at| text[at..].starts_with(part))
}

/// `Api-Key`, `apiKey` and `API_KEY` are one key.
fn folded(key: &str) -> String {
    if key.is_ascii() {
        let mut folded = String::with_capacity(key.len().min(limits::METADATA_BYTES));
        let kept = key.bytes().filter(u8::is_ascii_alphanumeric);
        folded.extend(
            kept.take(limits::METADATA_BYTES)
                .map(|b| char::from(b.to_ascii_lowercase())),
        );
        return folded;
    }
    key.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .take(limits::METADATA_BYTES)
        .collect()
}

fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn redacted(value: Value) -> Value {
        let Value::Object(mut object) = value else {
            panic!("an object")
        };
        Privacy::default().metadata(&mut object);
        Value::Object(object)
    }

    #[test]
    fn secrets_are_taken_out_at_any_depth_in_any_spelling() {
        assert_eq!(
            redacted(json!({
                "Password": "p", "userPassword2": 1234, "API-KEY": ["a"], "apiKey": {"x": 1},
                "nested": [{"deep": {"Set-Cookie": "c", "ok": 1}}],
                "access_token": "t", "Authorization": "Bearer t", "client_secret": null
            })),
            json!({
                "Password": REDACTED, "userPassword2": REDACTED, "API-KEY": REDACTED, "apiKey": REDACTED,
                "nested": [{"deep": {"Set-Cookie": REDACTED, "ok": 1}}],
                "access_token": REDACTED, "Authorization": REDACTED, "client_secret": REDACTED
            })
        );
    }

    #[test]
    fn a_count_of_tokens_is_kept_and_a_numeric_token_is_not() {
        assert_eq!(
            redacted(json!({"input_tokens": 17, "token": 123456, "id_tokens": "x"})),
            json!({"input_tokens": 17, "token": REDACTED, "id_tokens": REDACTED})
        );
    }

    #[test]
    fn a_daybook_key_is_found_anywhere_in_keys_and_values() {
        assert_eq!(
            redacted(
                json!({"note": "use dbk_a1_s3 here", "dbk_a1_s3": 1, "list": ["dbk_x_y"], "fine": "dbk_ _"})
            ),
            json!({"note": REDACTED, REDACTED: 1, "list": [REDACTED], "fine": "dbk_ _"})
        );
        assert!(Privacy::default().holds_secret("dbk_dbk_a_b"));
    }

    #[test]
    fn e_mail_addresses_go_from_keys_and_values_and_secrets_before_them() {
        let privacy = Privacy::default().with_emails(Emails::Drop);
        let Value::Object(mut object) = json!({
            "to": ["anna@example.org", {"cc": "x bob@example.org"}], "anna@example.org": 1,
            "password of anna@example.org": "p", "n": 5
        }) else {
            panic!("an object")
        };
        privacy.metadata(&mut object);
        let kept = json!({
            "to": ["[email]", {"cc": "x [email]"}], "[email]": 1, "password of [email]": REDACTED, "n": 5
        });
        assert_eq!(Value::Object(object), kept);
    }

    #[test]
    fn strict_keeps_who_it_was_and_nothing_else() {
        let privacy = Privacy::default().with_emails(Emails::Keep).strict();
        assert_eq!(privacy.actor("anna@example.org".into()), "anna@example.org");
        assert_eq!(privacy.text("by anna@example.org".into()), "by [email]");
        assert_eq!(privacy.ip_address("192.0.2.1".into()), None);
        assert_eq!(privacy.user_agent("curl".into()), None);
        assert!(!privacy.keeps_name_of(Some("User")));
        assert!(privacy.keeps_name_of(Some("task")) && privacy.keeps_name_of(None));
        // In whichever order it is said.
        let privacy = Privacy::default().strict().with_emails(Emails::Keep);
        assert_eq!(privacy.text("by anna@example.org".into()), "by [email]");
    }

    #[test]
    fn of_an_address_only_what_is_allowed_is_kept() {
        let kept = |how, address: &str| Privacy::new([], how, true).ip_address(address.into());
        assert_eq!(
            kept(AddressKept::Full, "192.0.2.77").as_deref(),
            Some("192.0.2.77")
        );
        assert_eq!(
            kept(AddressKept::Network, "192.0.2.77").as_deref(),
            Some("192.0.2.0")
        );
        assert_eq!(
            kept(AddressKept::Network, "2001:db8:1:2::7").as_deref(),
            Some("2001:db8:1::")
        );
        assert_eq!(kept(AddressKept::Network, "no address"), None);
        assert_eq!(kept(AddressKept::None, "192.0.2.77"), None);
        assert_eq!(
            Privacy::new([], AddressKept::Full, false).user_agent("x".into()),
            None
        );
    }
}

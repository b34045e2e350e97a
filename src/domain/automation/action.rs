//! What a rule does: it posts JSON to a webhook, signed, or a plain text to a server such as ntfy.

use super::reading::Reader;
use super::rule::words;
use super::template::Template;
use crate::domain::draft::REDACTED;
use crate::domain::{FieldError, secret};
use serde_json::{Map, Value};
use std::fmt;
use std::time::Duration;

/// It is never printed, and stands in no answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// Names and values; a value may be a secret, and is treated as one.
pub type Headers = Vec<(String, Secret)>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Webhook(Webhook),
    Ntfy(Box<Ntfy>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub url: Url,
    /// What the body is signed with.
    pub secret: Option<Secret>,
    pub headers: Headers,
    pub timeout: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ntfy {
    pub url: Url,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<Secret>,
    pub title: Template,
    pub priority: Option<String>,
    pub tags: Vec<String>,
    pub message: Template,
    pub headers: Headers,
    pub timeout: Duration,
}

/// An address of http or https. Its path and query may be secrets: where others read along only `origin` is said.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(String);

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin())
    }
}

const URL_CHARS: usize = 2_048;
const SECRET_CHARS: usize = 256;
const HEADERS: usize = 16;
const HEADER_CHARS: usize = 1_024;
const TEXT_CHARS: usize = 1_024;
const TAGS: usize = 8;
const TIMEOUT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const PRIORITIES: [&str; 11] = [
    "1", "2", "3", "4", "5", "min", "low", "default", "high", "max", "urgent",
];

impl Url {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let wrong = |reason| Err(FieldError::new("url", reason));
        let Some((scheme, rest)) = text.split_once("://") else {
            return wrong("must begin with http:// or https://");
        };
        if !matches!(scheme, "http" | "https") {
            return wrong("must begin with http:// or https://");
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&b);
        if text.len() > URL_CHARS || !rest.bytes().all(allowed) {
            return wrong("must be at most 2048 characters of those that URLs are made of");
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return wrong("must hold no user or password; put them into headers");
        }
        let port = match authority.strip_prefix('[') {
            None => authority.split_once(':').map(|(_, port)| port),
            Some(v6) => v6.split_once("]:").map(|(_, port)| port),
        };
        let host = authority.split(':').next().unwrap_or_default();
        if host.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return wrong("must name a host, and a port from 1 to 65535 if any");
        }
        if secret::holds_key(text) {
            return wrong("holds a Daybook key; put it into headers");
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without its query, which is where keys stand.
    pub fn shown(&self) -> String {
        match self.0.split_once('?') {
            None => self.0.clone(),
            Some((rest, _)) => format!("{rest}?{REDACTED}"),
        }
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        let start = self.0.find("://").map_or(0, |at| at + 3);
        let end = self.0[start..].find(['/', '?']);
        &self.0[..end.map_or(self.0.len(), |end| start + end)]
    }
}

impl Action {
    pub(super) fn take(reader: &mut Reader) -> Option<Self> {
        let (webhook, ntfy) = (reader.object("webhook"), reader.object("ntfy"));
        match (webhook, ntfy) {
            (Some(object), None) => Webhook::read(object, reader).map(Self::Webhook),
            (None, Some(object)) => {
                let ntfy = Ntfy::read(object, reader);
                ntfy.map(|ntfy| Self::Ntfy(Box::new(ntfy)))
            }
            (Some(_), Some(_)) => {
                reader.refuse("ntfy", "cannot be given with webhook");
                None
            }
            (None, None) => {
                if !reader.has_refused("webhook") && !reader.has_refused("ntfy") {
                    reader.refuse("webhook", "is missing; a rule needs webhook or ntfy");
                }
                None
            }
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Ntfy(_) => "ntfy",
        }
    }

    pub fn url(&self) -> &Url {
        match self {
            Self::Webhook(webhook) => &webhook.url,
            Self::Ntfy(ntfy) => &ntfy.url,
        }
    }

    pub fn timeout(&self) -> Duration {
        match self {
            Self::Webhook(webhook) => webhook.timeout,
            Self::Ntfy(ntfy) => ntfy.timeout,
        }
    }

    pub fn headers(&self) -> &Headers {
        match self {
            Self::Webhook(webhook) => &webhook.headers,
            Self::Ntfy(ntfy) => &ntfy.headers,
        }
    }

    pub(super) fn to_json(&self, with_secrets: bool) -> (&'static str, Map<String, Value>) {
        let shown = |secret: &Secret| match with_secrets {
            true => secret.reveal().to_owned(),
            false => REDACTED.to_owned(),
        };
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| drop(object.insert(key.to_owned(), value));
        let url = match with_secrets {
            true => self.url().as_str().to_owned(),
            false => self.url().shown(),
        };
        put("url", url.into());
        match self {
            Self::Webhook(webhook) => {
                put("secret", webhook.secret.as_ref().map(shown).into());
            }
            Self::Ntfy(ntfy) => {
                put("token", ntfy.token.as_ref().map(shown).into());
                put("title", (&ntfy.title).into());
                put("priority", ntfy.priority.clone().into());
                put("tags", ntfy.tags.clone().into());
                put("message", (&ntfy.message).into());
            }
        }
        let headers = self.headers().iter();
        let headers = headers.map(|(name, value)| (name.clone(), shown(value).into()));
        put("headers", Value::Object(headers.collect()));
        put("timeout", words(self.timeout()));
        (self.kind(), object)
    }

    /// What came back as it was told, redacted, is what it was before.
    pub fn with_secrets_of(mut self, former: &Self) -> Self {
        let kept = |one: &mut Option<Secret>, was: Option<&Secret>| {
            if one.as_ref().is_some_and(|one| one.reveal() == REDACTED) {
                *one = was.cloned();
            }
        };
        let held: Headers = former.headers().clone();
        let kept_url = |url: &mut Url| {
            if *url.as_str() == *former.url().shown() {
                *url = former.url().clone();
            }
        };
        let headers = match &mut self {
            Self::Webhook(webhook) => {
                kept_url(&mut webhook.url);
                let was = match former {
                    Self::Webhook(was) => was.secret.as_ref(),
                    Self::Ntfy(_) => None,
                };
                kept(&mut webhook.secret, was);
                &mut webhook.headers
            }
            Self::Ntfy(ntfy) => {
                kept_url(&mut ntfy.url);
                let was = match former {
                    Self::Ntfy(was) => was.token.as_ref(),
                    Self::Webhook(_) => None,
                };
                kept(&mut ntfy.token, was);
                &mut ntfy.headers
            }
        };
        for (name, value) in headers {
            let was = held.iter().find(|(held, _)| held == name);
            if let Some((_, was)) = was.filter(|_| value.reveal() == REDACTED) {
                *value = was.clone();
            }
        }
        self
    }
}

impl Webhook {
    fn read(object: Map<String, Value>, parent: &mut Reader) -> Option<Self> {
        let mut reader = Reader::within(object, "webhook.");
        let url = url(&mut reader);
        let secret = secret_of(&mut reader, "secret");
        let headers = headers(&mut reader);
        let timeout = reader.duration("timeout", TIMEOUT, DEFAULT_TIMEOUT);
        reader.end(parent);
        Some(Self {
            url: url?,
            secret,
            headers,
            timeout,
        })
    }
}

impl Ntfy {
    fn read(object: Map<String, Value>, parent: &mut Reader) -> Option<Self> {
        let mut reader = Reader::within(object, "ntfy.");
        let url = url(&mut reader);
        let token = secret_of(&mut reader, "token");
        let title = template(&mut reader, "title", "Daybook: {rule}");
        let message = template(&mut reader, "message", "{message}");
        let priority = reader.optional_text("priority", 16);
        if priority
            .as_deref()
            .is_some_and(|word| !PRIORITIES.contains(&word))
        {
            reader.refuse("priority", "must be 1 to 5, min, low, default, high or max");
        }
        let tags = reader.texts("tags", TAGS);
        let tag = |tag: &String| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+-".contains(&b);
            (1..=32).contains(&tag.len()) && tag.bytes().all(allowed)
        };
        if !tags.iter().all(tag) {
            reader.refuse("tags", "must be words of A-Z a-z 0-9 _ + -");
        }
        let headers = headers(&mut reader);
        let timeout = reader.duration("timeout", TIMEOUT, DEFAULT_TIMEOUT);
        reader.end(parent);
        Some(Self {
            url: url?,
            token,
            title: title?,
            priority,
            tags,
            message: message?,
            headers,
            timeout,
        })
    }
}

fn url(reader: &mut Reader) -> Option<Url> {
    let text = reader.text("url", URL_CHARS)?;
    reader.check(Url::parse(&text))
}

fn template(reader: &mut Reader, key: &'static str, default: &str) -> Option<Template> {
    let text = reader.optional_text(key, TEXT_CHARS);
    let text = text.unwrap_or_else(|| default.to_owned());
    if key == "title" && text.chars().any(char::is_control) {
        reader.refuse(key, "must be one line");
    }
    if secret::holds_key(&text) {
        reader.refuse(key, "holds a Daybook key");
    }
    reader.check(Template::parse(key, text))
}

fn secret_of(reader: &mut Reader, key: &'static str) -> Option<Secret> {
    let text = reader.optional_text(key, SECRET_CHARS)?;
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
        reader.refuse(key, "must be printable ASCII without blanks, and not empty");
        return None;
    }
    Some(Secret(text))
}

/// They are made by whoever sends.
const NO_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn headers(reader: &mut Reader) -> Headers {
    let object = reader.object("headers").unwrap_or_default();
    if object.len() > HEADERS {
        reader.refuse("headers", format!("are more than {HEADERS}"));
    }
    let mut headers = Headers::new();
    for (name, value) in object {
        let token = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let lower = name.to_ascii_lowercase();
        let is_name = (1..=64).contains(&name.len()) && name.bytes().all(token);
        if !is_name || NO_HEADERS.contains(&lower.as_str()) || lower.starts_with("x-daybook-") {
            let name: String = name.chars().take(64).collect();
            reader.refuse("headers", format!("{name:?} is no header that can be set"));
            continue;
        }
        let plain = |text: &&str| {
            text.len() <= HEADER_CHARS && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
        };
        match value.as_str().filter(plain) {
            Some(text) => headers.push((name, Secret::new(text))),
            None => reader.refuse(
                "headers",
                format!("the value of {name} must be at most 1024 characters of ASCII"),
            ),
        }
    }
    headers
}

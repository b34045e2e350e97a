//! What a receiver is told: the JSON of a webhook and its signature, the text and headers of a plain post.

use crate::domain::automation::{Action, Ntfy, Rule, Secret};
use crate::domain::{Entry, Seq, Stored, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use std::fmt::Write;

/// Of a body, with the entries in it; the oldest are left out first.
const BODY_BYTES: usize = 256 * 1024;
/// What chat programs take as one message.
const TEXT_BYTES: usize = 1_500;
const NTFY_BYTES: usize = 4_000;
const TITLE_BYTES: usize = 250;

pub struct Told<'a> {
    pub rule: &'a Rule,
    pub id: &'a str,
    pub made: Timestamp,
    pub count: u64,
    pub seqs: Vec<Seq>,
    /// The oldest first; those that are in the book still.
    pub entries: &'a [Stored],
    pub is_test: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    automation: &'a str,
    delivery: &'a str,
    test: bool,
    activated_at: String,
    count: u64,
    seqs: &'a [Seq],
    entries: Vec<&'a Entry>,
    /// The same in a sentence, as Slack and its like want it,
    text: &'a str,
    /// and as Discord does.
    content: &'a str,
}

/// A request as it is sent.
pub struct Ready {
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Told<'_> {
    /// `now` in seconds since 1970 stands in what is signed.
    pub fn ready(&self, now: u64) -> Ready {
        let mut headers = vec![("X-Daybook-Delivery".to_owned(), self.id.as_bytes().to_vec())];
        let mut put = |name: &str, value: &str| {
            headers.push((name.to_owned(), value.as_bytes().to_vec()));
        };
        let body = match &self.rule.action {
            Action::Webhook(webhook) => {
                let body = self.json();
                put("Content-Type", "application/json");
                put("X-Daybook-Timestamp", &now.to_string());
                if let Some(secret) = &webhook.secret {
                    put("X-Daybook-Signature", &signature(secret, now, &body));
                }
                body
            }
            Action::Ntfy(ntfy) => {
                put("Content-Type", "text/plain; charset=utf-8");
                put("Title", &self.title(ntfy));
                if let Some(priority) = &ntfy.priority {
                    put("Priority", priority);
                }
                if !ntfy.tags.is_empty() {
                    put("Tags", &ntfy.tags.join(","));
                }
                if let Some(token) = &ntfy.token {
                    put("Authorization", &format!("Bearer {}", token.reveal()));
                }
                self.message(ntfy).into_bytes()
            }
        };
        for (name, value) in self.rule.action.headers() {
            put(name, value.reveal());
        }
        Ready { headers, body }
    }

    fn json(&self) -> Vec<u8> {
        let text = self.sentence();
        let mut first = 0;
        loop {
            let body = Body {
                automation: &self.rule.name,
                delivery: self.id,
                test: self.is_test,
                activated_at: self.made.to_string(),
                count: self.count,
                seqs: &self.seqs,
                entries: self.entries[first..].iter().map(|one| &one.entry).collect(),
                text: &text,
                content: &text,
            };
            let json = serde_json::to_vec(&body).unwrap_or_default();
            if json.len() <= BODY_BYTES || first == self.entries.len() {
                return json;
            }
            first += 1;
        }
    }

    fn sentence(&self) -> String {
        let mut text = match self.entries.last() {
            None => format!("{}: {} entries", self.rule.name, self.count),
            Some(newest) => format!("{}: {}", self.rule.name, newest.entry.message),
        };
        shorten(&mut text, TEXT_BYTES);
        if self.count > 1 && !self.entries.is_empty() {
            let _ = write!(text, " (and {} more)", self.count - 1);
        }
        text
    }

    fn title(&self, ntfy: &Ntfy) -> String {
        let filled = match self.entries.last() {
            None => self.rule.name.clone(),
            Some(one) => {
                let title = &ntfy.title;
                title.filled(&self.rule.name, self.count, &one.entry, TITLE_BYTES)
            }
        };
        filled.replace(char::is_control, " ")
    }

    fn message(&self, ntfy: &Ntfy) -> String {
        match self.entries.last() {
            None => self.sentence(),
            Some(one) => {
                let message = &ntfy.message;
                message.filled(&self.rule.name, self.count, &one.entry, NTFY_BYTES)
            }
        }
    }
}

fn shorten(text: &mut String, most: usize) {
    let end = (0..=most.min(text.len())).rev();
    let end = end.into_iter().find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or(0));
}

/// `sha256=` and the HMAC of the timestamp, a dot and the body.
fn signature(secret: &Secret, now: u64, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes());
    let mut mac = mac.expect("a key of an HMAC may have any length");
    mac.update(format!("{now}.").as_bytes());
    mac.update(body);
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_hmac_of_timestamp_and_body() {
        // python3 -c 'import hmac; print(hmac.new(b"key", b"1700000000.{}", "sha256").hexdigest())'
        assert_eq!(
            signature(&Secret::new("key"), 1_700_000_000, b"{}"),
            "sha256=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
        );
    }
}

//! The thread that sends: it gathers batches, and tries each until it is taken or refused for good.

use super::{Counted, Line};
use crate::client::tls;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// A batch is sent when it holds so much, or when nothing more came for a moment.
const BATCH: (usize, usize) = (500, 1024 * 1024);
const GATHER: Duration = Duration::from_millis(50);
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const LONGEST_ANSWER: u64 = 4 * 1024 * 1024;

pub struct Worker {
    agent: ureq::Agent,
    url: String,
    authorization: Option<String>,
    lines: Receiver<Line>,
    gone: Receiver<()>,
    counted: Arc<Counted>,
    /// What the last attempt came to, so that only changes are told.
    reached: bool,
}

/// What became of a batch.
enum Came {
    /// Each is in the book or refused for good; these are to be sent again.
    Again(Vec<usize>),
    /// Nothing of it was taken, and later it may be.
    Later {
        why: String,
        after: Option<Duration>,
    },
    /// Nothing of it will ever be taken as it is.
    Never(String),
}

impl Worker {
    pub fn new(
        url: String,
        authorization: Option<String>,
        lines: Receiver<Line>,
        gone: Receiver<()>,
        counted: Arc<Counted>,
    ) -> Self {
        Self {
            agent: agent(),
            url,
            authorization,
            lines,
            gone,
            counted,
            reached: true,
        }
    }

    pub fn run(mut self) {
        while let Some(batch) = self.gather() {
            self.deliver(batch);
        }
    }

    /// The next batch; none when nobody is left who could record.
    fn gather(&self) -> Option<Vec<Line>> {
        let first = self.lines.recv().ok()?;
        let mut bytes = first.len();
        let mut batch = vec![first];
        while batch.len() < BATCH.0 && bytes < BATCH.1 {
            match self.lines.recv_timeout(GATHER) {
                Ok(line) => {
                    bytes += line.len();
                    batch.push(line);
                }
                Err(_) => break,
            }
        }
        Some(batch)
    }

    /// Sends it until all of it is taken or refused.
    fn deliver(&mut self, mut batch: Vec<Line>) {
        let mut pause = BACK_OFF.0;
        while !batch.is_empty() {
            let (why, after) = match self.post(&batch) {
                Came::Again(places) => {
                    self.note_reached();
                    let mut place = 0;
                    batch.retain(|line| {
                        let again = places.contains(&place);
                        place += 1;
                        if !again {
                            self.counted.left(1, line.len());
                        }
                        again
                    });
                    if batch.is_empty() {
                        return;
                    }
                    ("it is busy".to_owned(), None)
                }
                Came::Later { why, after } => (why, after),
                Came::Never(why) if batch.len() == 1 => return self.give_up(&batch, &why),
                Came::Never(_) => {
                    // It may be too large there, or one of it spoils it.
                    let rest = batch.split_off(batch.len() / 2);
                    self.deliver(batch);
                    return self.deliver(rest);
                }
            };
            self.note_unreached(&why);
            let wait = after.unwrap_or(pause).clamp(pause, BACK_OFF.1);
            pause = (pause * 2).min(BACK_OFF.1);
            if let Err(RecvTimeoutError::Disconnected) = self.gone.recv_timeout(wait) {
                // The program ends: once more, and that was it.
                if !matches!(self.post(&batch), Came::Again(places) if places.is_empty()) {
                    return self.give_up(&batch, &why);
                }
                let bytes = batch.iter().map(Line::len).sum();
                return self.counted.left(batch.len(), bytes);
            }
        }
    }

    fn post(&self, batch: &[Line]) -> Came {
        let mut request = self.agent.post(&self.url);
        request = request.header("Content-Type", "application/x-ndjson");
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let later = |why: String, after| Came::Later { why, after };
        let mut answer = match request.send(batch.join("\n")) {
            Ok(answer) => answer,
            Err(error) => return later(error.to_string(), None),
        };
        let status = answer.status().as_u16();
        let after = answer.headers().get("retry-after");
        let after = after.and_then(|value| value.to_str().ok()?.parse().ok());
        let body = answer.body_mut().with_config().limit(LONGEST_ANSWER);
        let told = match body.read_to_vec() {
            Ok(body) => serde_json::from_slice(&body).unwrap_or(Value::Null),
            Err(error) => return later(error.to_string(), None),
        };
        let why = || match told["detail"].as_str() {
            Some(detail) => format!("{status}: {detail}"),
            None => format!("status {status}"),
        };
        match status {
            200 => self.outcome(batch.len(), &told),
            // Recording is switched off there, which is its owner's will and no loss.
            202 => Came::Again(Vec::new()),
            400 | 413 => Came::Never(why()),
            // A daemon that is busy, or a key that is not taken, which its owner can mend.
            _ => later(why(), after.map(Duration::from_secs)),
        }
    }

    fn outcome(&self, entries: usize, told: &Value) -> Came {
        let rejected = told["rejected"].as_array().map_or(&[][..], Vec::as_slice);
        let (mut again, mut refused) = (Vec::new(), 0);
        for one in rejected {
            // `entry` is wrong where the daemon could not take it; any other field is wrong for good.
            let is_whole = one["errors"][0]["field"] == "entry"
                && one["errors"][0]["reason"]
                    .as_str()
                    .is_some_and(|r| r.contains("try again"));
            match one["index"].as_u64().map(usize::try_from) {
                Some(Ok(place)) if is_whole => again.push(place),
                _ => refused += 1,
            }
        }
        if refused > 0 {
            let first = &rejected[0]["errors"];
            log::warn!(
                "{}: {refused} entries were refused, the first for {first}",
                self.url
            );
        }
        let taken = entries.saturating_sub(again.len() + refused);
        self.counted.sent.fetch_add(taken as u64, Ordering::Relaxed);
        self.counted
            .lost
            .fetch_add(refused as u64, Ordering::Relaxed);
        Came::Again(again)
    }

    fn give_up(&self, batch: &[Line], why: &str) {
        log::warn!("{}: {} entries are lost: {why}", self.url, batch.len());
        self.counted
            .lost
            .fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.counted
            .left(batch.len(), batch.iter().map(Line::len).sum());
    }

    fn note_reached(&mut self) {
        if !std::mem::replace(&mut self.reached, true) {
            let lost = self.counted.lost.load(Ordering::Relaxed);
            log::info!(
                "{}: entries are taken again; {lost} were lost so far",
                self.url
            );
        }
    }

    fn note_unreached(&mut self, why: &str) {
        if std::mem::replace(&mut self.reached, false) {
            log::warn!("{}: entries wait and are sent again: {why}", self.url);
        }
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .tls_config(tls::trusted())
        .timeout_global(Some(ANSWER_WITHIN))
        .build()
        .into()
}

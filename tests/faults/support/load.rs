//! Senders that post as fast as they are answered, and note what was acknowledged and what is in doubt.

use super::client::Client;
use super::eventually;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Entries in one bulk.
const BULK: usize = 40;

/// An entry of which the daemon said that it is in the book.
#[derive(Debug, Clone)]
pub struct Ack {
    pub id: String,
    /// A bulk's answer does not name each.
    pub seq: Option<i64>,
}

#[derive(Debug, Default)]
pub struct Report {
    pub acks: Vec<Ack>,
    /// Sent, and never answered.
    pub doubts: Vec<String>,
    /// Answers that said no, by status.
    pub refusals: Vec<u16>,
}

pub struct Load {
    senders: Vec<JoinHandle<Report>>,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
}

impl Load {
    /// Three connections that post single entries and one that posts bulks. What was in doubt before is
    /// sent again first, under its old ids.
    pub fn start(address: SocketAddr, name: &str, doubts: &[String]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let senders = (0..4)
            .map(|number| {
                let sender = Sender {
                    address,
                    name: format!("{name}-{number}"),
                    stop: Arc::clone(&stop),
                    acknowledged: Arc::clone(&acknowledged),
                    report: Report::default(),
                };
                let again = if number == 0 {
                    doubts.to_vec()
                } else {
                    Vec::new()
                };
                std::thread::spawn(move || sender.run(again, number == 3))
            })
            .collect();
        Self {
            senders,
            stop,
            acknowledged,
        }
    }

    /// Comes back when so many entries are acknowledged.
    pub fn reach(&self, entries: usize) {
        let what = format!("{entries} acknowledged entries");
        eventually(&what, Duration::from_secs(30), || {
            let over = self.senders.iter().all(JoinHandle::is_finished);
            (over || self.acknowledged.load(Ordering::Relaxed) >= entries).then_some(())
        });
    }

    /// Tells the senders to stop, and collects what they know.
    pub fn finish(self) -> Report {
        self.stop.store(true, Ordering::Relaxed);
        let mut whole = Report::default();
        for sender in self.senders {
            let report = sender.join().unwrap();
            whole.acks.extend(report.acks);
            whole.doubts.extend(report.doubts);
            whole.refusals.extend(report.refusals);
        }
        whole
    }
}

struct Sender {
    address: SocketAddr,
    name: String,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    report: Report,
}

impl Sender {
    /// Until it is told to stop, or the connection ends.
    fn run(mut self, again: Vec<String>, bulks: bool) -> Report {
        let Ok(mut client) = Client::connect(self.address) else {
            return self.report;
        };
        for id in again {
            if !self.send(&mut client, std::slice::from_ref(&id)) {
                return self.report;
            }
        }
        let mut number = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let count = if bulks { BULK } else { 1 };
            let ids: Vec<String> = (number..number + count)
                .map(|n| format!("{}-{n}", self.name))
                .collect();
            number += count;
            if !self.send(&mut client, &ids) {
                break;
            }
        }
        self.report
    }

    /// False when no answer came.
    fn send(&mut self, client: &mut Client, ids: &[String]) -> bool {
        let body: String = ids.iter().map(|id| line(id)).collect();
        let answer = match ids {
            [_] => client.post("application/json", &body),
            _ => client.post("application/x-ndjson", &body),
        };
        match answer {
            Ok(answer) if matches!(answer.status, 200 | 201) => {
                let told = answer.json();
                let before = self.report.acks.len();
                match ids {
                    [id] => self.report.acks.push(Ack {
                        id: id.clone(),
                        seq: told["seq"].as_i64(),
                    }),
                    _ => self.report.acks.extend(accepted(ids, &told)),
                }
                let more = self.report.acks.len() - before;
                self.acknowledged.fetch_add(more, Ordering::Relaxed);
                true
            }
            Ok(answer) => {
                self.report.refusals.push(answer.status);
                !answer.head.contains("connection: close")
            }
            Err(_) => {
                self.report.doubts.extend_from_slice(ids);
                false
            }
        }
    }
}

pub fn line(id: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"category\":\"device\",\"action\":\"lamp.switched\",\"message\":\"{}\"}}\n",
        "the lamp of the hall ".repeat(8)
    )
}

fn accepted(ids: &[String], told: &serde_json::Value) -> Vec<Ack> {
    let rejected = told["rejected"].as_array().cloned().unwrap_or_default();
    let refused = |index: usize| rejected.iter().any(|one| one["index"] == index);
    let taken = ids.iter().enumerate().filter(|(index, _)| !refused(*index));
    let acks: Vec<Ack> = taken
        .map(|(_, id)| Ack {
            id: id.clone(),
            seq: None,
        })
        .collect();
    let counted = told["accepted"].as_u64().unwrap() + told["duplicates"].as_u64().unwrap();
    assert_eq!(counted, acks.len() as u64, "{told}");
    acks
}

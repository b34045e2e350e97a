//! The metrics: every name, its unit and its labels, in one place.
//!
//! A clone is a handle on the same numbers. What is counted for every entry or request is a plain atomic;
//! counters with labels are found once and kept.

use super::CaptureNumbers;
use super::captures::Captures;
use super::process::Process;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How the text of [`Metrics::encode`] is called over HTTP.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The route label of a request that no route took, so that strangers' paths make no series.
pub const UNMATCHED: &str = "unmatched";

/// From the tenth of a millisecond that a fast disk takes to the seconds of a bad day.
const COMMIT_SECONDS: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];
const GROUP_ENTRIES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 256.0, 1000.0, 2000.0];
const REQUEST_SECONDS: [f64; 11] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0,
];

/// Why an entry was not taken, by its own fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// A field is wrong.
    Invalid,
    /// It is not one JSON object.
    Malformed,
    TooLarge,
    /// It says what its principal may not say.
    NotAllowed,
}

/// Why entries were not taken, by ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    QueueFull,
    DiskFull,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: Arc<str>,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: Arc<str>,
}

/// What automations came to.
#[derive(Debug, Clone, Default)]
pub struct AutomationNumbers {
    pub activated: Counter,
    pub delivered: Counter,
    pub failed: Counter,
    pub pending: Gauge,
}

impl AutomationNumbers {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "daybook_automation_activations",
            "How often automations were set off",
            self.activated.clone(),
        );
        registry.register(
            "daybook_automation_delivered",
            "Deliveries that their receivers took",
            self.delivered.clone(),
        );
        registry.register(
            "daybook_automation_failed",
            "Deliveries that were given up",
            self.failed.clone(),
        );
        registry.register(
            "daybook_automation_pending",
            "Deliveries that wait",
            self.pending.clone(),
        );
    }
}

#[derive(Debug, Clone)]
pub struct Metrics {
    pub entries_recorded: Counter,
    pub entries_duplicate: Counter,
    pub recorder_lost: Counter,
    pub commit_group_entries: Histogram,
    pub writer_queue_entries: Gauge,
    pub writer_queue_bytes: Gauge,
    pub book_bytes: Gauge,
    pub bodies_refused: Counter,
    pub last_seq: Gauge,
    pub backups_failed: Counter,
    pub automations: AutomationNumbers,
    commit_duration: Histogram,
    rejected: [Counter; 4],
    refused: [Counter; 2],
    requests: Family<Request, Counter>,
    request_duration: Family<Route, Histogram, fn() -> Histogram>,
    captures: Captures,
    registry: Arc<Registry>,
}

impl Metrics {
    /// `started` is when the process was.
    pub fn new(version: &str, started: SystemTime) -> Self {
        let rejected = Family::<Reason, Counter>::default();
        let refused = Family::<Reason, Counter>::default();
        let reason = |family: &Family<Reason, Counter>, reason| {
            family.get_or_create_owned(&Reason { reason })
        };
        let mut metrics = Self {
            entries_recorded: Counter::default(),
            entries_duplicate: Counter::default(),
            recorder_lost: Counter::default(),
            commit_group_entries: Histogram::new(GROUP_ENTRIES),
            writer_queue_entries: Gauge::default(),
            writer_queue_bytes: Gauge::default(),
            book_bytes: Gauge::default(),
            bodies_refused: Counter::default(),
            last_seq: Gauge::default(),
            backups_failed: Counter::default(),
            automations: AutomationNumbers::default(),
            commit_duration: Histogram::new(COMMIT_SECONDS),
            rejected: ["invalid", "malformed", "too_large", "not_allowed"]
                .map(|name| reason(&rejected, name)),
            refused: ["queue_full", "disk_full"].map(|name| reason(&refused, name)),
            requests: Family::default(),
            request_duration: Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS)),
            captures: Captures::default(),
            registry: Arc::default(),
        };
        let mut registry = Registry::default();
        metrics.register_book(&mut registry, rejected);
        metrics.register_writer(&mut registry, refused);
        metrics.register_http(&mut registry);
        metrics.captures.register(&mut registry);
        metrics.automations.register(&mut registry);
        register_process(&mut registry, version, started);
        metrics.registry = Arc::new(registry);
        metrics
    }

    fn register_book(&self, registry: &mut Registry, rejected: Family<Reason, Counter>) {
        registry.register(
            "daybook_entries_recorded",
            "Entries committed to the book",
            self.entries_recorded.clone(),
        );
        registry.register(
            "daybook_entries_duplicate",
            "Entries that were in the book already",
            self.entries_duplicate.clone(),
        );
        registry.register(
            "daybook_entries_rejected",
            "Entries that were not taken, by their own fault",
            rejected,
        );
        registry.register(
            "daybook_recorder_lost",
            "What happened in the daemon and could not be recorded",
            self.recorder_lost.clone(),
        );
        registry.register_with_unit(
            "daybook_book",
            "Size of the book on disk",
            Unit::Bytes,
            self.book_bytes.clone(),
        );
        registry.register(
            "daybook_last_seq",
            "The newest seq of the book",
            self.last_seq.clone(),
        );
        registry.register(
            "daybook_backups_failed",
            "Tries of a scheduled backup that failed",
            self.backups_failed.clone(),
        );
    }

    fn register_writer(&self, registry: &mut Registry, refused: Family<Reason, Counter>) {
        registry.register_with_unit(
            "daybook_commit_duration",
            "How long one commit took, until it was on disk",
            Unit::Seconds,
            self.commit_duration.clone(),
        );
        registry.register(
            "daybook_commit_group_entries",
            "Entries in one commit",
            self.commit_group_entries.clone(),
        );
        registry.register(
            "daybook_writer_queue_entries",
            "Entries that wait for the writer",
            self.writer_queue_entries.clone(),
        );
        registry.register_with_unit(
            "daybook_writer_queue",
            "Bytes that wait for the writer",
            Unit::Bytes,
            self.writer_queue_bytes.clone(),
        );
        registry.register(
            "daybook_writer_refused",
            "Entries that were not taken, for want of room",
            refused,
        );
    }

    fn register_http(&self, registry: &mut Registry) {
        registry.register(
            "daybook_bodies_refused",
            "Requests refused because all bodies together held what they may",
            self.bodies_refused.clone(),
        );
        registry.register(
            "daybook_http_requests",
            "Requests answered",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "daybook_http_request_duration",
            "From a request's headers to its answer's",
            Unit::Seconds,
            self.request_duration.clone(),
        );
    }

    /// One commit: how many entries, and how long it took.
    pub fn committed(&self, entries: usize, took: Duration) {
        self.commit_group_entries.observe(entries as f64);
        self.commit_duration.observe(took.as_secs_f64());
    }

    pub fn rejected(&self, why: Rejection) -> &Counter {
        &self.rejected[why as usize]
    }

    pub fn refused(&self, why: Refusal) -> &Counter {
        &self.refused[why as usize]
    }

    /// The numbers of one capture, to be made once and kept.
    pub fn capture(&self, name: &str) -> CaptureNumbers {
        self.captures.of(name)
    }

    /// The numbers of one route, to be made once and kept.
    pub fn route(&self, method: &str, pattern: &str) -> HttpRoute {
        let (method, route) = (method_label(method), Arc::from(pattern));
        let labels = Route { method, route };
        HttpRoute {
            duration: self.request_duration.get_or_create_owned(&labels),
            requests: self.requests.clone(),
            labels,
            common: Default::default(),
        }
    }

    /// Everything, in the OpenMetrics text format, which Prometheus reads as its own.
    pub fn encode(&self) -> String {
        let mut out = String::new();
        text::encode(&mut out, &self.registry).expect("a String takes all that is written");
        out
    }
}

fn register_process(registry: &mut Registry, version: &str, started: SystemTime) {
    registry.register(
        "daybook_build",
        "What is running",
        Info::new([("version", version.to_owned())]),
    );
    let started = started.duration_since(UNIX_EPOCH).unwrap_or_default();
    registry.register_with_unit(
        "process_start_time",
        "When this process started, since 1970",
        Unit::Seconds,
        ConstGauge::new(started.as_secs_f64()),
    );
    registry.register_collector(Box::new(Process));
}

/// The statuses of nearly all answers.
const COMMON: [u16; 8] = [200, 201, 202, 304, 400, 401, 404, 503];

/// The numbers of one method on one route.
#[derive(Debug, Clone)]
pub struct HttpRoute {
    labels: Route,
    duration: Histogram,
    requests: Family<Request, Counter>,
    /// Made when first needed, so that no series stands for an answer that never was.
    common: [OnceLock<Counter>; COMMON.len()],
}

impl HttpRoute {
    pub fn answered(&self, status: u16, took: Duration) {
        self.duration.observe(took.as_secs_f64());
        match COMMON.iter().position(|common| *common == status) {
            Some(at) => self.common[at].get_or_init(|| self.counter(status)).inc(),
            None => self.counter(status).inc(),
        };
    }

    fn counter(&self, status: u16) -> Counter {
        self.requests.get_or_create_owned(&Request {
            method: self.labels.method,
            route: self.labels.route.clone(),
            status,
        })
    }
}

/// A client may call its method anything; the series may not.
fn method_label(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    let known = KNOWN.into_iter().find(|known| *known == method);
    known.unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Metrics {
        Metrics::new("1.2.3", UNIX_EPOCH + Duration::from_secs(1000))
    }

    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}

    #[test]
    fn every_name_of_the_vocabulary_is_told() {
        let metrics = metrics();
        shared(&metrics);
        metrics.entries_recorded.inc_by(3);
        metrics.committed(3, Duration::from_millis(2));
        metrics.rejected(Rejection::NotAllowed).inc();
        metrics.refused(Refusal::DiskFull).inc();
        metrics.writer_queue_bytes.set(77);
        metrics.last_seq.set(9);
        let route = metrics.route("POST", "/api/v1/activity");
        route.answered(201, Duration::from_millis(1));
        route.answered(201, Duration::from_millis(1));
        route.answered(418, Duration::from_millis(1));
        let text = metrics.encode();
        for line in [
            "daybook_entries_recorded_total 3",
            "daybook_entries_duplicate_total 0",
            "daybook_recorder_lost_total 0",
            "daybook_entries_rejected_total{reason=\"invalid\"} 0",
            "daybook_entries_rejected_total{reason=\"malformed\"} 0",
            "daybook_entries_rejected_total{reason=\"too_large\"} 0",
            "daybook_entries_rejected_total{reason=\"not_allowed\"} 1",
            "daybook_commit_duration_seconds_bucket{le=\"0.0025\"} 1",
            "daybook_commit_group_entries_sum 3.0",
            "daybook_writer_queue_entries 0",
            "daybook_writer_queue_bytes 77",
            "daybook_writer_refused_total{reason=\"queue_full\"} 0",
            "daybook_writer_refused_total{reason=\"disk_full\"} 1",
            "daybook_http_requests_total{method=\"POST\",route=\"/api/v1/activity\",status=\"201\"} 2",
            "daybook_http_requests_total{method=\"POST\",route=\"/api/v1/activity\",status=\"418\"} 1",
            "daybook_http_request_duration_seconds_count{method=\"POST\",route=\"/api/v1/activity\"} 3",
            "daybook_book_bytes 0",
            "daybook_bodies_refused_total 0",
            "daybook_last_seq 9",
            "daybook_backups_failed_total 0",
            "daybook_automation_activations_total 0",
            "daybook_automation_delivered_total 0",
            "daybook_automation_failed_total 0",
            "daybook_automation_pending 0",
            "daybook_build_info{version=\"1.2.3\"} 1",
            "process_start_time_seconds 1000.0",
            "# EOF",
        ] {
            assert!(text.lines().any(|told| told == line), "{line}\n{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_tells_its_memory_and_its_time() {
        let text = metrics().encode();
        assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
        assert!(text.contains("\nprocess_cpu_seconds_total "), "{text}");
    }

    #[test]
    fn strangers_make_no_series_with_their_methods() {
        let metrics = metrics();
        let took = Duration::from_millis(1);
        metrics.route("BREW", UNMATCHED).answered(404, took);
        let series = "{method=\"other\",route=\"unmatched\",status=\"404\"} 1";
        assert!(metrics.encode().contains(series));
    }
}

//! The numbers of the captures: every name and its labels. They are what the API tells as well.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Capture {
    capture: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Dropped {
    capture: String,
    reason: &'static str,
}

/// Why a line is not in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The kernel had no room for a datagram.
    Kernel,
    /// More came over UDP than `lines_per_second`.
    Rate,
    /// Recording is switched off.
    Off,
    /// The capture stopped before the book took it.
    Stopping,
}

impl Why {
    pub const ALL: [Self; 4] = [Self::Kernel, Self::Rate, Self::Off, Self::Stopping];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Rate => "rate",
            Self::Off => "off",
            Self::Stopping => "stopping",
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Captures {
    running: Family<Capture, Gauge>,
    received: Family<Capture, Counter>,
    recorded: Family<Capture, Counter>,
    cut: Family<Capture, Counter>,
    rejected: Family<Capture, Counter>,
    bytes: Family<Capture, Counter>,
    dropped: Family<Dropped, Counter>,
}

/// Of one capture.
#[derive(Debug, Clone)]
pub struct CaptureNumbers {
    pub running: Gauge,
    /// Lines that came in, those that were dropped by us among them.
    pub received: Counter,
    pub recorded: Counter,
    /// Recorded, and changed to fit.
    pub cut: Counter,
    /// Could not be made to fit, or stands in the book already.
    pub rejected: Counter,
    pub bytes: Counter,
    dropped: [Counter; 4],
}

impl CaptureNumbers {
    pub fn dropped(&self, why: Why) -> &Counter {
        &self.dropped[why as usize]
    }
}

impl Captures {
    pub fn of(&self, name: &str) -> CaptureNumbers {
        let capture = Capture {
            capture: name.to_owned(),
        };
        let dropped = |why: Why| {
            self.dropped.get_or_create_owned(&Dropped {
                capture: name.to_owned(),
                reason: why.as_str(),
            })
        };
        CaptureNumbers {
            running: self.running.get_or_create_owned(&capture),
            received: self.received.get_or_create_owned(&capture),
            recorded: self.recorded.get_or_create_owned(&capture),
            cut: self.cut.get_or_create_owned(&capture),
            rejected: self.rejected.get_or_create_owned(&capture),
            bytes: self.bytes.get_or_create_owned(&capture),
            dropped: Why::ALL.map(dropped),
        }
    }

    pub fn register(&self, registry: &mut Registry) {
        let running = self.running.clone();
        registry.register(
            "daybook_capture_running",
            "Whether a capture takes lines in",
            running,
        );
        let counted = [
            (
                "received",
                "Lines that came in through a capture",
                &self.received,
            ),
            (
                "recorded",
                "Lines of a capture that were committed",
                &self.recorded,
            ),
            (
                "cut",
                "Lines of a capture that were changed to fit",
                &self.cut,
            ),
            (
                "rejected",
                "Lines of a capture that could not be recorded",
                &self.rejected,
            ),
        ];
        for (name, help, family) in counted {
            registry.register(
                format!("daybook_capture_lines_{name}"),
                help,
                family.clone(),
            );
        }
        registry.register(
            "daybook_capture_lines_dropped",
            "Lines of a capture that are lost",
            self.dropped.clone(),
        );
        registry.register_with_unit(
            "daybook_capture_received",
            "What came in through a capture",
            Unit::Bytes,
            self.bytes.clone(),
        );
    }
}

//! What the kernel knows of this process, read when somebody asks. Where there is no /proc, nothing is told.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// `/proc` counts in these, whatever the kernel's own tick: USER_HZ, 100 on every Linux of ours.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug)]
pub struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        if let Some(bytes) = resident_bytes(&read("/proc/self/status")) {
            let gauge = ConstGauge::new(bytes);
            let help = "Memory of this process that is in RAM.";
            gauge.encode(encoder.encode_descriptor(
                "process_resident_memory",
                help,
                Some(&Unit::Bytes),
                prometheus_client::metrics::MetricType::Gauge,
            )?)?;
        }
        if let Some(seconds) = cpu_seconds(&read("/proc/self/stat")) {
            let counter = ConstCounter::new(seconds);
            let help = "Processor time of this process, user and system.";
            counter.encode(encoder.encode_descriptor(
                "process_cpu",
                help,
                Some(&Unit::Seconds),
                prometheus_client::metrics::MetricType::Counter,
            )?)?;
        }
        Ok(())
    }
}

fn resident_bytes(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kib: i64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The fields are counted after the name, which stands in parentheses and may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_time_are_read_whatever_the_process_is_called() {
        let status = "Name:\tdaybook\nVmRSS:\t   12345 kB\nThreads:\t4\n";
        assert_eq!(resident_bytes(status), Some(12_345 * 1024));
        let stat = "7 (a) b) c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 99 1 1";
        assert_eq!(cpu_seconds(stat), Some(3.0));
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(resident_bytes(""), None);
        assert_eq!(cpu_seconds(""), None);
        assert_eq!(cpu_seconds("1 (x) S 1"), None);
    }
}

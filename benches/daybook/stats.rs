//! The few statistics that are needed: medians, spreads, percentiles, and what happened within a time.

use std::time::{Duration, Instant};

pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        return sorted.get(middle).copied();
    }
    let (low, high) = (sorted.get(middle.checked_sub(1)?)?, sorted.get(middle)?);
    Some((low + high) / 2.0)
}

/// The lowest and the highest.
pub fn spread(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().min_by(f64::total_cmp)?;
    let high = values.iter().copied().max_by(f64::total_cmp)?;
    Some((low, high))
}

/// The measured time, after the warm-up.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub begin: Instant,
    pub end: Instant,
}

impl Window {
    pub fn after(warm_up: Duration, measure: Duration) -> Self {
        let begin = Instant::now() + warm_up;
        Self {
            begin,
            end: begin + measure,
        }
    }
}

/// What one sender got done.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Requests within the measured time. One across its edge counts by the part of it that was inside, so
    /// that a few long ones are measured as finely as many short ones.
    pub done: f64,
    /// All that were answered, the warm-up's and the last ones too.
    pub acknowledged: u64,
    pub latencies: Latencies,
}

impl Tally {
    pub fn note(&mut self, window: Window, began: Instant, done: Instant) {
        self.acknowledged += 1;
        let (from, to) = (began.max(window.begin), done.min(window.end));
        let inside = to.saturating_duration_since(from).as_secs_f64();
        let whole = done.saturating_duration_since(began).as_secs_f64();
        if whole > 0.0 {
            self.done += inside / whole;
        }
        if done >= window.begin && done < window.end {
            self.latencies.note(done - began);
        }
    }

    pub fn add(&mut self, other: Self) {
        self.done += other.done;
        self.acknowledged += other.acknowledged;
        self.latencies.0.extend(other.latencies.0);
    }
}

/// Latencies, gathered as they come.
#[derive(Debug, Clone, Default)]
pub struct Latencies(Vec<u32>);

impl Latencies {
    pub fn note(&mut self, took: Duration) {
        self.0
            .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    /// In milliseconds; `part` of 0.99 is what ninety-nine of a hundred stayed under.
    pub fn percentile(&mut self, part: f64) -> f64 {
        if self.0.is_empty() {
            return f64::NAN;
        }
        let last = self.0.len() - 1;
        let index = (last as f64 * part).round() as usize;
        let (_, value, _) = self.0.select_nth_unstable(index.min(last));
        f64::from(*value) / 1000.0
    }
}

//! How far a long command is: a bar on a terminal, a line now and then anywhere else.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// How often the bar is drawn anew.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
const WIDTH: usize = 30;

pub struct Bar {
    terminal: bool,
    /// Of what is read; none when that is not known.
    bytes: Option<u64>,
    told: Instant,
}

impl Bar {
    pub fn new(bytes: Option<u64>) -> Self {
        Self {
            terminal: stderr().is_terminal(),
            bytes: bytes.filter(|bytes| *bytes > 0),
            told: Instant::now(),
        }
    }

    pub fn at(&mut self, entries: u64, read: u64) {
        let every = if self.terminal {
            DRAW_EVERY
        } else {
            LINE_EVERY
        };
        if self.told.elapsed() < every {
            return;
        }
        self.told = Instant::now();
        let text = match self.bytes {
            None => format!("{entries} entries"),
            Some(bytes) if self.terminal => format!("{} {entries} entries", drawn(read, bytes)),
            Some(bytes) => format!("{} % {entries} entries", percent(read, bytes)),
        };
        // Nobody to show it to is no failure of the command.
        let _ = match self.terminal {
            true => write!(stderr().lock(), "\r{text}\x1b[K"),
            false => writeln!(stderr().lock(), "{text}"),
        };
    }
}

/// However the command ends, it leaves no half a bar behind.
impl Drop for Bar {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write!(stderr().lock(), "\r\x1b[K");
        }
    }
}

fn percent(read: u64, bytes: u64) -> u64 {
    (read.saturating_mul(100) / bytes.max(1)).min(100)
}

fn drawn(read: u64, bytes: u64) -> String {
    let percent = percent(read, bytes);
    let full = WIDTH * usize::try_from(percent).unwrap_or(0) / 100;
    format!(
        "[{}{}] {percent:>3} %",
        "#".repeat(full),
        " ".repeat(WIDTH - full)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_empty_at_the_beginning_and_full_at_the_end() {
        assert_eq!(drawn(0, 10), format!("[{}]   0 %", " ".repeat(30)));
        assert_eq!(
            drawn(5, 10),
            format!("[{}{}]  50 %", "#".repeat(15), " ".repeat(15))
        );
        assert_eq!(drawn(11, 10), format!("[{}] 100 %", "#".repeat(30)));
    }
}

//! Telemetry lines: `log` as the face, env_logger behind it. The journal keeps time and priority itself, so
//! there a line is its priority and its message; anywhere else it says when and how grave as well.

use log::{Level, LevelFilter, Record};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::time::SystemTime;

/// What is written when nobody asked for more or less. What strangers send that is no HTTP is not worth a line
/// each: it would let them fill the log.
pub const DEFAULT_FILTER: &str = "info,actix_server=warn,actix_http=off";

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `<6>message`
    Journal,
    /// `2026-01-31T08:00:00.000Z INFO  message`
    Dated,
}

impl Shape {
    /// The shape for standard error, given `JOURNAL_STREAM`. systemd sets it to the device and inode of the
    /// stream that it made, and a shell within a service hands it on although its own output goes elsewhere.
    pub fn of_stderr(journal_stream: Option<&str>) -> Self {
        let Some(stream) = journal_stream else {
            return Self::Dated;
        };
        let file = io::stderr().as_fd().try_clone_to_owned();
        let metadata = file.and_then(|fd| std::fs::File::from(fd).metadata());
        match metadata {
            Ok(file) if names_stream(stream, file.dev(), file.ino()) => Self::Journal,
            _ => Self::Dated,
        }
    }
}

fn names_stream(text: &str, device: u64, inode: u64) -> bool {
    text.split_once(':').is_some_and(|(dev, ino)| {
        dev.parse() == Ok::<u64, _>(device) && ino.parse() == Ok::<u64, _>(inode)
    })
}

/// What `--log` may say: a level, or levels by module as in `RUST_LOG`. A word that is neither would silence
/// everything, so it is refused.
pub fn log_filter(text: &str) -> Result<String, String> {
    for part in text.split(',').map(str::trim) {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        if level.parse::<LevelFilter>().is_err() {
            return Err(format!(
                "{part:?} is not a level: off, error, warn, info, debug or trace, or MODULE=LEVEL"
            ));
        }
    }
    Ok(text.to_owned())
}

/// Starts telemetry. Later calls change nothing, so that tests may share a process.
pub fn init(filter: &str, shape: Shape) {
    let mut builder = env_logger::Builder::new();
    builder
        .parse_filters(filter)
        .target(env_logger::Target::Stderr)
        .format(move |out, record| {
            if tells_all(record) {
                return Ok(());
            }
            let text = line(shape, SystemTime::now(), record);
            out.write_all(text.as_bytes())
        });
    // The only error is that a logger is there already.
    let _ = builder.try_init();
}

/// The HTTP client writes out its requests, with the secrets in them; whoever asked for all did not ask for those.
fn tells_all(record: &Record<'_>) -> bool {
    let target = record.target();
    record.level() >= Level::Debug && (target.starts_with("ureq") || target.starts_with("rustls"))
}

/// A panic is told as everything else is, and not in the runtime's own way past the priorities.
pub fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| {
        log::error!("{panic}");
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            log::error!("{trace}");
        }
    }));
}

/// One record as it is written, with its line end.
fn line(shape: Shape, at: SystemTime, record: &Record<'_>) -> String {
    let message = match foreign(record.target()) {
        Some(target) => format!("{target}: {}", record.args()),
        None => record.args().to_string(),
    };
    let head = match shape {
        Shape::Journal => format!("<{}>", priority(record.level())),
        Shape::Dated => {
            let at = humantime::format_rfc3339_millis(at);
            format!("{at} {:<5} ", record.level())
        }
    };
    let mut out = String::with_capacity(head.len() + message.len() + 1);
    for (i, text) in message.trim_end().split('\n').enumerate() {
        // The journal takes each line on its own; elsewhere what goes on is set in, so that no text from
        // outside can pass for a line of ours.
        let (head, indent) = match (i, shape) {
            (0, _) => (head.as_str(), ""),
            (_, Shape::Journal) => (head.as_str(), "    "),
            (_, Shape::Dated) => ("", "    "),
        };
        let text = text.trim_end_matches('\r');
        let plain = |c: char| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        };
        let text: String = text.chars().map(plain).collect();
        writeln!(out, "{head}{indent}{text}").expect("a String takes all that is written");
    }
    out
}

/// The module, where it is not ours: our own lines say what they are about.
fn foreign(target: &str) -> Option<&str> {
    let crate_name = target.split("::").next();
    (crate_name != Some("daybook")).then_some(target)
}

/// syslog's numbers, as `sd-daemon(3)` wants them.
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn written(shape: Shape, level: Level, target: &str, message: &str) -> String {
        let at = UNIX_EPOCH + Duration::from_millis(1_769_846_400_007);
        let args = format_args!("{message}");
        let mut record = Record::builder();
        record.level(level).target(target);
        line(shape, at, &record.args(args).build())
    }

    #[test]
    fn the_journal_gets_priorities_and_no_times() {
        let journal = |level| written(Shape::Journal, level, "daybook::cli", "ready");
        assert_eq!(journal(Level::Error), "<3>ready\n");
        assert_eq!(journal(Level::Warn), "<4>ready\n");
        assert_eq!(journal(Level::Info), "<6>ready\n");
        assert_eq!(journal(Level::Trace), "<7>ready\n");
    }

    #[test]
    fn a_terminal_or_a_file_gets_time_and_level() {
        assert_eq!(
            written(Shape::Dated, Level::Info, "daybook", "ready"),
            "2026-01-31T08:00:00.007Z INFO  ready\n"
        );
        assert_eq!(
            written(Shape::Dated, Level::Warn, "mio::poll", "slow"),
            "2026-01-31T08:00:00.007Z WARN  mio::poll: slow\n"
        );
    }

    #[test]
    fn a_text_of_several_lines_cannot_pass_for_several_records() {
        let text = "one\r\n<0>two\u{1b}[2J\n";
        assert_eq!(
            written(Shape::Journal, Level::Info, "daybook", text),
            "<6>one\n<6>    <0>two\u{fffd}[2J\n"
        );
        assert_eq!(
            written(Shape::Dated, Level::Info, "daybook", text),
            "2026-01-31T08:00:00.007Z INFO  one\n    <0>two\u{fffd}[2J\n"
        );
    }

    #[test]
    fn the_journal_is_known_by_its_stream() {
        assert!(names_stream("9:120", 9, 120));
        for other in ["9:121", "8:120", "", ":", "9", "9:120:1"] {
            assert!(!names_stream(other, 9, 120), "{other}");
        }
        assert_eq!(Shape::of_stderr(None), Shape::Dated);
        assert_eq!(Shape::of_stderr(Some("0:0")), Shape::Dated);
    }

    #[test]
    fn a_filter_that_would_silence_everything_is_refused() {
        for right in [
            "info",
            "WARN",
            "off",
            "info,daybook::http=debug",
            "actix_server=warn",
        ] {
            assert!(log_filter(right).is_ok(), "{right}");
        }
        for wrong in ["", "inof", "info,", "daybook", "daybook=loud"] {
            assert!(log_filter(wrong).is_err(), "{wrong}");
        }
    }
}

//! What the daemon and its helper say to each other: one JSON object a line, each way.

use crate::domain::device::Sighting;
use serde::{Deserialize, Serialize};

/// No line of either is longer; a longer one ends the helper.
pub const LONGEST_LINE: usize = 32 * 1024;
/// Lines about the network that the helper says at most in a second; what is more it counts.
pub const LINES_A_SECOND: u32 = 200;
/// How often it says how things stand, and so that it lives.
pub const BEAT_SECONDS: u64 = 2;

/// What the helper is to do from now on. Its standard input ends when it is to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Service types, `_http._tcp`.
    pub browse: Vec<String>,
    pub announce: Option<Announcement>,
}

/// How the daemon makes itself known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    pub port: u16,
    /// `key=value` each.
    pub txt: Vec<String>,
}

/// What the helper says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case", deny_unknown_fields)]
pub enum Said {
    /// How things stand; again and again.
    Standing(Standing),
    /// The network is asked anew, from now on.
    Looking,
    Found(Sighting),
    Gone {
        instance: String,
    },
}

/// The truth about the network, as far as the helper can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Those that can be spoken through.
    pub interfaces: Vec<String>,
    pub browsing: bool,
    pub announcing: bool,
    /// Why one of the two is not, in a sentence.
    pub trouble: Option<String>,
    /// Lines that were not said, because there were too many.
    pub dropped: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_it_was_written_and_nothing_else_does() {
        let said = [
            Said::Looking,
            Said::Standing(Standing {
                interfaces: vec!["eth0".into()],
                browsing: true,
                ..Standing::default()
            }),
            Said::Gone {
                instance: "a._http._tcp.local.".into(),
            },
        ];
        for one in said {
            let line = serde_json::to_string(&one).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Said>(&line).unwrap(), one);
        }
        for wrong in ["", "{}", r#"{"say":"shout"}"#, r#"{"say":"gone"}"#, "[]"] {
            assert!(serde_json::from_str::<Said>(wrong).is_err(), "{wrong}");
        }
    }
}

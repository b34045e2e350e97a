//! The keys whose feature is still to come. A line goes when its feature lands.

use super::{Settings, vocabulary};

/// What becomes of a key that is set while its feature is not there.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// It would protect someone, who must not believe to be protected.
    Refuse,
    /// Some of its values cannot be honoured, and this says why.
    RefuseSome(fn(&Settings) -> Option<&'static str>),
    Warn,
}

/// A key, or a whole section.
const UNBUILT: [(&str, Then); 5] = [
    ("server.tls_cert", Then::Refuse),
    ("server.tls_key", Then::Refuse),
    ("limits.entries_per_minute", Then::Refuse),
    ("storage.url", Then::RefuseSome(in_postgres)),
    ("ingest", Then::Warn),
];

pub const REASON: &str = "this version cannot do that yet";

/// The keys that are not at their default and cannot be honoured, each with the reason, and those that do
/// nothing yet.
pub fn set_in(settings: &Settings) -> (Vec<(String, &'static str)>, Vec<String>) {
    let (mut refused, mut idle) = (Vec::new(), Vec::new());
    let now = vocabulary::table_of(settings);
    let default = vocabulary::table_of(&Settings::default());
    for key in vocabulary::keys() {
        if vocabulary::value_at(&now, &key) == vocabulary::value_at(&default, &key) {
            continue;
        }
        match then(&key) {
            Some(Then::Refuse) => refused.push((key, REASON)),
            Some(Then::RefuseSome(why)) => refused.extend(why(settings).map(|why| (key, why))),
            Some(Then::Warn) => idle.push(key),
            None => {}
        }
    }
    (refused, idle)
}

fn in_postgres(settings: &Settings) -> Option<&'static str> {
    let refused = "this version cannot keep the book in PostgreSQL yet; use \"sqlite://…\"";
    settings.storage.url.is_postgres().then_some(refused)
}

fn then(key: &str) -> Option<Then> {
    let section = key.split('.').next();
    let (_, then) = UNBUILT
        .iter()
        .find(|(name, _)| *name == key || Some(*name) == section)?;
    Some(*then)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SHIPPED;

    /// The comment on a key, or the heading of a section, says so.
    fn is_marked_later(name: &str) -> bool {
        let key = name.rsplit('.').next().unwrap_or(name);
        let stands_in = |paragraph: &&str| {
            let line = |line: &str| {
                line.starts_with(&format!("[{name}]"))
                    || line.ends_with(&format!("[[{name}]]"))
                    || line.starts_with(&format!("#{key} = "))
            };
            paragraph.lines().any(line)
        };
        let paragraph = SHIPPED.split("\n\n").find(stands_in);
        paragraph.is_some_and(|paragraph| paragraph.contains("(later)"))
    }

    #[test]
    fn the_shipped_file_says_what_is_not_there_yet() {
        for (name, _) in UNBUILT {
            assert!(is_marked_later(name), "{name}");
        }
        for key in vocabulary::keys() {
            let section = key.split('.').next().unwrap_or(&key);
            assert_eq!(
                then(&key).is_some(),
                is_marked_later(&key) || is_marked_later(section),
                "{key}"
            );
        }
    }
}

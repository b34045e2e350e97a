//! What a book holds that only ever its own daemon kept: nothing that anybody would miss.

use crate::access::Scope;
use crate::domain::vocabulary::SYSTEM;
use crate::domain::{Emitted, Entry, Filter, Stored};
use crate::storage::{EntryReader, StorageError};

/// Entries read in one short transaction.
const PART: usize = 2_000;

/// Whether the daemon said so of its own life, as far as that can be told: others may use its actions, as an
/// application that records `auth.login` when somebody signs in there. What is not said as the daemon says it
/// counts as theirs.
pub fn is_own(entry: &Entry) -> bool {
    let (category, action) = (entry.category.as_str(), entry.action.as_str());
    let is_emitted = Emitted::ALL
        .iter()
        .any(|own| own.category() == category && own.action() == action);
    match action.split_once('.') {
        Some(("server", _)) => is_emitted && entry.actor == SYSTEM,
        // Nobody else has a book of this name, or backups of one.
        Some(("activity_log", _)) => is_emitted,
        Some(("backup", _)) => is_emitted && entry.entity_type.as_deref() == Some("backup"),
        Some(("auth", what)) => is_emitted && is_of_its_door(entry, what),
        _ => false,
    }
}

/// Its own keys, and who came in with them or did not.
fn is_of_its_door(entry: &Entry, what: &str) -> bool {
    let metadata = entry.metadata.to_object();
    let does = |did: &str| entry.message.strip_prefix(entry.actor.as_str()) == Some(did);
    let by_its_route = || {
        let route = metadata.get("route").and_then(|route| route.as_str());
        route.is_some_and(|route| route.starts_with("/api/v1/auth/"))
    };
    match what {
        "failed" => {
            let said = ["A key was not taken: ", "Keys were not taken, from "];
            entry.actor == SYSTEM && said.iter().any(|said| entry.message.starts_with(said))
        }
        "denied" => does(" asked for what it may not do"),
        "ws_connected" => does(" began to follow live"),
        "ws_disconnected" => does(" ended to follow live"),
        "login" => does(" signed in") && by_its_route(),
        "logout" => does(" signed out") && by_its_route(),
        // Of a key.
        _ => entry.entity_type.as_deref() == Some("key") && metadata.contains_key("workspace_id"),
    }
}

/// Whether nobody but the daemon itself has recorded anything.
pub fn holds_only_own(reader: &dyn EntryReader) -> Result<bool, StorageError> {
    let mut only_own = true;
    each_part(reader, |part| {
        only_own = part.iter().all(|stored| is_own(&stored.entry));
        Ok::<bool, StorageError>(only_own)
    })?;
    Ok(only_own)
}

/// Every entry of the book, the oldest first, for as long as `take` wants more.
pub fn each_part<E: From<StorageError>>(
    reader: &dyn EntryReader,
    mut take: impl FnMut(Vec<Stored>) -> Result<bool, E>,
) -> Result<(), E> {
    let (scope, filter) = (Scope::for_the_daemon(), Filter::default());
    let upto = reader.head()?.last_seq;
    let mut after = Some(0);
    while let Some(from) = after.filter(|from| *from < upto) {
        let part = reader.export(&scope, &filter, from, upto, PART)?;
        after = part.next;
        if !take(part.items)? {
            return Ok(());
        }
    }
    Ok(())
}

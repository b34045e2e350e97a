//! What a book holds that only ever its own daemon kept: nothing that anybody would miss.

use crate::access::Scope;
use crate::domain::{Entry, Filter, Stored};
use crate::storage::{EntryReader, StorageError};

/// Entries read in one short transaction.
const PART: usize = 2_000;

/// How the actions of the daemon's own entries begin, by their category.
const OWN: [(&str, &str); 4] = [
    ("system", "server."),
    ("system", "activity_log."),
    ("system", "backup."),
    ("auth", "auth."),
];

pub fn is_own(entry: &Entry) -> bool {
    let (category, action) = (entry.category.as_str(), entry.action.as_str());
    OWN.iter()
        .any(|(own, begins)| category == *own && action.starts_with(begins))
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

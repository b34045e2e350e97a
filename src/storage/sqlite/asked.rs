//! A question, answered as far as it goes by one look at the state of the book.

use super::bisect;
use super::erasures::Erasures;
use super::floors::Floors;
use super::plan::{Plan, plan};
use super::search::Search;
use crate::access::Scope;
use crate::domain::{Filter, Seq};
use crate::storage::{StorageError, Stretch};
use diesel::prelude::*;

/// What a filter comes to in one state of the book.
pub struct Asked {
    pub floors: Floors,
    pub plan: Plan,
    pub workspaces: Vec<String>,
    /// From here on, up to but without `below`.
    pub from: Seq,
    pub below: Seq,
    /// The same by time alone, wherever the scope's workspace begins.
    pub since: Seq,
    /// Time leaves out nothing of the book.
    pub is_all_time: bool,
    pub erasures: Erasures,
    /// What each row that is found is judged by once it is blanked, since the plan is looser than that.
    pub judge: Option<Filter>,
}

impl Asked {
    pub fn read(
        conn: &mut SqliteConnection,
        scope: &Scope,
        filter: &Filter,
    ) -> Result<Self, StorageError> {
        let floors = Floors::within(conn, scope)?;
        let (first, end) = match bisect::ends(conn)? {
            Some((first, last)) => (first, last + 1),
            None => (1, 1),
        };
        let since = match filter.since {
            Some(since) => bisect::first_from(conn, since)?.max(first),
            None => first,
        };
        let below = match filter.until {
            Some(until) => bisect::first_from(conn, until.successor())?.min(end),
            None => end,
        };
        let erasures = Erasures::of(conn, scope)?;
        let loosened = erasures.loosen(filter);
        let plan = plan(conn, scope, loosened.as_ref().unwrap_or(filter), &floors)?;
        Ok(Self {
            plan,
            workspaces: floors.names_in(scope),
            from: since.max(floors.first_in(scope)),
            below,
            since,
            judge: loosened.map(|_| filter.clone()),
            erasures,
            is_all_time: since == first && below == end,
            floors,
        })
    }

    pub fn search(&self, from: Seq, below: Seq, stretch: Stretch) -> Search<'_> {
        Search::new(self, self.from.max(from), self.below.min(below), stretch)
    }
}

//! How a page is found. Order is always by `seq`; a plan is a walk by `seq`, or one walk of one
//! equality index, or a merge of one index walk per value. What the chosen index does not decide is a
//! residual: SQL looks at it row by row, with a `+` before the column that keeps every other index, and
//! with it a sort, from the planner. A test asserts what SQLite makes of each.

use super::error::storage;
use super::floors::Floors;
use super::hints::{as_the_index_says, looked_at, of_workspace, rare};
use super::schema::activity_log;
use crate::access::Scope;
use crate::domain::filter::{ActionPattern, Except};
use crate::domain::{Category, Filter, Severity};
use crate::storage::StorageError;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

/// More walks than this are not merged; one bounded walk by `seq` serves better then.
const WALKS: usize = 64;

/// One ordered walk through the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    Seq,
    Index { workspace: String, key: Key },
}

/// What the index of a walk is asked to equal, beside the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    Workspace,
    Category(String),
    Severity(Severity),
    Actor(String),
    Action(String),
    Entity(String, String),
}

/// What is looked at in each row of a walk. `None` or empty: the walk decides it, or nothing was asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Residual {
    /// Workspaces that were cleared while their rows still wait to be deleted.
    cleared: Vec<(String, i64)>,
    categories: Vec<Category>,
    severities: Vec<Severity>,
    actor: Option<String>,
    action: Option<ActionPattern>,
    entity_type: Option<String>,
    entity_id: Option<String>,
    like: Option<String>,
    except: Except,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub walks: Vec<Walk>,
    pub residual: Residual,
}

impl Plan {
    pub fn is_exact(&self) -> bool {
        self.residual == Residual::default()
    }

    /// For what no entry can hold. No message has a U+0000 in it, and to LIKE it would be the end of the
    /// pattern.
    fn of_nothing() -> Self {
        Self {
            walks: Vec::new(),
            residual: Residual::default(),
        }
    }
}

pub type Rows<'a> = activity_log::BoxedQuery<'a, Sqlite>;

/// The plan for a filter. Time is not in it: that is a range of `seq`.
pub fn plan(
    conn: &mut SqliteConnection,
    scope: &Scope,
    filter: &Filter,
    floors: &Floors,
) -> Result<Plan, StorageError> {
    let mut residual = Residual {
        cleared: floors.cleared_in(scope),
        categories: distinct(&filter.categories),
        severities: distinguishing(&filter.severities),
        actor: filter.actor.clone(),
        action: filter.action.clone(),
        entity_type: filter.entity_type.clone(),
        entity_id: filter.entity_id.clone(),
        like: filter.text.as_ref().map(|text| like_pattern(text.as_str())),
        except: filter.except.clone(),
    };
    if filter
        .text
        .as_ref()
        .is_some_and(|text| text.as_str().contains('\0'))
    {
        return Ok(Plan::of_nothing());
    }
    let workspaces = floors.names_in(scope);
    let whole = residual.clone();
    let keys = keys(conn, &workspaces, &mut residual)?;
    let walks = match scope.workspace() {
        // All that is in the book, by its own order.
        None if keys == [Key::Workspace] => vec![Walk::Seq],
        // The only workspace of the book needs no index to be told apart.
        Some(_) if keys == [Key::Workspace] && floors.are_all_in(scope) => vec![Walk::Seq],
        None if keys.len() * workspaces.len() > WALKS => {
            residual = whole;
            vec![Walk::Seq]
        }
        _ => walks(&workspaces, &keys),
    };
    Ok(Plan { walks, residual })
}

fn walks(workspaces: &[String], keys: &[Key]) -> Vec<Walk> {
    let of = |workspace: &String| {
        let workspace = workspace.clone();
        keys.iter().map(move |key| Walk::Index {
            workspace: workspace.clone(),
            key: key.clone(),
        })
    };
    workspaces.iter().flat_map(of).collect()
}

/// All three severities narrow nothing.
fn distinguishing(severities: &[Severity]) -> Vec<Severity> {
    let mut severities = distinct(severities);
    if severities.len() == Severity::ALL.len() {
        severities.clear();
    }
    severities
}

/// Each value once, or its walk would find every row twice.
fn distinct<T: Clone + Ord>(values: &[T]) -> Vec<T> {
    let mut values = values.to_vec();
    values.sort();
    values.dedup();
    values
}

/// The keys of the index that narrows most, taken out of the residual.
fn keys(
    conn: &mut SqliteConnection,
    workspaces: &[String],
    residual: &mut Residual,
) -> Result<Vec<Key>, StorageError> {
    if let (Some(kind), Some(id)) = (&residual.entity_type, &residual.entity_id) {
        let key = Key::Entity(kind.clone(), id.clone());
        (residual.entity_type, residual.entity_id) = (None, None);
        return Ok(vec![key]);
    }
    // The index of severities leaves `info` out.
    if !residual.severities.is_empty() && !residual.severities.contains(&Severity::Info) {
        let severities = std::mem::take(&mut residual.severities);
        return Ok(severities.into_iter().map(Key::Severity).collect());
    }
    if let Some(actor) = residual.actor.take() {
        return Ok(vec![Key::Actor(actor)]);
    }
    match residual.action.take() {
        Some(ActionPattern::Exact(action)) => return Ok(vec![Key::Action(action)]),
        Some(ActionPattern::Prefix(prefix)) => {
            match known_actions(conn, workspaces, &prefix)? {
                Some(actions) => return Ok(actions.into_iter().map(Key::Action).collect()),
                None => residual.action = Some(ActionPattern::Prefix(prefix)),
            };
        }
        None => {}
    }
    if !residual.categories.is_empty() {
        let categories = std::mem::take(&mut residual.categories);
        let key = |category: Category| Key::Category(category.into_string());
        return Ok(categories.into_iter().map(key).collect());
    }
    Ok(vec![Key::Workspace])
}

/// The actions with this prefix that are in the book, by one probe of the index each; `None` when there
/// are more than can be merged.
fn known_actions(
    conn: &mut SqliteConnection,
    workspaces: &[String],
    prefix: &str,
) -> Result<Option<Vec<String>>, StorageError> {
    let mut known = std::collections::BTreeSet::new();
    for workspace in workspaces {
        let mut from = prefix.to_owned();
        while let Some(action) = next_action(conn, workspace, &from)? {
            if !action.starts_with(prefix) {
                break;
            }
            // The least text after this action.
            from = format!("{action}\u{1}");
            known.insert(action);
            if known.len() > WALKS {
                return Ok(None);
            }
        }
    }
    Ok(Some(known.into_iter().collect()))
}

fn next_action(
    conn: &mut SqliteConnection,
    workspace: &str,
    from: &str,
) -> Result<Option<String>, StorageError> {
    activity_log::table
        .filter(activity_log::workspace_id.eq(workspace))
        .filter(activity_log::action.ge(from))
        .order(activity_log::action.asc())
        .select(activity_log::action)
        .first(conn)
        .optional()
        .map_err(storage)
}

impl Residual {
    fn narrow<'a>(&'a self, mut rows: Rows<'a>) -> Rows<'a> {
        for (workspace, floor) in &self.cleared {
            rows = rows.filter(
                activity_log::seq
                    .gt(floor)
                    .or(looked_at(activity_log::workspace_id).ne(workspace)),
            );
        }
        if !self.categories.is_empty() {
            let names = self.categories.iter().map(Category::as_str);
            rows = rows.filter(looked_at(activity_log::category).eq_any(names));
        }
        if !self.severities.is_empty() {
            let names = self.severities.iter().map(|s| s.as_str());
            rows = rows.filter(looked_at(activity_log::severity).eq_any(names));
        }
        if let Some(actor) = &self.actor {
            rows = rows.filter(looked_at(activity_log::actor).eq(actor));
        }
        if let Some(kind) = &self.entity_type {
            // Not `=`: that would tell SQLite that it is not NULL, and that the index of entities fits.
            rows = rows.filter(looked_at(activity_log::entity_type).is(kind));
        }
        if let Some(id) = &self.entity_id {
            rows = rows.filter(looked_at(activity_log::entity_id).eq(id));
        }
        if let Some(like) = &self.like {
            rows = rows.filter(activity_log::message.like(like).escape('\\'));
        }
        rows = except(rows, &self.except);
        match &self.action {
            None => rows,
            Some(ActionPattern::Exact(action)) => {
                rows.filter(looked_at(activity_log::action).eq(action))
            }
            Some(ActionPattern::Prefix(prefix)) => rows
                .filter(looked_at(activity_log::action).ge(prefix))
                // Actions are ASCII, so this is above every one that begins so.
                .filter(looked_at(activity_log::action).lt(format!("{prefix}\u{7f}"))),
        }
    }
}

/// Without the rows that hold any of these.
fn except<'a>(mut rows: Rows<'a>, except: &'a Except) -> Rows<'a> {
    if !except.categories.is_empty() {
        let names = except.categories.iter().map(Category::as_str);
        rows = rows.filter(looked_at(activity_log::category).ne_all(names));
    }
    if !except.severities.is_empty() {
        let names = except.severities.iter().map(|s| s.as_str());
        rows = rows.filter(looked_at(activity_log::severity).ne_all(names));
    }
    if !except.actors.is_empty() {
        rows = rows.filter(looked_at(activity_log::actor).ne_all(&except.actors));
    }
    for kind in &except.entity_types {
        rows = rows.filter(looked_at(activity_log::entity_type).is_not(kind));
    }
    for id in &except.entity_ids {
        rows = rows.filter(looked_at(activity_log::entity_id).is_not(id));
    }
    for pattern in &except.actions {
        rows = match pattern {
            ActionPattern::Exact(action) => rows.filter(looked_at(activity_log::action).ne(action)),
            ActionPattern::Prefix(prefix) => rows.filter(
                looked_at(activity_log::action)
                    .lt(prefix)
                    .or(looked_at(activity_log::action).ge(format!("{prefix}\u{7f}"))),
            ),
        };
    }
    rows
}

impl Walk {
    /// The rows of this walk within `from..below`, narrowed by the residual, in no order yet.
    pub fn rows<'a>(&'a self, residual: &'a Residual, from: i64, below: i64) -> Rows<'a> {
        let rows = activity_log::table
            .into_boxed()
            .filter(activity_log::seq.ge(from))
            .filter(activity_log::seq.lt(below));
        residual.narrow(self.keyed(rows))
    }

    fn keyed<'a>(&'a self, rows: Rows<'a>) -> Rows<'a> {
        let Self::Index { workspace, key } = self else {
            return rows;
        };
        if *key == Key::Workspace {
            return rows.filter(of_workspace(workspace));
        }
        let rows = rows.filter(rare(activity_log::workspace_id.eq(workspace)));
        match key {
            Key::Workspace => rows,
            Key::Category(category) => rows.filter(rare(activity_log::category.eq(category))),
            Key::Severity(severity) => rows
                .filter(rare(activity_log::severity.eq(severity.as_str())))
                .filter(as_the_index_says(activity_log::severity, " <> 'info'")),
            Key::Actor(actor) => rows.filter(rare(activity_log::actor.eq(actor))),
            Key::Action(action) => rows.filter(rare(activity_log::action.eq(action))),
            Key::Entity(kind, id) => rows
                .filter(rare(activity_log::entity_type.eq(kind)))
                .filter(rare(activity_log::entity_id.eq(id))),
        }
    }
}

/// A part of a text, for LIKE, with its wildcards meaning themselves.
fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

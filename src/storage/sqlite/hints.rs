//! What SQLite's planner is told, so that it takes the index that a plan means, with whatever statistics of
//! another day in the file. Typed expressions rather than literal SQL, which diesel would prepare anew
//! each time.

use super::schema::activity_log;
use diesel::expression::{
    AppearsOnTable, BoxableExpression, Expression, SelectableExpression, ValidGrouping,
};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;

/// An expression between two fixed texts.
#[derive(Debug, Clone, Copy, ValidGrouping)]
pub struct Hinted<E> {
    before: &'static str,
    inner: E,
    after: &'static str,
}

/// True of few rows: the index that finds them is walked, and not the whole book by `seq`.
pub fn rare<E: Expression>(inner: E) -> Hinted<E> {
    Hinted {
        before: "likelihood(",
        inner,
        after: ", 0.000001)",
    }
}

/// A column that is looked at in each row and that no index is taken for.
pub fn looked_at<C: Expression>(column: C) -> Hinted<C> {
    Hinted {
        before: "+",
        inner: column,
        after: "",
    }
}

/// A column compared with a text that is part of the statement, word for word as a partial index says of
/// itself, or SQLite does not see that it fits.
pub fn as_the_index_says<C: Expression>(column: C, comparison: &'static str) -> Said<C> {
    Said { column, comparison }
}

#[derive(Debug, Clone, Copy, ValidGrouping)]
pub struct Said<C> {
    column: C,
    comparison: &'static str,
}

type Condition<'a> = Box<dyn BoxableExpression<activity_log::table, Sqlite, SqlType = Bool> + 'a>;

/// The rows of one workspace, by the index of workspaces.
pub fn of_workspace(name: &str) -> Condition<'_> {
    Box::new(
        rare(activity_log::workspace_id.eq(name))
            .and(as_the_index_says(activity_log::workspace_id, " <> ''")),
    )
}

// The texts are no part of the types, so a statement is known by its whole text.
impl<E> QueryId for Hinted<E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> QueryId for Said<C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<E: Expression> Expression for Hinted<E> {
    type SqlType = E::SqlType;
}

impl<E, Q> AppearsOnTable<Q> for Hinted<E>
where
    Self: Expression,
    E: AppearsOnTable<Q>,
{
}

impl<E, Q> SelectableExpression<Q> for Hinted<E>
where
    Self: AppearsOnTable<Q>,
    E: SelectableExpression<Q>,
{
}

impl<E: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Hinted<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(self.before);
        self.inner.walk_ast(out.reborrow())?;
        out.push_sql(self.after);
        Ok(())
    }
}

impl<C: Expression> Expression for Said<C> {
    type SqlType = Bool;
}

impl<C, Q> AppearsOnTable<Q> for Said<C>
where
    Self: Expression,
    C: AppearsOnTable<Q>,
{
}

impl<C, Q> SelectableExpression<Q> for Said<C>
where
    Self: AppearsOnTable<Q>,
    C: SelectableExpression<Q>,
{
}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Said<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(self.comparison);
        Ok(())
    }
}

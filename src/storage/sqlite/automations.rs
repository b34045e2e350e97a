//! Automations: the rules that were made over HTTP, how each stands, and what is still to be told.

use super::error::storage;
use super::rows::timestamp;
use super::schema::{automation, automation_delivery, automation_position, automation_standing};
use crate::access::Scope;
use crate::domain::automation::Delivery;
use crate::domain::{Act, Seq, WorkspaceId};
use crate::storage::{KeptAutomations, StorageError};
use diesel::prelude::*;
use serde_json::Value;

/// Of an act that is about automations.
pub fn act(conn: &mut SqliteConnection, act: &Act) -> Result<(), StorageError> {
    match act {
        Act::PutRule { name, rule } => diesel::replace_into(automation::table)
            .values((automation::name.eq(name), automation::rule.eq(rule)))
            .execute(conn),
        Act::RemoveRule { name } => return remove(conn, name),
        Act::PutStanding { name, standing } => diesel::replace_into(automation_standing::table)
            .values((
                automation_standing::name.eq(name),
                automation_standing::standing.eq(standing),
            ))
            .execute(conn),
        Act::ReadUpTo { seq } => diesel::replace_into(automation_position::table)
            .values((
                automation_position::id.eq(0),
                automation_position::seq.eq(seq),
            ))
            .execute(conn),
        Act::PutDelivery(delivery) => diesel::replace_into(automation_delivery::table)
            .values(Row::from(delivery.as_ref()))
            .execute(conn),
        Act::RemoveDelivery { id } => {
            diesel::delete(automation_delivery::table.find(id)).execute(conn)
        }
        _ => Ok(0),
    }
    .map(drop)
    .map_err(storage)
}

fn remove(conn: &mut SqliteConnection, name: &str) -> Result<(), StorageError> {
    let rule = diesel::delete(automation::table.find(name)).execute(conn);
    rule.map_err(storage)?;
    let standing = diesel::delete(automation_standing::table.find(name)).execute(conn);
    standing.map_err(storage)?;
    let of_rule = automation_delivery::table.filter(automation_delivery::name.eq(name));
    diesel::delete(of_rule).execute(conn).map_err(storage)?;
    Ok(())
}

/// The book goes on as another history: what was to be told may have been told since, and rules begin anew.
pub fn start_over(conn: &mut SqliteConnection) -> Result<(), StorageError> {
    let done = diesel::delete(automation_delivery::table).execute(conn);
    done.map_err(storage)?;
    let done = diesel::delete(automation_standing::table).execute(conn);
    done.map_err(storage)?;
    let done = diesel::delete(automation_position::table).execute(conn);
    done.map(drop).map_err(storage)
}

/// A rule that looks for who is erased goes with him.
pub fn forget(conn: &mut SqliteConnection, scope: &Scope, name: &str) -> Result<(), StorageError> {
    let rules: Vec<(String, String)> = automation::table.load(conn).map_err(storage)?;
    for (rule, text) in rules {
        let object: Value = serde_json::from_str(&text).unwrap_or_default();
        let own = scope.workspace().map(WorkspaceId::as_str);
        // A rule of all workspaces may be about this one.
        let covered =
            own.is_none_or(|own| [own, "*"].contains(&object["workspace"].as_str().unwrap_or("*")));
        if covered && looks_for(&object["filters"], name) {
            remove(conn, &rule)?;
        }
    }
    Ok(())
}

fn looks_for(filters: &Value, name: &str) -> bool {
    let filters = filters.as_object().into_iter().flatten();
    let mut values = filters.flat_map(|(key, values)| {
        let values = values.as_array().into_iter().flatten();
        values.filter_map(move |value| Some((key, value.as_str()?)))
    });
    values.any(|(key, value)| {
        let mut each = value.split(',').chain([value]);
        each.any(|one| one == name) || (key == "q" && value.contains(name))
    })
}

pub fn all(conn: &mut SqliteConnection) -> Result<KeptAutomations, StorageError> {
    let rows: Vec<Row> = automation_delivery::table
        .select(Row::as_select())
        .order(automation_delivery::id.asc())
        .load(conn)
        .map_err(storage)?;
    let position = automation_position::table
        .select(automation_position::seq)
        .first(conn)
        .optional()
        .map_err(storage)?;
    Ok(KeptAutomations {
        rules: automation::table.load(conn).map_err(storage)?,
        standings: automation_standing::table.load(conn).map_err(storage)?,
        position,
        deliveries: rows
            .into_iter()
            .map(Row::delivery)
            .collect::<Result<_, _>>()?,
    })
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = automation_delivery, check_for_backend(diesel::sqlite::Sqlite))]
struct Row {
    id: String,
    name: String,
    made_at: String,
    seqs: String,
    count: i64,
    attempts: i64,
    next_at: String,
}

impl From<&Delivery> for Row {
    fn from(delivery: &Delivery) -> Self {
        let seqs: Vec<String> = delivery.seqs.iter().map(Seq::to_string).collect();
        Self {
            id: delivery.id.clone(),
            name: delivery.rule.clone(),
            made_at: delivery.made.to_string(),
            seqs: seqs.join(","),
            count: i64::try_from(delivery.count).unwrap_or(i64::MAX),
            attempts: delivery.attempts.into(),
            next_at: delivery.next.to_string(),
        }
    }
}

impl Row {
    fn delivery(self) -> Result<Delivery, StorageError> {
        let seqs = self.seqs.split(',').filter(|seq| !seq.is_empty());
        let seqs: Result<Vec<Seq>, _> = seqs.map(str::parse).collect();
        let wrong = |_| StorageError::Corrupt("a delivery's numbers cannot be read".into());
        Ok(Delivery {
            made: timestamp(&self.made_at)?,
            next: timestamp(&self.next_at)?,
            seqs: seqs.map_err(wrong)?,
            count: self.count.unsigned_abs(),
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            id: self.id,
            rule: self.name,
        })
    }
}

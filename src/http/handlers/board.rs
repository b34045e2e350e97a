//! What the handlers of widgets, views and layouts have in common: each caller has its own, kept in the book.

use super::reading;
use crate::access::principal::Reach;
use crate::actors::context::Context;
use crate::domain::board::{Address, Kind, Owner};
use crate::domain::{Act, Emitted, FieldErrors, WorkspaceId, entity_event};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Caller;
use crate::storage::Request;
use serde::Serialize;
use serde_json::{Map, Value};

pub fn owner(caller: &Caller) -> Owner {
    Owner {
        workspace: match caller.principal.reach() {
            Reach::All => None,
            Reach::One(name) => Some(name.clone()),
        },
        principal: caller.principal.label().to_owned(),
    }
}

/// The caller's own, by id.
pub async fn held(
    app: &App,
    caller: &Caller,
    kind: Kind,
) -> Result<Vec<(String, String)>, ApiError> {
    let owner = owner(caller);
    reading(app, move |reader| reader.board(&owner, kind)).await
}

/// What is kept as JSON, with its id before the rest.
pub fn item(id: &str, value: &str) -> Value {
    let mut item = Map::new();
    item.insert("id".into(), id.into());
    if let Ok(rest) = serde_json::from_str::<Map<String, Value>>(value) {
        item.extend(rest);
    }
    Value::Object(item)
}

/// Another one of somebody who has `held` already.
pub fn fresh_id(kind: Kind, held: usize) -> Result<String, ApiError> {
    if held >= kind.most() {
        let reason = format!("are {} already, as many as one may have", kind.most());
        return Err(ApiError::Conflict(FieldErrors::one(
            format!("{}s", kind.as_str()),
            reason,
        )));
    }
    Ok(format!(
        "{}_{}",
        kind.as_str(),
        uuid::Uuid::now_v7().simple()
    ))
}

/// Keeps it together with the entry that says so; answers it as JSON.
pub async fn put(
    app: &App,
    caller: &Caller,
    (kind, id): (Kind, &str),
    value: &impl Serialize,
    (emitted, name): (Emitted, &str),
) -> Result<String, ApiError> {
    let value = serde_json::to_string(value).map_err(|_| ApiError::Internal)?;
    let at = Box::new(address(caller, kind, id));
    let act = Act::PutOnBoard {
        at,
        value: value.clone(),
    };
    commit(app, caller, act, (kind, id), (emitted, Some(name))).await?;
    Ok(value)
}

pub async fn take(
    app: &App,
    caller: &Caller,
    (kind, id): (Kind, &str),
    emitted: Emitted,
) -> Result<(), ApiError> {
    let at = Box::new(address(caller, kind, id));
    let act = Act::TakeOffBoard { at };
    commit(app, caller, act, (kind, id), (emitted, None)).await
}

fn address(caller: &Caller, kind: Kind, id: &str) -> Address {
    Address {
        owner: owner(caller),
        kind,
        id: id.to_owned(),
    }
}

async fn commit(
    app: &App,
    caller: &Caller,
    act: Act,
    (kind, id): (Kind, &str),
    (emitted, name): (Emitted, Option<&str>),
) -> Result<(), ApiError> {
    let within = match caller.principal.reach() {
        Reach::All => WorkspaceId::default_workspace(),
        Reach::One(name) => name.clone(),
    };
    let own = entity_event(kind.as_str(), emitted, id, name).within(within);
    let request = Request {
        acts: vec![act],
        entries: vec![app.recorder.own_entry(own, Context::current().as_ref())],
    };
    app.writer.commit(request).await?;
    Ok(())
}

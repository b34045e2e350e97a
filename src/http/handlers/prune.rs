//! Taking entries out: a run of retention by hand, and emptying a workspace.

use super::{kept, workspace_of};
use crate::access::Scope;
use crate::actors::context::Context;
use crate::actors::halt::Reason;
use crate::actors::keeper::Status;
use crate::actors::pruner::{DryRun, RunNow, Tidy};
use crate::domain::{Emitted, FieldErrors, entity_event};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::retention::{Cleared, PruneRequest, Pruned, WouldPrune};
use crate::http::small;
use crate::http::wire::ProblemSchema;
use crate::storage::Request;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value};

/// Prune now
///
/// `{"dry_run":true}` says what would go and whether it is held back. `{"confirm":true}` removes it, whatever
/// held it back, and answers when it is done.
#[utoipa::path(
    post,
    path = "/api/v1/activity/prune",
    tag = "retention",
    params(("workspace_id" = Option<String>, Query, description = "One workspace alone", example = "default")),
    request_body(content = PruneRequest, example = json!({"dry_run": true})),
    responses(
        (status = 200, description = "What would go", body = WouldPrune, example = json!({
            "would_remove": 17, "oldest_kept_ts": "2026-08-23T08:00:00.000000Z", "halted": false, "reason": null
        })),
        (status = 400, description = "Neither or both were asked for", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn prune(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    caller: Caller,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let named = query.take("workspace_id")?;
    let only = workspace_of(&caller, named.as_deref())?;
    query.nothing_else()?;
    let object = small::object(&request, payload, &app).await?;
    let dry = is_dry(&object)?;
    if dry {
        let status: Status = kept(app.pruner.send(DryRun { only }).await)?;
        return Ok(HttpResponse::Ok().json(WouldPrune {
            would_remove: status.removed,
            oldest_kept_ts: status.oldest_kept.map(|ts| ts.to_string()),
            halted: status.halted.is_some(),
            reason: status.halted.map(Reason::as_str),
        }));
    }
    let by = Context::current();
    let status: Status = kept(app.pruner.send(RunNow { only, by }).await)?;
    Ok(HttpResponse::Ok().json(Pruned {
        removed: status.removed,
        oldest_kept_ts: status.oldest_kept.map(|ts| ts.to_string()),
        halted: status.halted.is_some(),
        reason: status.halted.map(Reason::as_str),
    }))
}

/// Exactly one of the two must be said.
fn is_dry(object: &Map<String, Value>) -> Result<bool, FieldErrors> {
    let mut said = [false; 2];
    for (name, value) in object {
        let place = ["dry_run", "confirm"]
            .iter()
            .position(|known| known == name);
        match (place, value) {
            (Some(place), Value::Bool(value)) => said[place] = *value,
            (Some(_), _) => {
                return Err(FieldErrors::one(name.clone(), "must be true or false"));
            }
            (None, _) => return Err(FieldErrors::one(name.clone(), "is not known here")),
        }
    }
    match said {
        [true, false] => Ok(true),
        [false, true] => Ok(false),
        [true, true] => Err(FieldErrors::one("dry_run", "cannot be given with confirm")),
        [false, false] => Err(FieldErrors::one("confirm", "or dry_run must be true")),
    }
}

/// Clear a workspace
///
/// Empties the caller's workspace at once; an operator names it, `*` for all. The entry that records it stays.
#[utoipa::path(
    delete,
    path = "/api/v1/activity",
    tag = "retention",
    params(("workspace_id" = Option<String>, Query, description = "Which one; `*` for all", example = "default")),
    responses(
        (status = 200, description = "How many entries went", body = Cleared, example = json!({"removed": 17})),
        (status = 400, description = "A parameter is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 403, description = "Another's workspace", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn clear(
    app: web::Data<App>,
    caller: Caller,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let scope = query.scope(&caller)?;
    query.nothing_else()?;
    let removed = app
        .writer
        .clear(scope.clone(), cleared(&app, &scope))
        .await?;
    // A refusal is no loss: the next run sweeps as well.
    let _ = app.pruner.try_send(Tidy);
    Ok(HttpResponse::Ok().json(Cleared { removed }))
}

fn cleared(app: &App, scope: &Scope) -> Request {
    let own = match scope.workspace() {
        Some(name) => entity_event(
            "workspace",
            Emitted::ActivityLogCleared,
            name.as_str(),
            None,
        )
        .with("workspace_id", name.as_str())
        .within(name.clone()),
        None => entity_event("workspace", Emitted::ActivityLogCleared, "*", None)
            .saying("Every workspace was cleared")
            .with("workspace_id", "*"),
    };
    Request {
        acts: Vec::new(),
        entries: vec![app.recorder.own_entry(own, Context::current().as_ref())],
    }
}

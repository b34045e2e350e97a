//! The retention settings: what is in force and why, putting an override, going back to the file.

use super::{kept, workspace_of};
use crate::actors::context::Context;
use crate::actors::halt::Reason;
use crate::actors::keeper::Change;
use crate::actors::pruner::Retain;
use crate::domain::retention::{InForce, Key, MAX_DAYS, MAX_ENTRIES};
use crate::domain::{Reach, WorkspaceId};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::retention::{Bound, Bounds, KeySettings, RetentionSettings, SettingsChange};
use crate::http::small;
use crate::http::wire::ProblemSchema;
use actix_web::{HttpRequest, HttpResponse, web};
use std::collections::BTreeMap;

/// The retention in force
///
/// What holds, and where each part comes from: `file`, `override` (put here), `environment` or `flag`. With
/// `workspace_id` what holds for that workspace; without one, what holds for all that have nothing of their own.
#[utoipa::path(
    get,
    path = "/api/v1/activity/settings",
    tag = "retention",
    params(("workspace_id" = Option<String>, Query, description = "One workspace's rule", example = "default")),
    responses(
        (status = 200, description = "What holds", body = RetentionSettings, example = json!({
            "enabled": true, "max_days": 90, "max_entries": 20000, "source": "file", "locked": false,
            "keys": {
                "enabled": {"source": "file", "locked": false},
                "max_days": {"source": "file", "locked": false},
                "max_entries": {"source": "file", "locked": false}
            },
            "bounds": {
                "max_days": {"min": 1, "max": 36500, "zero": "no limit"},
                "max_entries": {"min": 100, "max": 1000000000, "zero": "no limit"}
            },
            "workspace_id": null, "halted": false, "reason": null
        })),
        (status = 400, description = "A parameter is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn settings(
    app: web::Data<App>,
    caller: Caller,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let workspace = asked(&mut query, &caller)?;
    query.nothing_else()?;
    let held = app.kept.retention.borrow().in_force(workspace.as_ref());
    Ok(answer(&app, &caller, workspace.as_ref(), held))
}

/// Put an override
///
/// A key that is not named stays as it is, `null` takes one back. It is kept in the book, survives restarts
/// and reloads, and wins over the file unless that is locked. `enabled` is recording: switching it off is
/// recorded before it takes effect, and pruning goes on.
#[utoipa::path(
    put,
    path = "/api/v1/activity/settings",
    tag = "retention",
    params(("workspace_id" = Option<String>, Query, description = "One workspace's rule", example = "default")),
    request_body(content = SettingsChange, example = json!({"max_days": 30})),
    responses(
        (status = 200, description = "What holds now", body = RetentionSettings, example = json!({
            "enabled": true, "max_days": 30, "max_entries": 20000, "source": "override", "locked": false,
            "keys": {
                "enabled": {"source": "file", "locked": false},
                "max_days": {"source": "override", "locked": false},
                "max_entries": {"source": "file", "locked": false}
            },
            "bounds": {
                "max_days": {"min": 1, "max": 36500, "zero": "no limit"},
                "max_entries": {"min": 100, "max": 1000000000, "zero": "no limit"}
            },
            "workspace_id": null, "halted": false, "reason": null
        })),
        (status = 400, description = "A value is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The file, the environment or a flag holds it", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn put(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    caller: Caller,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let workspace = asked(&mut query, &caller)?;
    query.nothing_else()?;
    let object = small::object(&request, payload, &app).await?;
    change(&app, &caller, workspace, Change::Put(object)).await
}

/// Go back to the file
#[utoipa::path(
    delete,
    path = "/api/v1/activity/settings",
    tag = "retention",
    params(("workspace_id" = Option<String>, Query, description = "One workspace's rule", example = "default")),
    responses(
        (status = 200, description = "What holds now", body = RetentionSettings, example = json!({
            "enabled": true, "max_days": 90, "max_entries": 20000, "source": "file", "locked": false,
            "keys": {
                "enabled": {"source": "file", "locked": false},
                "max_days": {"source": "file", "locked": false},
                "max_entries": {"source": "file", "locked": false}
            },
            "bounds": {
                "max_days": {"min": 1, "max": 36500, "zero": "no limit"},
                "max_entries": {"min": 100, "max": 1000000000, "zero": "no limit"}
            },
            "workspace_id": null, "halted": false, "reason": null
        })),
        (status = 400, description = "A parameter is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The file, the environment or a flag holds it", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn forget(
    app: web::Data<App>,
    caller: Caller,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let workspace = asked(&mut query, &caller)?;
    query.nothing_else()?;
    change(&app, &caller, workspace, Change::Forget).await
}

async fn change(
    app: &App,
    caller: &Caller,
    workspace: Option<WorkspaceId>,
    change: Change,
) -> Result<HttpResponse, ApiError> {
    let retain = Retain {
        workspace: workspace.clone(),
        change,
        by: Context::current(),
    };
    let held = kept(app.pruner.send(retain).await)?;
    Ok(answer(app, caller, workspace.as_ref(), held))
}

/// Whose rule: a named one's, a key's own, or, for who may see all and names none, the book's.
fn asked(query: &mut Query, caller: &Caller) -> Result<Option<WorkspaceId>, ApiError> {
    let named = query.take("workspace_id")?;
    workspace_of(caller, named.as_deref())
}

fn answer(
    app: &App,
    caller: &Caller,
    workspace: Option<&WorkspaceId>,
    held: InForce,
) -> HttpResponse {
    let key = |key: Key| {
        let settings = KeySettings {
            source: held.sources[key as usize].as_str(),
            locked: held.locked[key as usize],
        };
        (key.name(), settings)
    };
    // That more than half would go is a matter of all workspaces together; a dry run tells of one's own.
    let halted = (*app.kept.halted.borrow())
        .filter(|reason| *caller.principal.reach() == Reach::All || *reason == Reason::ClockJumped);
    HttpResponse::Ok().json(RetentionSettings {
        enabled: held.enabled,
        max_days: held.rule.max_days,
        max_entries: held.rule.max_entries,
        source: held.source().as_str(),
        locked: held.is_locked(),
        keys: Key::ALL.map(key).into_iter().collect::<BTreeMap<_, _>>(),
        bounds: bounds(),
        workspace_id: workspace.map(ToString::to_string),
        halted: halted.is_some(),
        reason: halted.map(Reason::as_str),
    })
}

fn bounds() -> Bounds {
    let bound = |min: u64, max: u64| Bound {
        min,
        max,
        zero: "no limit",
    };
    Bounds {
        max_days: bound((*MAX_DAYS.start()).into(), (*MAX_DAYS.end()).into()),
        max_entries: bound(*MAX_ENTRIES.start(), *MAX_ENTRIES.end()),
    }
}

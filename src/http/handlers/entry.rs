//! One entry.

use super::reading;
use crate::domain::EntryId;
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::wire::{One, ProblemSchema};
use actix_web::{HttpResponse, web};

/// One entry by its id
#[utoipa::path(
    get,
    path = "/api/v1/activity/{id}",
    tag = "activity",
    params(
        ("id" = String, Path, example = "al_019a9d3f8c7e7c3ab1d5f6a7b8c9d0e1"),
        ("workspace_id" = Option<String>, Query, example = "default", pattern = r"^([A-Za-z0-9_-]{1,64}|\*)$"),
    ),
    responses(
        (status = 200, description = "The entry and its number", body = One, example = json!({
            "seq": 1,
            "entry": {
                "id": "al_019a9d3f8c7e7c3ab1d5f6a7b8c9d0e1", "ts": "2026-11-21T08:00:00.000000Z",
                "category": "entity", "action": "task.created", "severity": "info", "actor": "anna",
                "entity_type": "task", "entity_id": "42", "entity_name": null,
                "message": "Anna created a task", "metadata": {}, "workspace_id": "default",
                "ip_address": "127.0.0.1", "user_agent": "curl/8.5.0"
            }
        })),
        (status = 400, description = "A parameter is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such entry", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn entry(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let scope = query.scope(&caller)?;
    query.nothing_else()?;
    let id = EntryId::trusted(id.into_inner());
    let found = reading(&app, move |reader| reader.entry(&scope, &id)).await?;
    let stored = found.ok_or(ApiError::NoSuchEntry)?;
    Ok(HttpResponse::Ok().json(One {
        seq: stored.seq,
        entry: &stored.entry,
    }))
}

//! Forgetting somebody: an erasure request.

use super::kept;
use crate::actors::context::Context;
use crate::actors::keeper::{Forget, Forgotten};
use crate::actors::pruner::{DryErase, Erase};
use crate::domain::erasure::checked_name;
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::retention::ErasedAnswer;
use crate::http::wire::ProblemSchema;
use actix_web::{HttpResponse, web};

/// Erase somebody
///
/// Of what was recorded up to now, in the caller's workspace or in that which an operator names (`*` for all).
/// The entries stay, in order and countable. Where `actor` is the name as a whole, letter by letter, it becomes
/// `[erased]`, and `ip_address` and `user_agent` with it; where `entity_id` or `entity_name` is the name, both do.
/// `message`, and each text in `metadata`, keys too, become `[erased]` as a whole where they hold the name by
/// itself: no letter or digit goes on from it on either side, so that `al` is not found in `already`; and so do
/// `entity_id`, `entity_name`, `ip_address` and `user_agent`. Other actors whose names hold this one are others, and
/// `id`, `action` and `workspace_id` stay. Nobody sees the name any more from the moment on at which
/// `activity_log.erased` is recorded, which names nobody; this answers when the files do not hold it either, or says
/// `"finished":false` when the daemon stops before that, and it goes on at the next start. `backups` names the
/// backups that were made before and hold it still. With `dry_run=true` nothing is changed.
#[utoipa::path(
    delete,
    path = "/api/v1/activity/by-actor/{actor}",
    tag = "retention",
    params(
        ("actor" = String, Path, description = "The whole name, percent-encoded", example = "anna@example.org"),
        ("workspace_id" = Option<String>, Query, description = "Which one; `*` for all", example = "default"),
        ("dry_run" = Option<bool>, Query, description = "Only say what would be erased", example = true)
    ),
    responses(
        (status = 200, description = "What was erased", body = ErasedAnswer, example = json!({
            "dry_run": false, "entries": 17, "blanked": 21, "upto_seq": 4711, "finished": true,
            "backups": ["daybook-20261121T071500Z.db"]
        })),
        (status = 400, description = "Nobody who could be erased (`system`, `anonymous`, `[erased]`), or a parameter is wrong", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 403, description = "Another's workspace", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn erase(
    app: web::Data<App>,
    caller: Caller,
    actor: web::Path<String>,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let scope = query.scope(&caller)?;
    let dry_run = query.flag("dry_run")?;
    query.nothing_else()?;
    let actor = checked_name(actor.into_inner())?;
    let backups = backups(&app).await;
    let done: Forgotten = if dry_run {
        kept(app.pruner.send(DryErase { scope, actor }).await)?
    } else {
        let by = Context::current();
        let forget = Forget {
            scope,
            actor,
            backups: backups.clone(),
            by,
        };
        kept(app.pruner.send(Erase(forget)).await)?
    };
    Ok(HttpResponse::Ok().json(ErasedAnswer {
        dry_run,
        entries: done.entries,
        blanked: done.blanked,
        upto_seq: done.upto,
        finished: done.finished,
        backups,
    }))
}

/// Those that are there; that they cannot be listed does not keep anybody from being erased.
async fn backups(app: &App) -> Vec<String> {
    let shelf = app.backups.shelf().clone();
    let listed = web::block(move || shelf.list()).await;
    match listed {
        Ok(Ok(backups)) => backups
            .into_iter()
            .map(|backup| backup.name.to_string())
            .collect(),
        Ok(Err(cause)) => {
            log::warn!("the backups that hold who is erased could not be listed: {cause}");
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

//! Workspaces, for an operator: what there is and what the book has of each; created by name, given a title,
//! archived and taken back.

use super::reading;
use crate::access::{Keyring, Scope};
use crate::actors::context::Context;
use crate::actors::workspaces::{Alter, Change, Create, NewWorkspace, asked};
use crate::domain::retention::{InForce, Retention};
use crate::domain::{FieldError, Holding, Reach, Seq, Timestamp, WorkspaceId};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::small;
use crate::http::wire::ProblemSchema;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// Workspaces that one answer lists.
const LISTED: usize = 500;

/// A workspace, and what the book has of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Workspace)]
pub struct WorkspaceItem {
    /// What stands in `workspace_id` of its entries; it never changes
    pub name: String,
    /// What people call it
    pub title: Option<String>,
    /// `active`, or `archived`: it takes no new entries and its keys only read
    pub state: &'static str,
    /// Not known of one that an import or a former version left
    pub created_at: Option<String>,
    pub archived_at: Option<String>,
    pub entries: u64,
    pub oldest_seq: Option<Seq>,
    pub oldest_ts: Option<String>,
    pub newest_seq: Option<Seq>,
    pub newest_ts: Option<String>,
    pub retention: WorkspaceRetention,
    /// Its own that are in force; those of all workspaces are not counted
    pub keys: usize,
}

/// The rule in force there; `/api/v1/activity/settings?workspace_id=` says more, and changes it.
#[derive(Serialize, ToSchema)]
pub struct WorkspaceRetention {
    /// Whether entries are recorded
    pub enabled: bool,
    pub max_days: u32,
    pub max_entries: u64,
    pub source: &'static str,
}

#[derive(Serialize, ToSchema)]
pub struct WorkspaceList {
    pub items: Vec<WorkspaceItem>,
    /// Go on with this as `after`; `null` at the end
    pub next_after: Option<String>,
}

/// The workspace that is wanted.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it describes what is read by `NewWorkspace::read`"
)]
pub struct WorkspaceRequest {
    pub name: String,
    pub title: Option<String>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `asked::title`")]
pub struct TitleRequest {
    /// `null` for none
    pub title: Option<String>,
}

impl WorkspaceItem {
    pub fn of(held: &Holding, rule: &InForce, keys: usize) -> Self {
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let Holding { workspace, .. } = held;
        Self {
            name: workspace.name.to_string(),
            title: workspace.title.as_ref().map(ToString::to_string),
            state: workspace.state(),
            created_at: text(workspace.created),
            archived_at: text(workspace.archived),
            entries: held.entries,
            oldest_seq: held.oldest.map(|(seq, _)| seq),
            oldest_ts: text(held.oldest.map(|(_, ts)| ts)),
            newest_seq: held.newest.map(|(seq, _)| seq),
            newest_ts: text(held.newest.map(|(_, ts)| ts)),
            retention: WorkspaceRetention {
                enabled: rule.enabled,
                max_days: rule.rule.max_days,
                max_entries: rule.rule.max_entries,
                source: rule.source().as_str(),
            },
            keys,
        }
    }

    /// Those of a list, each with its rule and its keys.
    pub fn each(
        held: &[Holding],
        retention: &Retention,
        ring: &Keyring,
        now: Timestamp,
    ) -> Vec<Self> {
        let mut keys: HashMap<&WorkspaceId, usize> = HashMap::new();
        for key in ring.held().map(|held| &held.key) {
            if let Reach::One(name) = &key.reach
                && key.state(now) == "active"
            {
                *keys.entry(name).or_default() += 1;
            }
        }
        let item = |held: &Holding| {
            let name = &held.workspace.name;
            let keys = keys.get(name).copied().unwrap_or_default();
            Self::of(held, &retention.in_force(Some(name)), keys)
        };
        held.iter().map(item).collect()
    }
}

/// The workspaces
///
/// By name, each with how many entries it has, the rule of retention in force there and how many keys are its
/// own. Counting takes no longer for many entries than for few.
#[utoipa::path(
    get,
    path = "/api/v1/workspaces",
    tag = "workspaces",
    params(
        ("limit" = Option<usize>, Query, description = "1 to 500, 500 by default", example = 100),
        ("after" = Option<String>, Query, description = "Go on after this name", example = "acme")
    ),
    responses(
        (status = 200, description = "By name", body = WorkspaceList, example = json!({"items": [{
            "name": "acme", "title": "Acme Inc.", "state": "active",
            "created_at": "2026-11-21T08:00:00.000000Z", "archived_at": null, "entries": 17,
            "oldest_seq": 3, "oldest_ts": "2026-11-21T08:00:01.000000Z",
            "newest_seq": 42, "newest_ts": "2026-11-21T09:00:00.000000Z",
            "retention": {"enabled": true, "max_days": 90, "max_entries": 20000, "source": "file"},
            "keys": 2
        }], "next_after": null})),
        (status = 400, description = "A parameter is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    app: web::Data<App>,
    caller: Caller,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let limit = limit(query.take("limit")?.as_deref())?;
    let after = query.take("after")?;
    query.nothing_else()?;
    let refused = |error: FieldError| FieldError::new("after", error.reason);
    let after = after.as_deref().map(asked::named).transpose();
    let after = after.map_err(refused)?;
    let scope = Scope::widest(&caller.principal);
    let mut held = reading(&app, move |reader| {
        reader.holdings(&scope, after.as_ref(), limit + 1)
    })
    .await?;
    let more = held.len() > limit;
    held.truncate(limit);
    let last = held.last().map(|held| held.workspace.name.to_string());
    Ok(HttpResponse::Ok().json(WorkspaceList {
        items: items(&app, &held),
        next_after: last.filter(|_| more),
    }))
}

fn limit(asked: Option<&str>) -> Result<usize, FieldError> {
    let Some(text) = asked else {
        return Ok(LISTED);
    };
    let parsed = text
        .parse()
        .ok()
        .filter(|limit| (1..=LISTED).contains(limit));
    parsed.ok_or_else(|| FieldError::new("limit", "must be 1 to 500"))
}

/// Create a workspace
///
/// One also comes into being by itself, with its first key or entry; here it can have a title before.
#[utoipa::path(
    post,
    path = "/api/v1/workspaces",
    tag = "workspaces",
    request_body(content = WorkspaceRequest, example = json!({"name": "acme", "title": "Acme Inc."})),
    responses(
        (status = 201, description = "Created", body = WorkspaceItem, example = json!({
            "name": "acme", "title": "Acme Inc.", "state": "active",
            "created_at": "2026-11-21T08:00:00.000000Z", "archived_at": null, "entries": 0,
            "oldest_seq": null, "oldest_ts": null, "newest_seq": null, "newest_ts": null,
            "retention": {"enabled": true, "max_days": 90, "max_entries": 20000, "source": "file"},
            "keys": 0
        })),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "It is there, or there is no room for more", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn create(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let by = context()?;
    let object = small::object(&request, payload, &app).await?;
    let asked = NewWorkspace::read(object)?;
    let held = app.workspaces.ask(Create { asked, by }).await?;
    Ok(HttpResponse::Created().json(items(&app, &[held]).pop()))
}

/// One workspace
#[utoipa::path(
    get,
    path = "/api/v1/workspaces/{name}",
    tag = "workspaces",
    params(("name" = String, Path, example = "acme")),
    responses(
        (status = 200, description = "As the list has it", body = WorkspaceItem, example = json!({
            "name": "acme", "title": null, "state": "archived",
            "created_at": "2026-11-21T08:00:00.000000Z", "archived_at": "2026-11-21T09:00:00.000000Z", "entries": 1,
            "oldest_seq": 3, "oldest_ts": "2026-11-21T08:00:01.000000Z",
            "newest_seq": 3, "newest_ts": "2026-11-21T08:00:01.000000Z",
            "retention": {"enabled": true, "max_days": 90, "max_entries": 20000, "source": "file"},
            "keys": 2
        })),
        (status = 404, description = "No such workspace", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    app: web::Data<App>,
    caller: Caller,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let name = asked::named(&name)?;
    let scope = Scope::of(&caller.principal, Some(name.as_str()))?;
    let held = reading(&app, move |reader| reader.holdings(&scope, None, 1)).await?;
    let item = items(&app, &held).pop().ok_or(ApiError::NoSuchWorkspace)?;
    Ok(HttpResponse::Ok().json(item))
}

/// Give a workspace another title
///
/// Its name stands in its entries, which never change, and so never changes either.
#[utoipa::path(
    patch,
    path = "/api/v1/workspaces/{name}",
    tag = "workspaces",
    params(("name" = String, Path, example = "acme")),
    request_body(content = TitleRequest, example = json!({"title": "Acme Ltd."})),
    responses(
        (status = 200, description = "As it is now", body = WorkspaceItem, example = json!({
            "name": "acme", "title": "Acme Ltd.", "state": "active",
            "created_at": "2026-11-21T08:00:00.000000Z", "archived_at": null, "entries": 1,
            "oldest_seq": 3, "oldest_ts": "2026-11-21T08:00:01.000000Z",
            "newest_seq": 3, "newest_ts": "2026-11-21T08:00:01.000000Z",
            "retention": {"enabled": true, "max_days": 90, "max_entries": 20000, "source": "file"},
            "keys": 2
        })),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such workspace", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn rename(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let object = small::object(&request, payload, &app).await?;
    let title = asked::title(object)?;
    alter(&app, &name, Change::Rename(title)).await
}

/// Archive a workspace
///
/// It takes no new entries from then on, and its keys only read. What it has stays readable, and its retention
/// goes on. `default` cannot be archived.
#[utoipa::path(
    post,
    path = "/api/v1/workspaces/{name}/archive",
    tag = "workspaces",
    params(("name" = String, Path, example = "acme")),
    responses(
        (status = 200, description = "As it is now", body = WorkspaceItem, example = json!({
            "name": "acme", "title": null, "state": "archived",
            "created_at": "2026-11-21T08:00:00.000000Z", "archived_at": "2026-11-21T09:00:00.000000Z", "entries": 1,
            "oldest_seq": 3, "oldest_ts": "2026-11-21T08:00:01.000000Z",
            "newest_seq": 3, "newest_ts": "2026-11-21T08:00:01.000000Z",
            "retention": {"enabled": true, "max_days": 90, "max_entries": 20000, "source": "file"},
            "keys": 2
        })),
        (status = 404, description = "No such workspace", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "It is `default`", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn archive(
    app: web::Data<App>,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    alter(&app, &name, Change::Archive).await
}

/// Take an archived workspace back
#[utoipa::path(
    post,
    path = "/api/v1/workspaces/{name}/unarchive",
    tag = "workspaces",
    params(("name" = String, Path, example = "acme")),
    responses(
        (status = 200, description = "As it is now", body = WorkspaceItem, example = json!({
            "name": "acme", "title": null, "state": "active",
            "created_at": "2026-11-21T08:00:00.000000Z", "archived_at": null, "entries": 1,
            "oldest_seq": 3, "oldest_ts": "2026-11-21T08:00:01.000000Z",
            "newest_seq": 3, "newest_ts": "2026-11-21T08:00:01.000000Z",
            "retention": {"enabled": true, "max_days": 90, "max_entries": 20000, "source": "file"},
            "keys": 2
        })),
        (status = 404, description = "No such workspace", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn unarchive(
    app: web::Data<App>,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    alter(&app, &name, Change::Unarchive).await
}

async fn alter(app: &App, name: &str, change: Change) -> Result<HttpResponse, ApiError> {
    let (name, by) = (asked::named(name)?, context()?);
    let held = app.workspaces.ask(Alter { name, change, by }).await?;
    Ok(HttpResponse::Ok().json(items(app, &[held]).pop()))
}

fn items(app: &App, held: &[Holding]) -> Vec<WorkspaceItem> {
    let retention = app.kept.retention.borrow().clone();
    let ring = app.keys.ring().clone();
    WorkspaceItem::each(held, &retention, &ring, app.now())
}

/// Whose call this is: the route lets nobody else through.
fn context() -> Result<Context, ApiError> {
    Context::current().ok_or(ApiError::Unauthorized)
}

//! Keys: listed, made, rotated, revoked. An administrator has those of his workspace, an operator all.

use crate::access::FullKey;
use crate::actors::context::Context;
use crate::actors::keys::{Create, List, Made, NewKey, NotDone, Revoke, Rotate, asked};
use crate::domain::{Key, KeyLabel, Timestamp};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::small;
use crate::http::wire::ProblemSchema;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// A key, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyItem {
    /// The actor of what its holder records
    pub label: String,
    /// What stands between the two `_` of the key
    pub id: String,
    /// Of `write`, `read`, `admin`
    pub scopes: Vec<&'static str>,
    /// `*` for all
    pub workspace_id: String,
    pub speaks_for_others: bool,
    /// `active`, `expired` or `revoked`
    pub state: &'static str,
    /// `book`, or `file` for one that the configuration declares
    pub source: &'static str,
    pub created_at: Option<String>,
    pub expires_at: Option<String>,
    pub revoked_at: Option<String>,
    /// Until when the secret before the last rotation is taken
    pub former_until: Option<String>,
    /// To the minute
    pub last_used_at: Option<String>,
    pub last_used_from: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct KeyList {
    pub items: Vec<KeyItem>,
}

/// A key with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub struct MadeKey {
    pub key: String,
    #[serde(flatten)]
    #[schema(inline)]
    pub item: KeyItem,
}

/// The key that is wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `NewKey::read`")]
pub struct KeyRequest {
    pub label: String,
    pub scopes: Vec<String>,
    /// `*` for all; by default that of whoever asks
    pub workspace_id: Option<String>,
    pub speaks_for_others: Option<bool>,
    pub expires_in: Option<String>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `asked::overlap`")]
pub struct RotateRequest {
    /// How long the former secret is still taken
    pub overlap: Option<String>,
}

impl KeyItem {
    pub fn of(key: &Key, declared: bool, now: Timestamp) -> Self {
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let former = key.former.map(|former| former.until);
        let used = key.last_used.as_ref();
        Self {
            label: key.label.to_string(),
            id: key.id.clone(),
            scopes: key.rights.words(),
            workspace_id: key.reach.to_string(),
            speaks_for_others: key.speaks_for_others,
            state: key.state(now),
            source: if declared { "file" } else { "book" },
            created_at: (!declared).then(|| key.created.to_string()),
            expires_at: text(key.expires),
            revoked_at: text(key.revoked),
            former_until: text(former.filter(|until| *until > now)),
            last_used_at: text(used.map(|used| used.at)),
            last_used_from: used.and_then(|used| used.from.clone()),
        }
    }
}

impl MadeKey {
    pub fn of(key: &Key, full: &FullKey, now: Timestamp) -> Self {
        Self {
            key: full.reveal(),
            item: KeyItem::of(key, false, now),
        }
    }
}

/// The keys
///
/// Those of the caller's workspace; an operator sees all. No secret is among them.
#[utoipa::path(
    get,
    path = "/api/v1/keys",
    tag = "keys",
    responses(
        (status = 200, description = "By label", body = KeyList, example = json!({"items": [{
            "label": "ci", "id": "4mTq0sUJk2xP", "scopes": ["write"], "workspace_id": "default",
            "speaks_for_others": false, "state": "active", "source": "book",
            "created_at": "2026-11-21T08:00:00.000000Z", "expires_at": null, "revoked_at": null,
            "former_until": null, "last_used_at": "2026-11-21T09:00:00.000000Z", "last_used_from": "192.0.2.7"
        }]})),
        (status = 400, description = "A parameter, where there is none", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    app: web::Data<App>,
    caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let keys = app.keys.addr().send(List).await;
    let keys = keys.map_err(|_| ApiError::Stopping)?;
    let now = app.now();
    let reach = caller.principal.reach();
    let seen = keys.iter().filter(|(key, _)| reach.covers(&key.reach));
    let items = seen.map(|(key, declared)| KeyItem::of(key, *declared, now));
    let items = items.collect();
    Ok(HttpResponse::Ok().json(KeyList { items }))
}

/// Make a key
///
/// It is shown this once. Nobody makes a key that may do more than the one that asks. The first key of a book
/// ends that everybody on this machine may do everything.
#[utoipa::path(
    post,
    path = "/api/v1/keys",
    tag = "keys",
    request_body(content = KeyRequest, example = json!({"label": "ci", "scopes": ["write"], "workspace_id": "default", "expires_in": "90d"})),
    responses(
        (status = 201, description = "Made", body = MadeKey, example = json!({
            "key": "dbk_4mTq0sUJk2xP_…", "label": "ci", "id": "4mTq0sUJk2xP", "scopes": ["write"],
            "workspace_id": "default", "speaks_for_others": false, "state": "active", "source": "book",
            "created_at": "2026-11-21T08:00:00.000000Z", "expires_at": "2027-02-19T08:00:00.000000Z",
            "revoked_at": null, "former_until": null, "last_used_at": null, "last_used_from": null
        })),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 403, description = "More than the caller may do", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The label is, or was, that of another key", body = ProblemSchema, content_type = "application/problem+json"),
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
    let asked = NewKey::read(object)?;
    let made: Result<Made, NotDone> = app.keys.ask(Create { asked, by }).await;
    Ok(shown(HttpResponse::Created(), &made?, app.now()))
}

/// Revoke a key
///
/// At once, and for whoever follows live by it as well.
#[utoipa::path(
    delete,
    path = "/api/v1/keys/{label}",
    tag = "keys",
    params(("label" = String, Path, example = "ci")),
    responses(
        (status = 200, description = "Revoked", body = KeyItem, example = json!({
            "label": "ci", "id": "4mTq0sUJk2xP", "scopes": ["write"], "workspace_id": "default",
            "speaks_for_others": false, "state": "revoked", "source": "book",
            "created_at": "2026-11-21T08:00:00.000000Z", "expires_at": null,
            "revoked_at": "2026-11-21T09:00:00.000000Z", "former_until": null,
            "last_used_at": null, "last_used_from": null
        })),
        (status = 404, description = "No such key", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "It is declared in the configuration file", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn revoke(
    app: web::Data<App>,
    label: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let (by, label) = (context()?, KeyLabel::parse(&label)?);
    let revoked: Result<Key, NotDone> = app.keys.ask(Revoke { label, by }).await;
    Ok(HttpResponse::Ok().json(KeyItem::of(&revoked?, false, app.now())))
}

/// Rotate a key
///
/// It gets another secret, which is shown this once; with `overlap` the former one is taken for a while.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{label}/rotate",
    tag = "keys",
    params(("label" = String, Path, example = "ci")),
    request_body(content = RotateRequest, example = json!({"overlap": "1h"})),
    responses(
        (status = 200, description = "Rotated", body = MadeKey, example = json!({
            "key": "dbk_4mTq0sUJk2xP_…", "label": "ci", "id": "4mTq0sUJk2xP", "scopes": ["write"],
            "workspace_id": "default", "speaks_for_others": false, "state": "active", "source": "book",
            "created_at": "2026-11-21T08:00:00.000000Z", "expires_at": null, "revoked_at": null,
            "former_until": "2026-11-21T10:00:00.000000Z", "last_used_at": null, "last_used_from": null
        })),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 403, description = "The key may do more than the caller", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such key", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "It is revoked, or declared in the configuration file", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn rotate(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    label: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let (by, label) = (context()?, KeyLabel::parse(&label)?);
    let object = small::object(&request, payload, &app).await?;
    let overlap = asked::overlap(object)?;
    let rotate = Rotate { label, overlap, by };
    let made: Result<Made, NotDone> = app.keys.ask(rotate).await;
    Ok(shown(HttpResponse::Ok(), &made?, app.now()))
}

/// Whose call this is: the route lets nobody else through.
fn context() -> Result<Context, ApiError> {
    Context::current().ok_or(ApiError::Unauthorized)
}

fn shown(
    mut response: actix_web::HttpResponseBuilder,
    Made { key, full }: &Made,
    now: Timestamp,
) -> HttpResponse {
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.json(MadeKey::of(key, full, now))
}

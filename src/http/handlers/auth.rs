//! Signing in and out, and who one is.

use crate::access::Principal;
use crate::access::keyring::Stay;
use crate::actors::context::Context;
use crate::actors::keys::NotDone;
use crate::actors::keys::signing::{Begin, End};
use crate::domain::{FieldErrors, Timestamp};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::forwarded::Client;
use crate::http::wire::ProblemSchema;
use crate::http::{auth, cookie, small};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Who somebody is, and what he may do.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// The actor of what is recorded
    pub label: String,
    /// `*` for all
    pub workspace_id: String,
    /// Of `write`, `read`, `admin`
    pub scopes: Vec<&'static str>,
    pub speaks_for_others: bool,
    /// `key`, `session` (a cookie), `proxy`, `machine` (the control socket) or `anonymous`
    pub kind: &'static str,
    /// When that ends in any case
    pub expires_at: Option<String>,
    /// When a session ends without another request
    pub idle_expires_at: Option<String>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `key_in`")]
pub struct LoginRequest {
    pub key: String,
}

#[derive(Serialize, ToSchema)]
pub struct SignedOut {
    /// Whether the request came by a cookie; a key cannot be signed out
    pub signed_out: bool,
}

impl Me {
    fn of(principal: &Principal, app: &App, now: Timestamp) -> Self {
        let of_key = match app.keys.ring().stay(principal, now) {
            Stay::Until(end) => end,
            Stay::Over => Some(now),
        };
        let sign_in = principal.sign_in();
        let ends = sign_in.and_then(|token| app.keys.sign_ins().ends(token));
        let (idle, absolute) = ends.unzip();
        let end = of_key.into_iter().chain(absolute).min();
        Self {
            label: principal.label().to_owned(),
            workspace_id: principal.reach().to_string(),
            scopes: principal.rights().words(),
            speaks_for_others: principal.may_speak_for_others(),
            kind: principal.kind(),
            expires_at: end.map(|end| end.to_string()),
            idle_expires_at: idle.map(|end| end.to_string()),
        }
    }
}

/// Sign in
///
/// With a key, for a browser: the answer sets a cookie, which does what the key does until it is signed out, is not
/// used for `[auth] session_idle`, is as old as `[auth] session_absolute`, or the key ends. With the cookie, whatever
/// changes something takes an `Origin` that is this host.
#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    tag = "auth",
    request_body(content = LoginRequest, example = json!({"key": "dbk_4mTq0sUJk2xP_…"})),
    responses(
        (status = 200, description = "Signed in, with `Set-Cookie`", body = Me, example = json!({
            "label": "anna", "workspace_id": "default", "scopes": ["read"], "speaks_for_others": false,
            "kind": "session", "expires_at": "2026-12-21T08:00:00.000000Z",
            "idle_expires_at": "2026-11-21T20:00:00.000000Z"
        })),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 401, description = "Not a key that is in force: no more is told", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts from this address", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn login(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let client = Client::of(&request, &app.settings.server);
    auth::one_attempt(&app, &client)?;
    let key = key_in(small::object(&request, payload, &app).await?)?;
    let context = Context::current().ok_or(ApiError::Internal)?;
    let by = Context {
        principal: auth::holder(&key, &app, &client)?,
        ..context.clone()
    };
    let replaced = context.principal.sign_in().copied();
    let begun: Result<_, NotDone> = app.keys.ask(Begin { by, replaced }).await;
    let (token, sign_in) = begun?;
    let now = app.now();
    let signed_in = app.keys.ring().signed_in(&sign_in, now).map(|(_, who)| who);
    // Revoked at this very moment.
    let principal = signed_in.ok_or(ApiError::Unauthorized)?;
    let lasts = app.settings.auth.session_absolute.get();
    let given = cookie::given(&token, lasts, client.secure);
    Ok(HttpResponse::Ok()
        .insert_header((header::SET_COOKIE, given))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Me::of(&principal, &app, now)))
}

/// Sign out
///
/// The cookie opens nothing any more, at once. A key stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    tag = "auth",
    responses(
        (status = 200, description = "Signed out, if there was a sign-in", body = SignedOut, example = json!({"signed_out": true})),
        (status = 403, description = "Without an Origin that is this host", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn logout(
    request: HttpRequest,
    app: web::Data<App>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let by = Context::current().ok_or(ApiError::Unauthorized)?;
    let token = by.principal.sign_in().copied();
    if let Some(token) = token {
        let ended: Result<(), NotDone> = app.keys.ask(End { token, by }).await;
        ended?;
    }
    let client = Client::of(&request, &app.settings.server);
    let signed_out = token.is_some();
    Ok(HttpResponse::Ok()
        .insert_header((header::SET_COOKIE, cookie::taken_back(client.secure)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(SignedOut { signed_out }))
}

/// Who one is
///
/// By whatever the request shows.
#[utoipa::path(
    get,
    path = "/api/v1/auth/me",
    tag = "auth",
    responses(
        (status = 200, description = "Somebody who is let in", body = Me, example = json!({
            "label": "ci", "workspace_id": "default", "scopes": ["write"], "speaks_for_others": false,
            "kind": "key", "expires_at": null, "idle_expires_at": null
        })),
        (status = 401, description = "Nobody", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn me(
    app: web::Data<App>,
    caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Me::of(&caller.principal, &app, app.now())))
}

/// What cannot be a key is as wrong as one that is none.
fn key_in(mut object: Map<String, Value>) -> Result<String, FieldErrors> {
    let key = match object.remove("key") {
        Some(Value::String(key)) => key,
        Some(_) => return Err(FieldErrors::one("key", "must be a string")),
        None => return Err(FieldErrors::one("key", "is missing")),
    };
    match object.keys().next() {
        None => Ok(key),
        Some(name) => {
            let name: String = name.chars().take(64).collect();
            Err(FieldErrors::one(name, "is not known here"))
        }
    }
}

//! The intakes that the daemon runs itself: how each stands, started and stopped.

use crate::actors::captures::{Listed, Start, State, Stop};
use crate::actors::context::Context;
use crate::domain::{FieldError, FieldErrors};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Query;
use crate::http::small;
use crate::http::wire::ProblemSchema;
use crate::telemetry::Why;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Names in one request.
const NAMES: usize = 256;

/// An intake that the daemon runs itself.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Capture)]
pub struct CaptureItem {
    pub name: String,
    /// `syslog`, `file`, `journal` or `socket`
    pub kind: String,
    /// `text`, `json`, `syslog` or `journal`
    pub format: String,
    /// `running`; `waiting`: it is in order, and what it reads is not there, or the book takes nothing now;
    /// `failed`: it broke, and is tried again by itself; `stopped`
    pub state: String,
    /// Since when it stands so
    pub since: String,
    /// Why it waits, or failed
    pub reason: Option<String>,
    /// Where it can be reached, with the port that it really has
    pub listening: Vec<String>,
    pub path: Option<String>,
    pub workspace: String,
    /// It starts with the daemon
    pub autostart: bool,
    pub counters: CaptureCounters,
}

/// In lines, since the daemon started.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CaptureCounters {
    pub received: u64,
    pub recorded: u64,
    /// Recorded, and changed to fit: `metadata.cut` says what of them
    pub cut: u64,
    /// Not recorded by their own fault
    pub rejected: u64,
    pub dropped: u64,
    /// By reason: `kernel` (of UDP), `rate`, `off` (recording is), `stopping`
    pub dropped_by: BTreeMap<String, u64>,
    pub bytes: u64,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct CaptureList {
    /// By name
    pub items: Vec<CaptureItem>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `names`")]
pub struct CaptureNames {
    /// Without it: all
    pub names: Option<Vec<String>>,
}

/// What came of it for one of several.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CaptureOutcome {
    pub name: String,
    /// None where there is no capture of this name
    pub state: Option<String>,
    pub reason: Option<String>,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct CaptureOutcomes {
    /// In the order of the names
    pub items: Vec<CaptureOutcome>,
}

impl CaptureItem {
    pub fn of(listed: &Listed) -> Self {
        let config = &listed.config;
        let path = config.path.as_ref();
        Self {
            name: config.name.clone(),
            kind: config.kind.as_str().to_owned(),
            format: config.format().as_str().to_owned(),
            state: listed.state().as_str().to_owned(),
            since: listed.since().to_string(),
            reason: listed.reason(),
            listening: listed.listening(),
            path: path.map(|path| path.display().to_string()),
            workspace: config.workspace.clone(),
            autostart: config.autostart,
            counters: CaptureCounters::of(listed),
        }
    }
}

impl CaptureCounters {
    fn of(listed: &Listed) -> Self {
        let counters = listed.counters();
        let by = Why::ALL.iter().zip(counters.dropped);
        Self {
            received: counters.received,
            recorded: counters.recorded,
            cut: counters.cut,
            rejected: counters.rejected,
            dropped: counters.dropped.iter().sum(),
            dropped_by: by.map(|(why, n)| (why.as_str().to_owned(), n)).collect(),
            bytes: counters.bytes,
        }
    }
}

impl CaptureOutcome {
    fn of((name, listed): (String, Option<Listed>)) -> Self {
        let unknown = || Some("there is no capture of this name".to_owned());
        let state = listed.as_ref().map(Listed::state).map(State::as_str);
        Self {
            state: state.map(str::to_owned),
            reason: listed.as_ref().map_or_else(unknown, Listed::reason),
            name,
        }
    }
}

/// The captures
///
/// What the configuration has of them, how each stands, and what came through it since the daemon started.
#[utoipa::path(
    get,
    path = "/api/v1/captures",
    tag = "captures",
    responses((status = 200, description = "By name", body = CaptureList, example = json!({"items": [{
        "name": "network", "kind": "syslog", "format": "syslog", "state": "running",
        "since": "2026-11-21T08:00:00.000000Z", "reason": null,
        "listening": ["udp://127.0.0.1:5514", "tcp://127.0.0.1:5514"], "path": null,
        "workspace": "default", "autostart": true,
        "counters": {"received": 17, "recorded": 17, "cut": 1, "rejected": 0, "dropped": 0,
            "dropped_by": {"kernel": 0, "off": 0, "rate": 0, "stopping": 0}, "bytes": 2048}
    }]})))
)]
pub async fn list(app: web::Data<App>, query: Query) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let items = app.captures.list().iter().map(CaptureItem::of).collect();
    Ok(HttpResponse::Ok().json(CaptureList { items }))
}

/// One capture
#[utoipa::path(
    get,
    path = "/api/v1/captures/{name}",
    tag = "captures",
    params(("name" = String, Path, example = "network")),
    responses(
        (status = 200, description = "As the list has it", body = CaptureItem, example = json!({
            "name": "shop", "kind": "file", "format": "json", "state": "waiting",
            "since": "2026-11-21T08:00:00.000000Z", "reason": "there is no such file yet",
            "listening": [], "path": "/var/log/shop/events.json", "workspace": "default", "autostart": true,
            "counters": {"received": 0, "recorded": 0, "cut": 0, "rejected": 0, "dropped": 0,
                "dropped_by": {"kernel": 0, "off": 0, "rate": 0, "stopping": 0}, "bytes": 0}
        })),
        (status = 404, description = "No such capture", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    app: web::Data<App>,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let listed = app.captures.list();
    let found = listed.iter().find(|listed| listed.config.name == *name);
    let item = found.map(CaptureItem::of).ok_or(ApiError::NoSuchCapture)?;
    Ok(HttpResponse::Ok().json(item))
}

/// Start a capture
///
/// Answers how it stands then: one that could not begin is `failed`, says why, and is tried again by itself until it
/// is stopped. One that runs already goes on.
#[utoipa::path(
    post,
    path = "/api/v1/captures/{name}/start",
    tag = "captures",
    params(("name" = String, Path, example = "network")),
    responses(
        (status = 200, description = "As it stands now", body = CaptureItem, example = json!({
            "name": "network", "kind": "syslog", "format": "syslog", "state": "failed",
            "since": "2026-11-21T08:00:00.000000Z", "reason": "127.0.0.1:5514: Address already in use (os error 98)",
            "listening": [], "path": null, "workspace": "default", "autostart": false,
            "counters": {"received": 0, "recorded": 0, "cut": 0, "rejected": 0, "dropped": 0,
                "dropped_by": {"kernel": 0, "off": 0, "rate": 0, "stopping": 0}, "bytes": 0}
        })),
        (status = 404, description = "No such capture", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn start(
    app: web::Data<App>,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let (names, by) = (Some(vec![name.into_inner()]), context()?);
    let answer = app.captures.addr().send(Start { names, by }).await;
    single(answer.map_err(|_| ApiError::Stopping)?)
}

/// Stop a capture
///
/// What it has read is recorded before it stops. It starts again by hand, or with the daemon unless `autostart` is
/// off.
#[utoipa::path(
    post,
    path = "/api/v1/captures/{name}/stop",
    tag = "captures",
    params(("name" = String, Path, example = "network")),
    responses(
        (status = 200, description = "As it stands now", body = CaptureItem, example = json!({
            "name": "network", "kind": "syslog", "format": "syslog", "state": "stopped",
            "since": "2026-11-21T08:00:00.000000Z", "reason": null,
            "listening": [], "path": null, "workspace": "default", "autostart": true,
            "counters": {"received": 3, "recorded": 3, "cut": 0, "rejected": 0, "dropped": 0,
                "dropped_by": {"kernel": 0, "off": 0, "rate": 0, "stopping": 0}, "bytes": 300}
        })),
        (status = 404, description = "No such capture", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn stop(
    app: web::Data<App>,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let (names, by) = (Some(vec![name.into_inner()]), context()?);
    let answer = app.captures.addr().send(Stop { names, by }).await;
    single(answer.map_err(|_| ApiError::Stopping)?)
}

/// Start several captures, or all
#[utoipa::path(
    post,
    path = "/api/v1/captures/start",
    tag = "captures",
    request_body(content = Option<CaptureNames>, example = json!({"names": ["network", "shop"]})),
    responses(
        (status = 200, description = "What came of it for each", body = CaptureOutcomes, example = json!({"items": [
            {"name": "network", "state": "running", "reason": null},
            {"name": "shop", "state": null, "reason": "there is no capture of this name"}
        ]})),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn start_several(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let (by, names) = (context()?, names(&request, payload, &app).await?);
    let answer = app.captures.addr().send(Start { names, by }).await;
    Ok(several(answer.map_err(|_| ApiError::Stopping)?))
}

/// Stop several captures, or all
#[utoipa::path(
    post,
    path = "/api/v1/captures/stop",
    tag = "captures",
    request_body(content = Option<CaptureNames>, example = json!({"names": ["network"]})),
    responses(
        (status = 200, description = "What came of it for each", body = CaptureOutcomes, example = json!({"items": [
            {"name": "network", "state": "stopped", "reason": null}
        ]})),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn stop_several(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let (by, names) = (context()?, names(&request, payload, &app).await?);
    let answer = app.captures.addr().send(Stop { names, by }).await;
    Ok(several(answer.map_err(|_| ApiError::Stopping)?))
}

fn single(mut answer: Vec<(String, Option<Listed>)>) -> Result<HttpResponse, ApiError> {
    let listed = answer.pop().and_then(|(_, listed)| listed);
    let listed = listed.ok_or(ApiError::NoSuchCapture)?;
    Ok(HttpResponse::Ok().json(CaptureItem::of(&listed)))
}

fn several(answer: Vec<(String, Option<Listed>)>) -> HttpResponse {
    let items = answer.into_iter().map(CaptureOutcome::of).collect();
    HttpResponse::Ok().json(CaptureOutcomes { items })
}

/// The names in the body; none where there is no body.
async fn names(
    request: &HttpRequest,
    payload: web::Payload,
    app: &App,
) -> Result<Option<Vec<String>>, ApiError> {
    let Some(mut object) = small::object_if_any(request, payload, app).await? else {
        return Ok(None);
    };
    let wrong = |reason: &'static str| FieldError::new("names", reason);
    let names = object.remove("names");
    if let Some(key) = object.keys().next() {
        return Err(FieldErrors::one(key.clone(), "is no field of this").into());
    }
    let values = match names {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(values)) if values.len() <= NAMES => values,
        Some(_) => return Err(wrong("must be a list of at most 256 names").into()),
    };
    let name = |value: Value| match value {
        Value::String(name) => Ok(name),
        _ => Err(wrong("must be a list of texts")),
    };
    Ok(Some(
        values.into_iter().map(name).collect::<Result<_, _>>()?,
    ))
}

/// Whose call this is: the route lets nobody else through.
fn context() -> Result<Context, ApiError> {
    Context::current().ok_or(ApiError::Unauthorized)
}

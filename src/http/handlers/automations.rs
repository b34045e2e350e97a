//! Automations, for an operator: what there is and how it stands; made, changed, switched, removed and tried.

use crate::actors::automations::{Change, NotDone, Shown, Tried};
use crate::actors::context::Context;
use crate::domain::automation::{Rule, checked_name};
use crate::domain::{FieldErrors, Timestamp};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Query;
use crate::http::small;
use crate::http::wire::ProblemSchema;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A rule, as it was asked for with every default, and how it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Automation)]
pub struct AutomationItem {
    #[serde(flatten)]
    #[schema(inline, value_type = AutomationRequest)]
    pub rule: Map<String, Value>,
    /// `http`, or `file`: it is changed there
    pub source: &'static str,
    pub file: Option<String>,
    pub status: AutomationStatus,
}

#[derive(Serialize, ToSchema)]
pub struct AutomationStatus {
    pub last_activation: Option<String>,
    pub activated: u64,
    /// Deliveries that wait
    pub pending: usize,
    pub delivered: u64,
    /// Deliveries that were given up
    pub failed: u64,
    pub last_answer: Option<LastAnswerItem>,
}

/// What the receiver said last, since the daemon runs.
#[derive(Serialize, ToSchema)]
#[schema(as = LastAnswer)]
pub struct LastAnswerItem {
    pub at: String,
    pub status: Option<u16>,
    pub error: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct AutomationList {
    pub items: Vec<AutomationItem>,
}

/// The rule that is wanted; it needs `webhook` or `ntfy`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `Rule::read`")]
pub struct AutomationRequest {
    pub name: String,
    /// `true` by default
    pub enabled: Option<bool>,
    /// One workspace, `default` by default, or `*` for all
    pub workspace: Option<String>,
    /// As the filters of a list, each a text or an array; no times
    #[schema(value_type = Option<Object>)]
    pub filters: Option<Value>,
    /// So many matches `within` that time
    pub times: Option<usize>,
    pub within: Option<String>,
    /// Counted for each `actor`, `entity` or `action` by itself
    pub per: Option<String>,
    /// No other activation for so long
    pub cooldown: Option<String>,
    /// 1 to 600, 30 by default
    pub most_per_minute: Option<usize>,
    /// How long a delivery is tried, `24h` by default
    pub give_up_after: Option<String>,
    /// `{"url","secret","headers","timeout"}`
    #[schema(value_type = Option<Object>)]
    pub webhook: Option<Value>,
    /// `{"url","token","title","priority","tags","message","headers","timeout"}`
    #[schema(value_type = Option<Object>)]
    pub ntfy: Option<Value>,
}

#[derive(Serialize, ToSchema)]
pub struct Removed {
    pub removed: String,
}

/// What the receiver said to a delivery that was made for it.
#[derive(Serialize, ToSchema)]
pub struct Tested {
    /// It answered with success
    pub delivered: bool,
    pub status: Option<u16>,
    /// Why there is no status
    pub error: Option<String>,
    /// The beginning of what it answered
    pub answer: Option<String>,
    pub took_ms: u64,
}

impl From<Shown> for AutomationItem {
    fn from(shown: Shown) -> Self {
        let standing = shown.standing;
        let last = standing.last.map(Timestamp::from_micros);
        Self {
            rule: shown.rule.to_json(false),
            source: if shown.file.is_some() { "file" } else { "http" },
            file: shown.file,
            status: AutomationStatus {
                last_activation: last.map(|at| at.to_string()),
                activated: standing.activated,
                pending: shown.pending,
                delivered: standing.delivered,
                failed: standing.failed,
                last_answer: shown.answered.map(|answered| LastAnswerItem {
                    at: answered.at.to_string(),
                    status: answered.status,
                    error: answered.error,
                }),
            },
        }
    }
}

impl From<Tried> for Tested {
    fn from(tried: Tried) -> Self {
        Self {
            delivered: tried.status.is_some_and(|s| (200..300).contains(&s)),
            status: tried.status,
            error: tried.error,
            answer: tried.answer,
            took_ms: u64::try_from(tried.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// The automations
///
/// By name, those of the configuration file too, each with how it stands. Secrets and the values of headers are
/// in no answer: they are `[redacted]`.
#[utoipa::path(
    get,
    path = "/api/v1/automations",
    tag = "automations",
    responses((status = 200, description = "By name", body = AutomationList, example = json!({"items": [{
        "name": "intruder", "enabled": true, "workspace": "default", "filters": {"action": ["auth.failed"]},
        "times": 5, "within": "10m", "per": "actor", "cooldown": "1h", "most_per_minute": 30, "give_up_after": "1day",
        "webhook": {"url": "https://hooks.example/x", "secret": "[redacted]", "headers": {}, "timeout": "10s"},
        "source": "http", "file": null,
        "status": {"last_activation": null, "activated": 0, "pending": 0, "delivered": 0, "failed": 0, "last_answer": null}
    }]})))
)]
pub async fn list(app: web::Data<App>, query: Query) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let shown = app.automations.list(None).await?;
    let items = shown.into_iter().map(AutomationItem::from).collect();
    Ok(HttpResponse::Ok().json(AutomationList { items }))
}

/// One automation
#[utoipa::path(
    get,
    path = "/api/v1/automations/{name}",
    tag = "automations",
    params(("name" = String, Path, example = "intruder")),
    responses(
        (status = 200, description = "As the list has it", body = AutomationItem, example = json!({
            "name": "phone", "enabled": true, "workspace": "*", "filters": {"severity": ["error"]},
            "cooldown": "0s", "most_per_minute": 30, "give_up_after": "1day",
            "ntfy": {"url": "https://ntfy.sh/my-topic", "token": null, "title": "Daybook: {rule}", "priority": "high",
                "tags": ["rotating_light"], "message": "{message}", "headers": {}, "timeout": "10s"},
            "source": "file", "file": "/etc/daybook/daybook.toml",
            "status": {"last_activation": "2026-11-21T08:00:00.000000Z", "activated": 1, "pending": 0, "delivered": 1,
                "failed": 0, "last_answer": {"at": "2026-11-21T08:00:00.100000Z", "status": 200, "error": null}}
        })),
        (status = 404, description = "No such automation", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    app: web::Data<App>,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let shown = app.automations.list(Some(name.into_inner())).await?.pop();
    let shown = shown.ok_or(NotDone::NoSuchAutomation)?;
    Ok(HttpResponse::Ok().json(AutomationItem::from(shown)))
}

/// Create an automation
///
/// It is about what is recorded from now on. `docs/automations.md` says what is sent, and how it is signed.
#[utoipa::path(
    post,
    path = "/api/v1/automations",
    tag = "automations",
    request_body(content = AutomationRequest, example = json!({
        "name": "intruder", "filters": {"action": "auth.failed"}, "times": 5, "within": "10m", "per": "actor",
        "webhook": {"url": "http://127.0.0.1:9/hook", "secret": "choose-one"}
    })),
    responses(
        (status = 201, description = "Created", body = AutomationItem, example = json!({
            "name": "intruder", "enabled": true, "workspace": "default", "filters": {"action": ["auth.failed"]},
            "times": 5, "within": "10m", "per": "actor", "cooldown": "0s", "most_per_minute": 30, "give_up_after": "1day",
            "webhook": {"url": "http://127.0.0.1:9/hook", "secret": "[redacted]", "headers": {}, "timeout": "10s"},
            "source": "http", "file": null,
            "status": {"last_activation": null, "activated": 0, "pending": 0, "delivered": 0, "failed": 0, "last_answer": null}
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
    let object = small::object(&request, payload, &app).await?;
    let rule = Box::new(Rule::read(object, &app.rules)?);
    let made = alter(&app, Change::Create(rule)).await?;
    Ok(HttpResponse::Created().json(made))
}

/// Change an automation
///
/// The whole rule; what it leaves out is at its default. A secret or header that is said as it is shown,
/// `[redacted]`, stays. With other filters it counts from now on.
#[utoipa::path(
    put,
    path = "/api/v1/automations/{name}",
    tag = "automations",
    params(("name" = String, Path, example = "intruder")),
    request_body(content = AutomationRequest, example = json!({
        "name": "intruder", "filters": {"action": "auth.*"}, "webhook": {"url": "http://127.0.0.1:9/hook"}
    })),
    responses(
        (status = 200, description = "As it is now", body = AutomationItem, example = json!({
            "name": "intruder", "enabled": true, "workspace": "default", "filters": {"action": ["auth.*"]},
            "cooldown": "0s", "most_per_minute": 30, "give_up_after": "1day",
            "webhook": {"url": "http://127.0.0.1:9/hook", "secret": null, "headers": {}, "timeout": "10s"},
            "source": "http", "file": null,
            "status": {"last_activation": null, "activated": 0, "pending": 0, "delivered": 0, "failed": 0, "last_answer": null}
        })),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such automation", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "It stands in the configuration file", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn replace(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let mut object = small::object(&request, payload, &app).await?;
    let name = checked(name)?;
    let said = object.entry("name").or_insert_with(|| name.clone().into());
    if said.as_str() != Some(name.as_str()) {
        let reason = "must be that of the address: a name does not change";
        return Err(FieldErrors::one("name", reason).into());
    }
    let rule = Box::new(Rule::read(object, &app.rules)?);
    let changed = alter(&app, Change::Replace(rule)).await?;
    Ok(HttpResponse::Ok().json(changed))
}

/// Remove an automation
///
/// What it had still to tell goes with it.
#[utoipa::path(
    delete,
    path = "/api/v1/automations/{name}",
    tag = "automations",
    params(("name" = String, Path, example = "intruder")),
    responses(
        (status = 200, description = "Removed", body = Removed, example = json!({"removed": "intruder"})),
        (status = 404, description = "No such automation", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "It stands in the configuration file", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn remove(
    app: web::Data<App>,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let removed = name.into_inner();
    alter(&app, Change::Remove(removed.clone())).await?;
    Ok(HttpResponse::Ok().json(Removed { removed }))
}

/// Switch an automation on
///
/// It is about what is recorded from now on; what waited is told.
#[utoipa::path(
    post,
    path = "/api/v1/automations/{name}/enable",
    tag = "automations",
    params(("name" = String, Path, example = "intruder")),
    responses(
        (status = 200, description = "As it is now", body = AutomationItem, example = json!({
            "name": "intruder", "enabled": true, "workspace": "default", "filters": {"action": ["auth.*"]},
            "cooldown": "0s", "most_per_minute": 30, "give_up_after": "1day",
            "webhook": {"url": "http://127.0.0.1:9/hook", "secret": null, "headers": {}, "timeout": "10s"},
            "source": "http", "file": null,
            "status": {"last_activation": null, "activated": 0, "pending": 0, "delivered": 0, "failed": 0, "last_answer": null}
        })),
        (status = 404, description = "No such automation", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "It stands in the configuration file", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn enable(
    app: web::Data<App>,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let item = alter(&app, Change::Switch(name.into_inner(), true)).await?;
    Ok(HttpResponse::Ok().json(item))
}

/// Switch an automation off
///
/// Nothing sets it off, and what it has still to tell waits, until that is given up.
#[utoipa::path(
    post,
    path = "/api/v1/automations/{name}/disable",
    tag = "automations",
    params(("name" = String, Path, example = "intruder")),
    responses(
        (status = 200, description = "As it is now", body = AutomationItem, example = json!({
            "name": "intruder", "enabled": false, "workspace": "default", "filters": {"action": ["auth.*"]},
            "cooldown": "0s", "most_per_minute": 30, "give_up_after": "1day",
            "webhook": {"url": "http://127.0.0.1:9/hook", "secret": null, "headers": {}, "timeout": "10s"},
            "source": "http", "file": null,
            "status": {"last_activation": null, "activated": 0, "pending": 0, "delivered": 0, "failed": 0, "last_answer": null}
        })),
        (status = 404, description = "No such automation", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "It stands in the configuration file", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn disable(
    app: web::Data<App>,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let item = alter(&app, Change::Switch(name.into_inner(), false)).await?;
    Ok(HttpResponse::Ok().json(item))
}

/// Try an automation
///
/// Sends one delivery now, with the newest entry that matches or an example, and answers what the receiver said.
/// It is not tried again, and counts nowhere.
#[utoipa::path(
    post,
    path = "/api/v1/automations/{name}/test",
    tag = "automations",
    params(("name" = String, Path, example = "intruder")),
    responses(
        (status = 200, description = "What came of it", body = Tested, example = json!({
            "delivered": true, "status": 200, "error": null, "answer": "ok", "took_ms": 12
        })),
        (status = 404, description = "No such automation", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "Several are tried already", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn test(
    app: web::Data<App>,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let tried = app.automations.test(name.into_inner()).await?;
    Ok(HttpResponse::Ok().json(Tested::from(tried)))
}

fn checked(name: web::Path<String>) -> Result<String, ApiError> {
    checked_name(&name)?;
    Ok(name.into_inner())
}

async fn alter(app: &App, change: Change) -> Result<Option<AutomationItem>, ApiError> {
    let by = Context::current().ok_or(ApiError::Unauthorized)?;
    let shown = app.automations.alter(change, by).await?;
    Ok(shown.map(AutomationItem::from))
}

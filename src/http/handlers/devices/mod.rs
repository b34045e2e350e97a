//! Devices, for an operator: what is on the network, added, named, ignored and checked by hand. Other software that
//! may write into the operator's own workspace reports whether its devices are connected.

mod shown;

pub use shown::DeviceItem;

use crate::access::Scope;
use crate::actors::context::Context;
use crate::actors::discovery::{Check, Doing, Done, List, One, Wanted};
use crate::domain::device::{Alter, NewDevice, Report, Source, State};
use crate::domain::{DeviceId, FieldError};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::handlers::backups::Deleted;
use crate::http::small;
use crate::http::wire::ProblemSchema;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use shown::{
    DeviceChange, DeviceChecked, DeviceDone, DeviceList, DeviceReport, DeviceRequest,
    DiscoveryItem, OutcomeItem,
};

/// Devices that one answer lists.
const LISTED: usize = 500;

/// The devices
///
/// By id, with how each is and how that is known, and what can be said of discovery itself.
#[utoipa::path(
    get,
    path = "/api/v1/devices",
    tag = "devices",
    params(
        ("state" = Option<String>, Query, description = "`online`, `offline`, `lost` or `unknown`", example = "online"),
        ("source" = Option<String>, Query, description = "`mdns`, `manual` or `reported`", example = "mdns"),
        ("ignored" = Option<bool>, Query, example = false),
        ("limit" = Option<usize>, Query, description = "1 to 500, 500 by default", example = 100),
        ("after" = Option<String>, Query, description = "Go on after this id", example = "dev_5f0c1a9be2d34477")
    ),
    responses(
        (status = 200, description = "By id", body = DeviceList, example = json!({"items": [{
            "id": "dev_5f0c1a9be2d34477", "name": "Kitchen", "given_name": null, "type": "_wled._tcp",
            "host": "kitchen.local", "addresses": ["192.168.1.20"], "port": 80, "txt": {"mac": "a0b1c2d3e4f5"},
            "source": "mdns", "state": "online", "flapping": false,
            "first_seen": "2026-11-21T08:00:00.000000Z", "last_seen": "2026-11-21T09:00:00.000000Z",
            "ignored": false,
            "check": {"kind": "http", "port": 80, "path": "/", "interval_seconds": 60.0, "timeout_seconds": 5.0, "failures": 3},
            "check_override": null,
            "last_check": {"at": "2026-11-21T09:00:00.000000Z", "ok": true, "millis": 12, "error": null}
        }], "next_after": null, "discovery": {
            "enabled": true, "state": "running", "browsing": true, "announcing": true, "interfaces": ["eth0"],
            "trouble": null, "deaths": 0, "dropped": 0, "helper_pid": 4711}})),
        (status = 400, description = "A parameter is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    app: web::Data<App>,
    _caller: Caller,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let wanted = wanted(&mut query)?;
    query.nothing_else()?;
    let listed = app.devices.ask(List(wanted)).await?;
    let last = listed.devices.last().map(|one| one.device.id.to_string());
    Ok(HttpResponse::Ok().json(DeviceList {
        next_after: last.filter(|_| listed.more),
        items: listed.devices.into_iter().map(DeviceItem::from).collect(),
        discovery: DiscoveryItem::from(listed.status),
    }))
}

fn wanted(query: &mut Query) -> Result<Wanted, FieldError> {
    let wrong = |field: &'static str, reason: &'static str| move || FieldError::new(field, reason);
    let state = query.take("state")?.map(|text| {
        let reason = "must be online, offline, lost or unknown";
        State::parse(&text).ok_or_else(wrong("state", reason))
    });
    let source = query.take("source")?.map(|text| {
        let reason = "must be mdns, manual or reported";
        Source::parse(&text).ok_or_else(wrong("source", reason))
    });
    let ignored = query.take("ignored")?.map(|text| {
        let reason = "must be true or false";
        text.parse::<bool>().map_err(|_| wrong("ignored", reason)())
    });
    let limit = query.take("limit")?.map(|text| {
        let limit = text.parse().ok();
        let fits = limit.filter(|limit| (1..=LISTED).contains(limit));
        fits.ok_or_else(wrong("limit", "must be 1 to 500"))
    });
    let after = query.take("after")?.map(|text| {
        let refused = |error: FieldError| FieldError::new("after", error.reason);
        DeviceId::parse(&text).map_err(refused)
    });
    Ok(Wanted {
        after: after.transpose()?,
        limit: limit.transpose()?.unwrap_or(LISTED),
        state: state.transpose()?,
        source: source.transpose()?,
        ignored: ignored.transpose()?,
    })
}

/// Add a device
///
/// One that does not announce itself. It is checked at once, and recorded as `device.added`.
#[utoipa::path(
    post,
    path = "/api/v1/devices",
    tag = "devices",
    request_body(content = DeviceRequest, example = json!({"address": "192.168.1.30", "name": "Printer", "type": "_ipp._tcp", "port": 631})),
    responses(
        (status = 201, description = "Added", body = DeviceItem, example = json!({
            "id": "dev_5f0c1a9be2d34477", "name": "Kitchen", "given_name": null, "type": "_wled._tcp",
            "host": "kitchen.local", "addresses": ["192.168.1.20"], "port": 80, "txt": {"mac": "a0b1c2d3e4f5"},
            "source": "mdns", "state": "online", "flapping": false,
            "first_seen": "2026-11-21T08:00:00.000000Z", "last_seen": "2026-11-21T09:00:00.000000Z",
            "ignored": false,
            "check": {"kind": "http", "port": 80, "path": "/", "interval_seconds": 60.0, "timeout_seconds": 5.0, "failures": 3},
            "check_override": null,
            "last_check": {"at": "2026-11-21T09:00:00.000000Z", "ok": true, "millis": 12, "error": null}
        })),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "There is no room for more", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn add(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let object = small::object(&request, payload, &app).await?;
    let asked = NewDevice::read(object)?;
    let done = app
        .devices
        .run(Doing::Add(asked), Context::current())
        .await?;
    let shown = done.shown.ok_or(ApiError::NoSuchDevice)?;
    let place = format!("/api/v1/devices/{}", shown.device.id);
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, place))
        .json(DeviceItem::from(shown)))
}

/// One device
#[utoipa::path(
    get,
    path = "/api/v1/devices/{id}",
    tag = "devices",
    params(("id" = String, Path, example = "dev_5f0c1a9be2d34477")),
    responses(
        (status = 200, description = "As the list has it", body = DeviceItem, example = json!({
            "id": "dev_5f0c1a9be2d34477", "name": "Kitchen", "given_name": null, "type": "_wled._tcp",
            "host": "kitchen.local", "addresses": ["192.168.1.20"], "port": 80, "txt": {"mac": "a0b1c2d3e4f5"},
            "source": "mdns", "state": "online", "flapping": false,
            "first_seen": "2026-11-21T08:00:00.000000Z", "last_seen": "2026-11-21T09:00:00.000000Z",
            "ignored": false,
            "check": {"kind": "http", "port": 80, "path": "/", "interval_seconds": 60.0, "timeout_seconds": 5.0, "failures": 3},
            "check_override": null,
            "last_check": {"at": "2026-11-21T09:00:00.000000Z", "ok": true, "millis": 12, "error": null}
        })),
        (status = 400, description = "That is no id", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such device", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    app: web::Data<App>,
    _caller: Caller,
    id: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let id = DeviceId::parse(&id)?;
    let shown = app.devices.ask(One(id)).await?;
    let shown = shown.ok_or(ApiError::NoSuchDevice)?;
    Ok(HttpResponse::Ok().json(DeviceItem::from(shown)))
}

/// Name a device, ignore it, or have it checked in another way
///
/// What is not said stays. Recorded as `device.renamed`, `device.ignored`, `device.unignored`,
/// `device.check_changed`, each where it applies.
#[utoipa::path(
    patch,
    path = "/api/v1/devices/{id}",
    tag = "devices",
    params(("id" = String, Path, example = "dev_5f0c1a9be2d34477")),
    request_body(content = DeviceChange, example = json!({"given_name": "Kitchen light", "check": {"kind": "tcp", "interval_seconds": 30}})),
    responses(
        (status = 200, description = "As it is now", body = DeviceDone, example = json!({"changed": true, "device": {
            "id": "dev_5f0c1a9be2d34477", "name": "Kitchen", "given_name": null, "type": "_wled._tcp",
            "host": "kitchen.local", "addresses": ["192.168.1.20"], "port": 80, "txt": {"mac": "a0b1c2d3e4f5"},
            "source": "mdns", "state": "online", "flapping": false,
            "first_seen": "2026-11-21T08:00:00.000000Z", "last_seen": "2026-11-21T09:00:00.000000Z",
            "ignored": false,
            "check": {"kind": "http", "port": 80, "path": "/", "interval_seconds": 60.0, "timeout_seconds": 5.0, "failures": 3},
            "check_override": null,
            "last_check": {"at": "2026-11-21T09:00:00.000000Z", "ok": true, "millis": 12, "error": null}
        }})),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such device", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn change(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    id: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let id = DeviceId::parse(&id)?;
    let object = small::object(&request, payload, &app).await?;
    let doing = Doing::Alter(id, Alter::read(object)?);
    answered(app.devices.run(doing, Context::current()).await?)
}

/// Remove a device
///
/// Its trail stays. One that announces itself is discovered anew. Recorded as `device.removed`.
#[utoipa::path(
    delete,
    path = "/api/v1/devices/{id}",
    tag = "devices",
    params(("id" = String, Path, example = "dev_5f0c1a9be2d34477")),
    responses(
        (status = 200, description = "Removed", body = Deleted, example = json!({"deleted": "dev_5f0c1a9be2d34477"})),
        (status = 400, description = "That is no id", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such device", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn remove(
    app: web::Data<App>,
    id: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let id = DeviceId::parse(&id)?;
    let deleted = id.to_string();
    let doing = Doing::Remove(id);
    app.devices.run(doing, Context::current()).await?;
    Ok(HttpResponse::Ok().json(Deleted { deleted }))
}

/// Check a device now
///
/// Answers what came of it, which counts like any other check.
#[utoipa::path(
    post,
    path = "/api/v1/devices/{id}/check",
    tag = "devices",
    params(("id" = String, Path, example = "dev_5f0c1a9be2d34477")),
    responses(
        (status = 200, description = "Checked", body = DeviceChecked, example = json!({
            "check": {"at": null, "ok": true, "millis": 12, "error": null}, "device": {
            "id": "dev_5f0c1a9be2d34477", "name": "Kitchen", "given_name": null, "type": "_wled._tcp",
            "host": "kitchen.local", "addresses": ["192.168.1.20"], "port": 80, "txt": {"mac": "a0b1c2d3e4f5"},
            "source": "mdns", "state": "online", "flapping": false,
            "first_seen": "2026-11-21T08:00:00.000000Z", "last_seen": "2026-11-21T09:00:00.000000Z",
            "ignored": false,
            "check": {"kind": "http", "port": 80, "path": "/", "interval_seconds": 60.0, "timeout_seconds": 5.0, "failures": 3},
            "check_override": null,
            "last_check": {"at": "2026-11-21T09:00:00.000000Z", "ok": true, "millis": 12, "error": null}
        }})),
        (status = 400, description = "That is no id", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such device", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "There is nothing to check", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "As many checks as may run do", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn check(
    app: web::Data<App>,
    id: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let id = DeviceId::parse(&id)?;
    let (outcome, shown) = app.devices.ask(Check(id)).await??;
    let at = shown.checked.as_ref().map(|(at, _)| *at);
    Ok(HttpResponse::Ok().json(DeviceChecked {
        check: OutcomeItem::of(outcome, at),
        device: DeviceItem::from(shown),
    }))
}

/// Say that a device is connected
///
/// For software that knows; it needs `write` in the workspace `default`. A device that is not known comes into being,
/// unless its id begins with `dev_`. Recorded as `device.connected` when it was not so before.
#[utoipa::path(
    post,
    path = "/api/v1/devices/{id}/connected",
    tag = "devices",
    params(("id" = String, Path, example = "strip-7")),
    request_body(content = DeviceReport, example = json!({"name": "Strip 7", "type": "led-strip"})),
    responses(
        (status = 200, description = "As it is now", body = DeviceDone, example = json!({"changed": true, "device": {
            "id": "dev_5f0c1a9be2d34477", "name": "Kitchen", "given_name": null, "type": "_wled._tcp",
            "host": "kitchen.local", "addresses": ["192.168.1.20"], "port": 80, "txt": {"mac": "a0b1c2d3e4f5"},
            "source": "mdns", "state": "online", "flapping": false,
            "first_seen": "2026-11-21T08:00:00.000000Z", "last_seen": "2026-11-21T09:00:00.000000Z",
            "ignored": false,
            "check": {"kind": "http", "port": 80, "path": "/", "interval_seconds": 60.0, "timeout_seconds": 5.0, "failures": 3},
            "check_override": null,
            "last_check": {"at": "2026-11-21T09:00:00.000000Z", "ok": true, "millis": 12, "error": null}
        }})),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such device", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "There is no room for more", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn connected(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    report((&request, payload), &app, &caller, &id, true).await
}

/// Say that a device is disconnected
///
/// As for `connected`; recorded as `device.disconnected`.
#[utoipa::path(
    post,
    path = "/api/v1/devices/{id}/disconnected",
    tag = "devices",
    params(("id" = String, Path, example = "strip-7")),
    request_body(content = DeviceReport, example = json!({})),
    responses(
        (status = 200, description = "As it is now", body = DeviceDone, example = json!({"changed": true, "device": {
            "id": "dev_5f0c1a9be2d34477", "name": "Kitchen", "given_name": null, "type": "_wled._tcp",
            "host": "kitchen.local", "addresses": ["192.168.1.20"], "port": 80, "txt": {"mac": "a0b1c2d3e4f5"},
            "source": "mdns", "state": "online", "flapping": false,
            "first_seen": "2026-11-21T08:00:00.000000Z", "last_seen": "2026-11-21T09:00:00.000000Z",
            "ignored": false,
            "check": {"kind": "http", "port": 80, "path": "/", "interval_seconds": 60.0, "timeout_seconds": 5.0, "failures": 3},
            "check_override": null,
            "last_check": {"at": "2026-11-21T09:00:00.000000Z", "ok": true, "millis": 12, "error": null}
        }})),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such device", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "There is no room for more", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn disconnected(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    report((&request, payload), &app, &caller, &id, false).await
}

/// To whoever may not write where devices are recorded there are none.
async fn report(
    (request, payload): (&HttpRequest, web::Payload),
    app: &App,
    caller: &Caller,
    id: &str,
    is_connected: bool,
) -> Result<HttpResponse, ApiError> {
    if Scope::of(&caller.principal, Some("default")).is_err() {
        return Err(ApiError::NoSuchDevice);
    }
    let id = DeviceId::parse(id)?;
    let object = small::object_or_nothing(request, payload, app).await?;
    let doing = Doing::Report(id, is_connected, Report::read(object)?);
    answered(app.devices.run(doing, Context::current()).await?)
}

fn answered(done: Done) -> Result<HttpResponse, ApiError> {
    let shown = done.shown.ok_or(ApiError::NoSuchDevice)?;
    Ok(HttpResponse::Ok().json(DeviceDone {
        changed: done.changed,
        device: DeviceItem::from(shown),
    }))
}

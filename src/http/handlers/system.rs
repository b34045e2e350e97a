//! What an operator asks of the daemon itself.

use super::reading;
use crate::actors::Health;
use crate::http::app::App;
use crate::http::docs::{self, Described};
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::wire::{BookState, ProblemSchema, SystemInfo, WriterState};
use crate::telemetry::{classic, metrics as openmetrics};
use actix_web::http::header::{ACCEPT, CONTENT_SECURITY_POLICY};
use actix_web::{HttpRequest, HttpResponse, web};

/// About this daemon and its book
#[utoipa::path(
    get,
    path = "/api/v1/system/info",
    tag = "operation",
    responses(
        (status = 400, description = "A parameter, where there is none", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 200, description = "Version, book and writer", body = SystemInfo, example = json!({
        "name": "daybook", "version": "0.1.0", "epoch": "0b4f7c1e-5a3d-4c55-8b0e-6c2f9f1d7a10",
        "now": "2026-11-21T08:00:00.000000Z", "started_at": "2026-11-21T07:00:00.000000Z",
        "uptime_seconds": 3600,
        "book": {"engine": "SQLite 3.53.2", "bytes": 122880, "first_seq": 1, "last_seq": 17,
            "last_ts": "2026-11-21T07:59:59.000000Z"},
        "writer": {"health": "writable", "queue_entries": 0, "queue_bytes": 0}
    })))
)]
pub async fn info(
    app: web::Data<App>,
    _caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let book = reading(&app, |reader| reader.info()).await?;
    let held = app.writer.queue().held();
    Ok(HttpResponse::Ok().json(SystemInfo {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        epoch: book.head.epoch.to_string(),
        now: app.now().to_string(),
        started_at: app.started.at.to_string(),
        uptime_seconds: app.started.instant.elapsed().as_secs(),
        writer: WriterState {
            health: match app.writer.health() {
                Health::Writable => "writable",
                Health::Full => "full",
                Health::Replacing => "replacing",
                Health::Closed => "closed",
            },
            queue_entries: held.entries,
            queue_bytes: held.bytes,
        },
        book: BookState {
            engine: book.engine,
            bytes: book.bytes,
            first_seq: book.first_seq,
            last_seq: book.head.last_seq,
            last_ts: (book.head.last_seq > 0).then(|| book.head.last_ts.to_string()),
        },
    }))
}

/// Metrics
///
/// In the OpenMetrics text format, which Prometheus reads; who accepts `text/plain` alone gets the text format of
/// Prometheus that was before it.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    responses((status = 200, description = "Every metric of the daemon", content(
        (String = "application/openmetrics-text", example = json!("# HELP daybook_last_seq The newest seq of the book.\n# TYPE daybook_last_seq gauge\ndaybook_last_seq 17\n# EOF\n")),
        (String = "text/plain", example = json!("# HELP daybook_last_seq The newest seq of the book.\n# TYPE daybook_last_seq gauge\ndaybook_last_seq 17\n")),
    )))
)]
pub async fn metrics(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let info = reading(&app, |reader| reader.info()).await;
    if let Ok(book) = info {
        app.metrics.book_bytes.set(gauge(book.bytes));
        app.metrics.last_seq.set(book.head.last_seq);
    }
    let held = app.writer.queue().held();
    app.metrics
        .writer_queue_entries
        .set(gauge(held.entries as u64));
    app.metrics.writer_queue_bytes.set(gauge(held.bytes as u64));
    let text = app.metrics.encode();
    let (content_type, text) = match accepts_plain_text_alone(&request) {
        true => (classic::CONTENT_TYPE, classic::from_openmetrics(&text)),
        false => (openmetrics::CONTENT_TYPE, text),
    };
    Ok(HttpResponse::Ok().content_type(content_type).body(text))
}

fn accepts_plain_text_alone(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(ACCEPT);
    let mut ranges = accepted
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .peekable();
    ranges.peek().is_some() && ranges.all(|range| range.eq_ignore_ascii_case("text/plain"))
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// This description
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1", body = Object, example = json!({"openapi": "3.1.0"})))
)]
pub async fn openapi_json(described: web::Data<Described>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(described.json().to_owned())
}

/// The same, to read
#[utoipa::path(
    get,
    path = "/api/docs",
    tag = "operation",
    responses((status = 200, description = "A page", body = String, content_type = "text/html",
        example = json!("<!doctype html>…")))
)]
pub async fn docs_page(described: web::Data<Described>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, docs::POLICY))
        .body(described.page().to_owned())
}

/// The style of that page
#[utoipa::path(
    get,
    path = "/api/docs.css",
    tag = "operation",
    responses((status = 200, description = "A style sheet", body = String, content_type = "text/css",
        example = json!("body{font:16px/1.5 system-ui}")))
)]
pub async fn docs_style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .body(docs::STYLE)
}

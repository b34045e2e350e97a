//! Is the daemon there, and can it do its work.

use crate::actors;
use crate::http::app::App;
use crate::http::wire::Health;
use actix_web::{HttpResponse, web};

/// Alive
///
/// Answers as long as the process serves requests.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    responses((status = 200, description = "Alive", body = Health, example = json!({"status": "ok"})))
)]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Health {
        status: "ok",
        reason: None,
    })
}

/// Ready
///
/// Says no while the book cannot be written.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses(
        (status = 200, description = "Entries can be recorded", body = Health, example = json!({"status": "ok"})),
        (status = 503, description = "They cannot", body = Health,
            example = json!({"status": "unavailable", "reason": "no space is left for the book"})),
    )
)]
pub async fn readyz(app: web::Data<App>) -> HttpResponse {
    let unavailable = |reason| {
        HttpResponse::ServiceUnavailable().json(Health {
            status: "unavailable",
            reason: Some(reason),
        })
    };
    match app.writer.health() {
        actors::Health::Full => unavailable("no space is left for the book"),
        actors::Health::Closed => unavailable("the daemon is stopping"),
        actors::Health::Writable => HttpResponse::Ok().json(Health {
            status: "ok",
            reason: None,
        }),
    }
}

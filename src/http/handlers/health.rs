//! Is the daemon there, and can it do its work.

use crate::actors;
use crate::actors::halt::Reason;
use crate::http::app::App;
use crate::http::extract::Caller;
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
        prune_halted: None,
    })
}

/// Ready
///
/// Says no while the book cannot be written. An operator reads as well why pruning is held back, if it is.
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
pub async fn readyz(app: web::Data<App>, caller: Option<Caller>) -> HttpResponse {
    let is_operator = caller.is_some_and(|caller| caller.principal.is_operator());
    let halted = app.kept.halted.borrow().filter(|_| is_operator);
    let prune_halted = halted.map(Reason::as_str);
    let unavailable = |reason| {
        HttpResponse::ServiceUnavailable().json(Health {
            status: "unavailable",
            reason: is_operator.then_some(reason),
            prune_halted,
        })
    };
    match app.writer.health() {
        actors::Health::Full => unavailable("no space is left for the book"),
        actors::Health::Replacing => unavailable("the book is being replaced"),
        actors::Health::Closed => unavailable("the daemon is stopping"),
        actors::Health::Writable => HttpResponse::Ok().json(Health {
            status: "ok",
            reason: None,
            prune_halted,
        }),
    }
}

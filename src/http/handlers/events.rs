//! Following live: from a request to a session.

use super::reading;
use crate::access::Scope;
use crate::domain::{Filter, PageRequest, PageSize, Position, Seq};
use crate::http::app::{App, Place};
use crate::http::connection::SocketEnd;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::wire::ProblemSchema;
use crate::http::ws::session::Session;
use crate::http::ws::socket::{self, Socket};
use crate::storage::Stretch;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::ToSchema;

/// The first frame of a session.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the session writes")]
pub struct Hello {
    /// `hello`
    r#type: String,
    version: String,
    epoch: String,
    server_time: String,
    #[schema(required)]
    newest_seq: Option<Seq>,
}

/// Live events over WebSocket
///
/// Text frames of JSON. The first is `hello`; until the client sends
/// `{"type":"subscribe","filters":{…},"after_seq":n}` it gets every entry that it may see. With `after_seq`
/// it is first sent what was recorded since, then goes live, with no gap and no double.
#[utoipa::path(
    get,
    path = "/api/v1/events/ws",
    tag = "events",
    responses(
        (status = 101, description = "A session", body = Hello, example = json!({
            "type": "hello", "version": "0.1.0", "epoch": "0b4f7c1e-5a3d-4c55-8b0e-6c2f9f1d7a10",
            "server_time": "2026-11-21T08:00:00.000000Z", "newest_seq": 17
        })),
        (status = 400, description = "Not a WebSocket handshake", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 403, description = "From a page of another origin", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "There are too many sessions", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn follow(
    request: HttpRequest,
    stream: web::Payload,
    app: web::Data<App>,
    caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let end = request.conn_data::<SocketEnd>().cloned();
    let end = end.ok_or(ApiError::Internal)?;
    let place = app
        .sessions
        .take(app.settings.limits.sessions)
        .ok_or_else(|| ApiError::Busy("there are too many sessions".into()))?;
    let of_key = place_of_key(&app, &caller)?;
    let scope = Scope::widest(&caller.principal);
    let newest = PageRequest {
        position: Position::Newest,
        size: PageSize::new(1)?,
    };
    let page = reading(&app, move |reader| {
        reader.page(&scope, &Filter::default(), newest, Stretch::default())
    })
    .await?;
    let limit = app.settings.live.replay_limit;
    let session = Session::new(caller.principal, page.epoch.clone(), limit);
    let socket = Socket::new(session, app, page, end, (place, of_key));
    socket::start(socket, &request, stream).map_err(|_| ApiError::NotAHandshake)
}

/// Of the sessions that one key may have.
fn place_of_key(app: &App, caller: &Caller) -> Result<Option<Place>, ApiError> {
    let ring = app.keys.ring();
    let Some(usage) = ring.usage(&caller.principal) else {
        return Ok(None);
    };
    let most = app.settings.limits.sessions_per_key;
    let place = Place::among(&usage.sessions, most);
    let full = || ApiError::Busy("this key has too many sessions".into());
    place.map(Some).ok_or_else(full)
}

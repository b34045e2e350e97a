//! A body that is one small JSON object: what is asked of the daemon itself.

use super::app::App;
use super::body::{self, Limits, Shape};
use super::error::ApiError;
use super::intake::Kind;
use crate::domain::FieldError;
use actix_web::http::header;
use actix_web::{HttpRequest, web};
use serde_json::{Map, Value};

/// Nothing that is asked of the daemon comes near it.
const LIMIT: usize = 64 * 1024;

/// None where there is no body at all.
pub async fn object_if_any(
    request: &HttpRequest,
    payload: web::Payload,
    app: &App,
) -> Result<Option<Map<String, Value>>, ApiError> {
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH);
    let is_empty = length.is_none_or(|length| length.as_bytes() == b"0");
    if is_empty && !headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(None);
    }
    object(request, payload, app).await.map(Some)
}

pub async fn object(
    request: &HttpRequest,
    payload: web::Payload,
    app: &App,
) -> Result<Map<String, Value>, ApiError> {
    if Kind::of(request).ok() != Some(Kind::Json) {
        let accepted = "application/json";
        return Err(ApiError::NotThisType { accepted });
    }
    let limits = Limits {
        single: LIMIT,
        bulk: LIMIT,
        time: app.settings.limits.body_timeout.get(),
    };
    let body = body::read(request, payload, Shape::OneOrArray, limits).await?;
    serde_json::from_slice(&body).map_err(|_| {
        let wrong = FieldError::new("body", "must be one JSON object");
        ApiError::Wrong(wrong.into())
    })
}

/// The same, where nothing needs to be said.
pub async fn object_or_nothing(
    request: &HttpRequest,
    payload: web::Payload,
    app: &App,
) -> Result<Map<String, Value>, ApiError> {
    let says_nothing = |name| {
        let said = request.headers().get(name);
        said.is_none_or(|said| said.as_bytes() == b"0")
    };
    match says_nothing(header::CONTENT_LENGTH) && says_nothing(header::TRANSFER_ENCODING) {
        true => Ok(Map::new()),
        false => object(request, payload, app).await,
    }
}

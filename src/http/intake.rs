//! From a body to new entries: `ingest` reads it, `access` says whose it is, `domain` checks it.

use super::app::App;
use super::body::Body;
use super::budget::Held;
use super::error::ApiError;
use super::extract::Caller;
use crate::domain::{Draft, FieldErrors, NewEntry};
use crate::ingest::native::{self, Bulk};
use actix_web::http::header;
use actix_web::{HttpRequest, web};

/// What a body says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Json,
    Lines,
}

pub const ACCEPTED: &str = "application/json or application/x-ndjson";

/// One entry, or many that stand each alone.
pub enum Intake {
    One(Box<NewEntry>),
    Many(Vec<Result<NewEntry, FieldErrors>>),
}

/// A body larger than this is read on a thread for blocking work, so that nobody else waits for it.
const LARGE: usize = 128 * 1024;

impl Kind {
    pub fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let given = request.headers().get(header::CONTENT_TYPE);
        let given = given
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        match given
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
            .as_str()
        {
            "application/json" => Ok(Self::Json),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Self::Lines),
            _ => Err(ApiError::NotThisType { accepted: ACCEPTED }),
        }
    }
}

/// What a body became, and what the body holds until that has room in the queue.
pub async fn read(
    app: web::Data<App>,
    caller: Caller,
    kind: Kind,
    body: Body,
) -> Result<(Intake, Held), ApiError> {
    let is_large = body.len() >= LARGE;
    let parsed = move || Ok((parse(&app, &caller, kind, &body)?, body.into_held()));
    if !is_large {
        return parsed();
    }
    web::block(parsed).await.map_err(|_| ApiError::Internal)?
}

fn parse(app: &App, caller: &Caller, kind: Kind, body: &[u8]) -> Result<Intake, ApiError> {
    let most = app.settings.limits.bulk_entries;
    let bulk = match kind {
        Kind::Lines => Bulk::lines(body, most)?,
        Kind::Json if native::looks_like_array(body) == Some(true) => Bulk::array(body, most)?,
        Kind::Json => {
            let draft = native::one(body)?;
            return Ok(Intake::One(Box::new(one(app, caller, draft)?)));
        }
    };
    let checked = bulk.drafts().map(|draft| checked(app, caller, draft?));
    Ok(Intake::Many(checked.collect()))
}

/// What this caller may not say is a refusal of its own kind, where the entry is the whole request.
fn one(app: &App, caller: &Caller, mut draft: Draft) -> Result<NewEntry, ApiError> {
    caller
        .principal
        .attribute(&mut draft, &caller.origin, &app.privacy)?;
    Ok(draft.check(&app.rules)?)
}

fn checked(app: &App, caller: &Caller, mut draft: Draft) -> Result<NewEntry, FieldErrors> {
    caller
        .principal
        .attribute(&mut draft, &caller.origin, &app.privacy)
        .map_err(|refused| refused.0)?;
    draft.check(&app.rules)
}

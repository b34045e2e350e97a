//! Recording: one entry, an array, or lines. The answer is sent after the commit.

use super::reading;
use crate::access::Scope;
use crate::actors::{Outcome, Refusal};
use crate::domain::vocabulary::passes_when_off;
use crate::domain::{FieldError, FieldErrors, NewEntry, Receipt};
use crate::http::app::App;
use crate::http::body::{self, Shape};
use crate::http::error::ApiError;
use crate::http::extract::{self, Caller, Query};
use crate::http::intake::{self, Intake, Kind};
use crate::http::wire::{
    BulkRecorded, NotRecorded, Recorded, RecordedOrBulk, Rejected, WrongField,
};
use crate::storage::StorageError;
use crate::telemetry::Rejection;
use actix_web::{HttpRequest, HttpResponse, web};

/// Record entries
///
/// One JSON object records one entry. A JSON array, or lines of JSON (`application/x-ndjson`), record
/// many, and each stands alone. The answer comes after the commit is durable. Bodies may be compressed
/// with gzip or zstd.
#[utoipa::path(
    post,
    path = "/api/v1/activity",
    tag = "activity",
    request_body(
        content(
            (crate::http::wire::OneOrMany = "application/json", example = json!({
                "category": "entity", "action": "task.created", "actor": "anna",
                "entity_type": "task", "entity_id": "42", "message": "Anna created the task “Water the plants”"
            })),
            (String = "application/x-ndjson", example = json!(
                "{\"category\":\"device\",\"action\":\"device.online\",\"message\":\"The lamp is back\"}\n"
            )),
        ),
    ),
    responses(
        (status = 201, description = "Recorded", body = Recorded, example = json!({
            "id": "al_019a9d3f8c7e7c3ab1d5f6a7b8c9d0e1", "seq": 1,
            "ts": "2026-11-21T08:00:00.000000Z", "duplicate": false
        })),
        (status = 200, description = "A known id, or what became of each entry of a bulk", body = RecordedOrBulk,
            example = json!({"accepted": 1, "duplicates": 0, "rejected": [], "last_seq": 2})),
        (status = 202, description = "Right, and not recorded: recording is switched off", body = NotRecorded,
            example = json!({"recorded": false})),
        (status = 400, description = "Something is wrong, and each field is named", body = crate::http::wire::ProblemSchema, content_type = "application/problem+json"),
        (status = 403, description = "Not with this key, and the field is named", body = crate::http::wire::ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The workspace is archived, or there is no room for another", body = crate::http::wire::ProblemSchema, content_type = "application/problem+json"),
        (status = 413, description = "Too large, and the limit is named", body = crate::http::wire::ProblemSchema, content_type = "application/problem+json"),
        (status = 415, description = "Another type or encoding", body = crate::http::wire::ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "Busy or stopping; try again", body = crate::http::wire::ProblemSchema, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full", body = crate::http::wire::ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn record(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let kind = Kind::of(&request)?;
    let is_a_command = extract::is_a_command(&request);
    let shape = match kind {
        Kind::Json => Shape::OneOrArray,
        Kind::Lines => Shape::Lines,
    };
    let body = body::read(&request, payload, shape, body_limits(&app)).await;
    let taken = match body {
        Ok(body) => intake::read(app.clone(), caller, kind, body).await,
        Err(error) => Err(error),
    };
    let (intake, held) = taken.inspect_err(|error| refused(&app, error))?;
    // From here on the queue's own limits count: room is asked for before anything else is waited for.
    drop(held);
    match intake {
        Intake::One(entry) if is_a_command && is_of_the_book(&entry) => one(&app, *entry).await,
        Intake::One(entry) if takes_nothing_new(&app, &entry) => {
            known_or_not_taken(&app, &entry).await
        }
        Intake::One(entry) => one(&app, *entry).await,
        Intake::Many(entries) => many(&app, entries).await,
    }
}

/// What our own commands say of the book is recorded as what the daemon itself says of it: always.
fn is_of_the_book(entry: &NewEntry) -> bool {
    passes_when_off(entry.category().as_str(), entry.action().as_str())
}

fn is_archived(app: &App, entry: &NewEntry) -> bool {
    app.workspaces.is_archived(entry.workspace_id())
}

fn archived(entry: &NewEntry) -> FieldErrors {
    let refused = StorageError::Archived(entry.workspace_id().clone());
    FieldErrors::one("workspace_id", refused.to_string())
}

fn is_recorded(app: &App, entry: &NewEntry) -> bool {
    app.kept.retention.borrow().records(entry.workspace_id())
}

fn takes_nothing_new(app: &App, entry: &NewEntry) -> bool {
    is_archived(app, entry) || !is_recorded(app, entry)
}

/// The entry that has this id already: who asks again is answered as before, also where nothing new is taken.
async fn known(app: &App, entry: &NewEntry) -> Result<Option<Receipt>, ApiError> {
    let scope = Scope::for_the_daemon().narrowed_to(entry.workspace_id());
    let Some((scope, id)) = scope.zip(entry.id().cloned()) else {
        return Ok(None);
    };
    let found = reading(app, move |reader| reader.entry(&scope, &id)).await?;
    Ok(found.map(|first| {
        app.metrics.entries_duplicate.inc();
        Receipt {
            id: first.entry.id,
            seq: first.seq,
            ts: first.entry.ts,
            duplicate: true,
        }
    }))
}

async fn known_or_not_taken(app: &App, entry: &NewEntry) -> Result<HttpResponse, ApiError> {
    if let Some(first) = known(app, entry).await? {
        return Ok(HttpResponse::Ok().json(Recorded::from(&first)));
    }
    if is_archived(app, entry) {
        let error = ApiError::Conflict(archived(entry));
        refused(app, &error);
        return Err(error);
    }
    Ok(not_recorded())
}

/// It was right, and recording is switched off.
fn not_recorded() -> HttpResponse {
    HttpResponse::Accepted().json(NotRecorded { recorded: false })
}

/// Counts a request of which nothing is taken.
fn refused(app: &App, error: &ApiError) {
    let why = match error {
        ApiError::Wrong(errors) => why(errors),
        ApiError::Forbidden(_) | ApiError::Conflict(_) => Rejection::NotAllowed,
        ApiError::TooLarge { .. } | ApiError::TooHeavy(_) => Rejection::TooLarge,
        ApiError::BrokenBody(_) => Rejection::Malformed,
        _ => return,
    };
    app.metrics.rejected(why).inc();
}

fn why(errors: &FieldErrors) -> Rejection {
    let whole = |error: &FieldError| matches!(&*error.field, "body" | "entry");
    match errors.as_slice().iter().any(whole) {
        true => Rejection::Malformed,
        false => Rejection::Invalid,
    }
}

fn body_limits(app: &App) -> body::Limits {
    let limits = &app.settings.limits;
    body::Limits {
        single: limits.body.bytes(),
        bulk: limits.bulk_body.bytes(),
        time: limits.body_timeout.get(),
    }
}

async fn one(app: &App, entry: NewEntry) -> Result<HttpResponse, ApiError> {
    let receipt = app.writer.record_one(entry).await?;
    let recorded = Recorded::from(&receipt);
    Ok(if recorded.duplicate {
        HttpResponse::Ok().json(recorded)
    } else {
        HttpResponse::Created().json(recorded)
    })
}

async fn many(
    app: &App,
    entries: Vec<Result<NewEntry, FieldErrors>>,
) -> Result<HttpResponse, ApiError> {
    let mut answer = BulkRecorded::default();
    let (mut right, mut places) = (Vec::new(), Vec::new());
    let mut off = 0;
    for (index, entry) in entries.into_iter().enumerate() {
        match entry {
            Ok(entry) if takes_nothing_new(app, &entry) => match known(app, &entry).await? {
                Some(first) => answer.count(index, Ok(first)),
                None if is_archived(app, &entry) => {
                    app.metrics.rejected(Rejection::NotAllowed).inc();
                    answer.reject(index, archived(&entry));
                }
                None => {
                    off += 1;
                    let reason = "recording is switched off there";
                    answer.reject(index, FieldErrors::one("workspace_id", reason));
                }
            },
            Ok(entry) => {
                right.push(entry);
                places.push(index);
            }
            Err(errors) => {
                app.metrics.rejected(why(&errors)).inc();
                answer.reject(index, errors);
            }
        }
    }
    if off > 0 && right.is_empty() && answer.duplicates == 0 {
        return Ok(not_recorded());
    }
    let outcomes = app.writer.record(right).await.map_err(ApiError::from);
    let outcomes = outcomes.inspect_err(|error| refused(app, error))?;
    if let Some(refusal) = refused_as_a_whole(&outcomes) {
        return Err(refusal.into());
    }
    for (index, outcome) in places.into_iter().zip(outcomes) {
        answer.count(index, outcome);
    }
    answer.rejected.sort_by_key(|rejected| rejected.index);
    Ok(HttpResponse::Ok().json(answer))
}

/// When nothing of a bulk came into the book, its sender reads the one reason.
fn refused_as_a_whole(outcomes: &[Outcome]) -> Option<Refusal> {
    if outcomes.iter().any(Result::is_ok) {
        return None;
    }
    outcomes.first().and_then(|first| first.clone().err())
}

impl BulkRecorded {
    fn count(&mut self, index: usize, outcome: Outcome) {
        match outcome {
            Ok(receipt) => {
                if receipt.duplicate {
                    self.duplicates += 1;
                } else {
                    self.accepted += 1;
                }
                self.last_seq = self.last_seq.max(Some(receipt.seq));
            }
            Err(refusal) => {
                let reason = format!("was not recorded, try again: {refusal}");
                self.reject(index, FieldErrors::one("entry", reason));
            }
        }
    }

    fn reject(&mut self, index: usize, errors: FieldErrors) {
        let wrong = |error: FieldError| WrongField {
            field: error.field.into_owned(),
            reason: error.reason.into_owned(),
        };
        let errors = errors.into_vec().into_iter().map(wrong).collect();
        self.rejected.push(Rejected { index, errors });
    }
}

//! How many entries there were when.

use super::reading;
use crate::domain::{BucketCount, FieldError, HistogramRequest};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::parameters::FilterParameters;
use crate::http::wire::{HistogramOf, ProblemSchema};
use crate::storage::Stretch;
use actix_web::{HttpResponse, web};

/// Count by time
///
/// Buckets of a width that is easy to read, from `since` (or the first entry) to `until` (or now), both
/// rounded outwards to whole buckets. Without filters, or by time alone, of all entries; under any other
/// filter of the newest 10,000 matches, and `from_seq` says from where on.
#[utoipa::path(
    get,
    path = "/api/v1/activity/histogram",
    tag = "activity",
    params(
        FilterParameters,
        ("buckets" = Option<usize>, Query, description = "At most so many", example = 60, minimum = 1, maximum = 500),
    ),
    responses(
        (status = 200, description = "The buckets, without a gap", body = HistogramOf, example = json!({
            "since": "2026-11-21T08:00:00.000000Z", "until": "2026-11-21T09:00:00.000000Z",
            "bucket_seconds": 3600,
            "buckets": [{"start": "2026-11-21T08:00:00.000000Z", "info": 16, "warning": 1, "error": 0}],
            "capped": false, "from_seq": 1
        })),
        (status = 400, description = "A parameter is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn histogram(
    app: web::Data<App>,
    caller: Caller,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let scope = query.scope(&caller)?;
    let request = HistogramRequest {
        buckets: buckets(&mut query)?,
        now: app.now(),
    };
    let filter = query.filter(&app)?;
    let histogram = reading(&app, move |reader| {
        reader.histogram(&scope, &filter, request, Stretch::BRIEF)
    })
    .await?;
    Ok(HttpResponse::Ok().json(HistogramOf::from(&histogram)))
}

fn buckets(query: &mut Query) -> Result<BucketCount, FieldError> {
    match query.take("buckets")? {
        None => Ok(BucketCount::default()),
        Some(text) => BucketCount::new(text.parse().unwrap_or(0)),
    }
}

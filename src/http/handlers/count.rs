//! How many entries there are.

use super::reading;
use crate::access::Scope;
use crate::domain::{Count, Filter, Seq, limits};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::parameters::FilterParameters;
use crate::http::wire::{Counted, ProblemSchema};
use crate::storage::Stretch;
use actix_web::{HttpResponse, web};
use std::time::{Duration, Instant};

/// How long an exact count may go on.
const EXACT_FOR: Duration = Duration::from_secs(10);

/// Count entries
///
/// Without filters, or by time alone, the count is exact. Under any other filter it is exact up to 10,000 or
/// as far as a few ten milliseconds of looking go, and says `"capped": true` beyond; `exact=true` goes on.
#[utoipa::path(
    get,
    path = "/api/v1/activity/count",
    tag = "activity",
    params(
        FilterParameters,
        ("exact" = Option<bool>, Query, description = "Count on beyond the cap; 503 after 10 s", example = false),
    ),
    responses(
        (status = 200, description = "The count", body = Counted, example = json!({"count": 17, "capped": false})),
        (status = 400, description = "A parameter is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "An exact count took too long", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn count(
    app: web::Data<App>,
    caller: Caller,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let scope = query.scope(&caller)?;
    let exact = query.flag("exact")?;
    let filter = query.filter(&app)?;
    let counted = if exact || filter.is_by_time_alone() {
        exactly(&app, scope, filter).await?
    } else {
        let stretch = Stretch::BRIEF;
        step(&app, scope, filter, None, limits::COUNT_CAP, stretch).await?
    };
    Ok(HttpResponse::Ok().json(Counted {
        count: counted.count,
        capped: counted.capped,
    }))
}

/// Step by step, so that no step holds a reader for long.
async fn exactly(app: &App, scope: Scope, filter: Filter) -> Result<Count, ApiError> {
    let began = Instant::now();
    let (mut total, mut below) = (0, None);
    let stretch = Stretch::default();
    loop {
        let part = step(app, scope.clone(), filter.clone(), below, u64::MAX, stretch).await?;
        total += part.count;
        match part.resume {
            None => {
                return Ok(Count {
                    count: total,
                    capped: false,
                    resume: None,
                });
            }
            Some(_) if began.elapsed() > EXACT_FOR => return Err(ApiError::TookTooLong),
            going_on => below = going_on,
        }
    }
}

async fn step(
    app: &App,
    scope: Scope,
    filter: Filter,
    below: Option<Seq>,
    cap: u64,
    stretch: Stretch,
) -> Result<Count, ApiError> {
    reading(app, move |reader| {
        reader.count(&scope, &filter, below, cap, stretch)
    })
    .await
}

//! Which values there are, and how many entries have each.

use super::reading;
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::parameters::FilterParameters;
use crate::http::wire::{FacetsOf, ProblemSchema};
use crate::storage::Stretch;
use actix_web::{HttpResponse, web};

/// Count by value
///
/// The 50 most frequent values of each dimension. Without filters, or by time alone, of all entries; under
/// any other filter of the newest 10,000 matches, and `from_seq` says from where on.
#[utoipa::path(
    get,
    path = "/api/v1/activity/facets",
    tag = "activity",
    params(FilterParameters),
    responses(
        (status = 200, description = "The values and their counts", body = FacetsOf, example = json!({
            "facets": {
                "category": [{"value": "entity", "count": 17}], "severity": [{"value": "info", "count": 17}],
                "action": [{"value": "task.created", "count": 17}], "actor": [{"value": "anna", "count": 17}],
                "entity_type": [{"value": "task", "count": 12}]
            },
            "capped": false, "from_seq": 1
        })),
        (status = 400, description = "A parameter is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn facets(
    app: web::Data<App>,
    caller: Caller,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let scope = query.scope(&caller)?;
    let filter = query.filter(&app)?;
    let facets = reading(&app, move |reader| {
        reader.facets(&scope, &filter, Stretch::BRIEF)
    })
    .await?;
    Ok(HttpResponse::Ok().json(FacetsOf::from(&facets)))
}

//! Pages of entries: of the whole book, and of one entity.

use super::reading;
use crate::domain::Filter;
use crate::domain::{FieldError, limits};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::parameters::{FilterParameters, PageParameters};
use crate::http::wire::{PageOf, ProblemSchema};
use crate::storage::Stretch;
use actix_web::{HttpResponse, web};

/// A page of entries
///
/// Newest first, or with `after_seq` the oldest first after it. Go on with `next_before_seq` or
/// `next_after_seq` until it is `null`; a page may come short before that.
#[utoipa::path(
    get,
    path = "/api/v1/activity",
    tag = "activity",
    params(PageParameters, FilterParameters),
    responses(
        (status = 200, description = "A page", body = PageOf, example = json!({
            "items": [], "seqs": [], "next_before_seq": null, "next_after_seq": null,
            "newest_seq": null, "epoch": "0b4f7c1e-5a3d-4c55-8b0e-6c2f9f1d7a10"
        })),
        (status = 400, description = "A parameter is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn page(
    app: web::Data<App>,
    caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    answer(&app, &caller, query, None).await
}

/// The trail of one entity
///
/// All that happened to it, paged and filtered as the whole book is.
#[utoipa::path(
    get,
    path = "/api/v1/activity/audit/{entity_type}/{entity_id}",
    tag = "activity",
    params(
        ("entity_type" = String, Path, example = "task"),
        ("entity_id" = String, Path, example = "42"),
        PageParameters, FilterParameters
    ),
    responses(
        (status = 200, description = "A page", body = PageOf, example = json!({
            "items": [], "seqs": [], "next_before_seq": null, "next_after_seq": null,
            "newest_seq": 17, "epoch": "0b4f7c1e-5a3d-4c55-8b0e-6c2f9f1d7a10"
        })),
        (status = 400, description = "A parameter is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn trail(
    app: web::Data<App>,
    caller: Caller,
    entity: web::Path<(String, String)>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    answer(&app, &caller, query, Some(entity.into_inner())).await
}

async fn answer(
    app: &App,
    caller: &Caller,
    mut query: Query,
    entity: Option<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let scope = query.scope(caller)?;
    let request = query.page()?;
    let mut filter = query.filter(app)?;
    if let Some(entity) = entity {
        narrow_to(&mut filter, entity)?;
    }
    let page = reading(app, move |reader| {
        reader.page(&scope, &filter, request, Stretch::default())
    })
    .await?;
    Ok(HttpResponse::Ok().json(PageOf::from(&page)))
}

/// The path names the entity; a parameter that names another is a mistake.
fn narrow_to(filter: &mut Filter, (kind, id): (String, String)) -> Result<(), FieldError> {
    for (field, held, named, most) in [
        (
            "entity_type",
            &mut filter.entity_type,
            kind,
            limits::ENTITY_TYPE_CHARS,
        ),
        (
            "entity_id",
            &mut filter.entity_id,
            id,
            limits::ENTITY_ID_CHARS,
        ),
    ] {
        if held.as_ref().is_some_and(|held| *held != named) {
            return Err(FieldError::new(field, "contradicts the address"));
        }
        if named.chars().count() > most {
            return Err(FieldError::new(
                field,
                format!("is longer than {most} characters"),
            ));
        }
        *held = Some(named);
    }
    Ok(())
}

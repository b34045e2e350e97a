//! Saved views: a filter under a name, and how its rows are shown.

use super::backups::Deleted;
use super::board::{fresh_id, held, item, put, take};
use crate::domain::Emitted;
use crate::domain::board::{Kind, View};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::small;
use crate::http::wire::ProblemSchema;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A saved view.
#[derive(ToSchema)]
#[schema(as = View)]
#[expect(dead_code, reason = "it describes what `item` makes")]
pub struct ViewItem {
    pub id: String,
    pub name: String,
    /// Named as the query parameters of every list, each an array of texts
    pub filters: Value,
    /// What a page wants back beside the filter: texts by name
    pub shown: Value,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `list` makes")]
pub struct ViewList {
    pub items: Vec<ViewItem>,
}

/// The view that is wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `View::read`")]
pub struct ViewRequest {
    pub name: String,
    /// Named as the query parameters of every list, each a text or an array of texts
    pub filters: Option<Value>,
    /// At most 16 texts by name: the zone, the columns
    pub shown: Option<Value>,
}

/// The saved views
///
/// The caller's own, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/v1/views",
    tag = "dashboard",
    responses(
        (status = 200, description = "The caller's", body = ViewList, example = json!({"items": [{
            "id": "view_0199f3", "name": "Failures of the week",
            "filters": {"severity": ["error", "warning"], "since": ["7d"]}, "shown": {"zone": "utc"}
        }]})),
        (status = 400, description = "A parameter, where there is none", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    app: web::Data<App>,
    caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let held = held(&app, &caller, Kind::View).await?;
    let items: Vec<Value> = held.iter().map(|(id, value)| item(id, value)).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items })))
}

/// Save a view
#[utoipa::path(
    post,
    path = "/api/v1/views",
    tag = "dashboard",
    request_body(content = ViewRequest, example = json!({"name": "Failures of the week", "filters": {"severity": ["error", "warning"], "since": "7d"}, "shown": {"zone": "utc"}})),
    responses(
        (status = 201, description = "Saved", body = ViewItem, example = json!({
            "id": "view_0199f3", "name": "Failures of the week",
            "filters": {"severity": ["error", "warning"], "since": ["7d"]}, "shown": {"zone": "utc"}
        })),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "There are as many as one may have", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn create(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let object = small::object(&request, payload, &app).await?;
    let view = View::read(object, app.now(), &app.rules)?;
    let id = fresh_id(Kind::View, held(&app, &caller, Kind::View).await?.len())?;
    let said = (Emitted::ViewCreated, view.name.as_str());
    let value = put(&app, &caller, (Kind::View, &id), &view, said).await?;
    Ok(HttpResponse::Created().json(item(&id, &value)))
}

/// Change a view
#[utoipa::path(
    put,
    path = "/api/v1/views/{id}",
    tag = "dashboard",
    params(("id" = String, Path, example = "view_0199f3")),
    request_body(content = ViewRequest, example = json!({"name": "Failures of the day", "filters": {"severity": "error", "since": "24h"}})),
    responses(
        (status = 200, description = "As it is now", body = ViewItem, example = json!({
            "id": "view_0199f3", "name": "Failures of the day",
            "filters": {"severity": ["error"], "since": ["24h"]}, "shown": {}
        })),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "None of the caller's", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn change(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let object = small::object(&request, payload, &app).await?;
    let view = View::read(object, app.now(), &app.rules)?;
    is_there(&app, &caller, &id).await?;
    let said = (Emitted::ViewChanged, view.name.as_str());
    let value = put(&app, &caller, (Kind::View, &id), &view, said).await?;
    Ok(HttpResponse::Ok().json(item(&id, &value)))
}

/// Delete a view
#[utoipa::path(
    delete,
    path = "/api/v1/views/{id}",
    tag = "dashboard",
    params(("id" = String, Path, example = "view_0199f3")),
    responses(
        (status = 200, description = "Deleted", body = Deleted, example = json!({"deleted": "view_0199f3"})),
        (status = 404, description = "None of the caller's", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn delete(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    is_there(&app, &caller, &id).await?;
    take(&app, &caller, (Kind::View, &id), Emitted::ViewDeleted).await?;
    Ok(HttpResponse::Ok().json(Deleted {
        deleted: id.into_inner(),
    }))
}

async fn is_there(app: &App, caller: &Caller, id: &str) -> Result<(), ApiError> {
    let held = held(app, caller, Kind::View).await?;
    match held.iter().any(|(known, _)| known == id) {
        true => Ok(()),
        false => Err(ApiError::NotOnTheBoard("view")),
    }
}

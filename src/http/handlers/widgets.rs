//! Widgets: those that are there for everybody, and those that somebody made of a filter and a view.

use super::backups::Deleted;
use super::board::{fresh_id, held, item, put, take};
use crate::domain::Emitted;
use crate::domain::board::{BuiltIn, Kind, Widget, built_in};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::small;
use crate::http::wire::ProblemSchema;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A widget of the dashboard.
#[derive(ToSchema)]
#[schema(as = Widget)]
#[expect(dead_code, reason = "it describes what `item` makes")]
pub struct WidgetItem {
    pub id: String,
    /// It is there for everybody, and nobody changes it
    pub built_in: bool,
    pub title: String,
    /// `list`, `count`, `over_time` or `top`; built-in ones also `devices`, `storage`, `retention`
    pub view: String,
    /// The dimension of `top`
    pub by: Option<String>,
    /// Named as the query parameters of every list, each an array of texts
    pub filters: Value,
    /// Columns of twelve that it takes at first
    pub width: u8,
    pub height: u8,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `list` makes")]
pub struct WidgetList {
    pub items: Vec<WidgetItem>,
}

/// The widget that is wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `Widget::read`")]
pub struct WidgetRequest {
    pub title: String,
    /// `list`, `count`, `over_time` or `top`
    pub view: String,
    /// With `top`: `severity`, `category`, `action`, `actor` or `entity_type`
    pub by: Option<String>,
    /// Named as the query parameters of every list, each a text or an array of texts
    pub filters: Option<Value>,
}

/// What one's own take at first.
const SIZE: (u8, u8) = (6, 2);

fn own(id: &str, value: &str) -> Value {
    sized(item(id, value), false, SIZE)
}

fn everybodys(one: &BuiltIn) -> Value {
    let value = serde_json::to_string(&one.widget).unwrap_or_default();
    sized(item(one.id, &value), true, (one.width, one.height))
}

fn sized(mut widget: Value, built_in: bool, (width, height): (u8, u8)) -> Value {
    widget["built_in"] = built_in.into();
    widget["width"] = width.into();
    widget["height"] = height.into();
    widget
}

/// The widgets
///
/// Those that are there for everybody, then the caller's own in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/v1/widgets",
    tag = "dashboard",
    responses(
        (status = 200, description = "What a layout may hold", body = WidgetList, example = json!({"items": [{
            "id": "last_errors", "built_in": true, "title": "Last errors", "view": "list", "by": null,
            "filters": {"severity": ["error"]}, "width": 6, "height": 2
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
    let held = held(&app, &caller, Kind::Widget).await?;
    let mut items: Vec<Value> = built_in().iter().map(everybodys).collect();
    items.extend(held.iter().map(|(id, value)| own(id, value)));
    Ok(HttpResponse::Ok().json(json!({ "items": items })))
}

/// Make a widget
///
/// A saved filter and what is shown of it. It is the caller's alone.
#[utoipa::path(
    post,
    path = "/api/v1/widgets",
    tag = "dashboard",
    request_body(content = WidgetRequest, example = json!({"title": "Refused", "view": "list", "filters": {"action": "auth.*", "since": "7d"}})),
    responses(
        (status = 201, description = "Made", body = WidgetItem, example = json!({
            "id": "widget_0199f3", "built_in": false, "title": "Refused", "view": "list", "by": null,
            "filters": {"action": ["auth.*"], "since": ["7d"]}, "width": 6, "height": 2
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
    let widget = Widget::read(object, app.now(), &app.rules)?;
    let id = fresh_id(Kind::Widget, held(&app, &caller, Kind::Widget).await?.len())?;
    let said = (Emitted::WidgetCreated, widget.title.as_str());
    let value = put(&app, &caller, (Kind::Widget, &id), &widget, said).await?;
    Ok(HttpResponse::Created().json(own(&id, &value)))
}

/// Change a widget
#[utoipa::path(
    put,
    path = "/api/v1/widgets/{id}",
    tag = "dashboard",
    params(("id" = String, Path, example = "widget_0199f3")),
    request_body(content = WidgetRequest, example = json!({"title": "Refused", "view": "count", "filters": {"action": "auth.*"}})),
    responses(
        (status = 200, description = "As it is now", body = WidgetItem, example = json!({
            "id": "widget_0199f3", "built_in": false, "title": "Refused", "view": "count", "by": null,
            "filters": {"action": ["auth.*"]}, "width": 6, "height": 2
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
    let widget = Widget::read(object, app.now(), &app.rules)?;
    is_there(&app, &caller, &id).await?;
    let said = (Emitted::WidgetChanged, widget.title.as_str());
    let value = put(&app, &caller, (Kind::Widget, &id), &widget, said).await?;
    Ok(HttpResponse::Ok().json(own(&id, &value)))
}

/// Delete a widget
///
/// It goes from the caller's layout as well.
#[utoipa::path(
    delete,
    path = "/api/v1/widgets/{id}",
    tag = "dashboard",
    params(("id" = String, Path, example = "widget_0199f3")),
    responses(
        (status = 200, description = "Deleted", body = Deleted, example = json!({"deleted": "widget_0199f3"})),
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
    take(&app, &caller, (Kind::Widget, &id), Emitted::WidgetDeleted).await?;
    Ok(HttpResponse::Ok().json(Deleted {
        deleted: id.into_inner(),
    }))
}

async fn is_there(app: &App, caller: &Caller, id: &str) -> Result<(), ApiError> {
    let held = held(app, caller, Kind::Widget).await?;
    match held.iter().any(|(known, _)| known == id) {
        true => Ok(()),
        false => Err(ApiError::NotOnTheBoard("widget")),
    }
}

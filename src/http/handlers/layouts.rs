//! The caller's layout of the dashboard: each has its own, and it comes back in every browser.

use super::board::{held, put, take};
use crate::domain::Emitted;
use crate::domain::board::{Kind, Layout};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query};
use crate::http::small;
use crate::http::wire::ProblemSchema;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use utoipa::ToSchema;

/// Each has one.
const ID: &str = "me";

/// Where the widgets stand.
#[derive(ToSchema)]
#[schema(as = Layout)]
#[expect(dead_code, reason = "it describes what `answer` makes")]
pub struct LayoutItem {
    /// In the order in which they come where there is but one column
    pub widgets: Vec<PlaceItem>,
    /// `own`, or `default` for the one that everybody begins with
    pub source: String,
}

#[derive(ToSchema)]
#[schema(as = Place)]
#[expect(dead_code, reason = "it describes a part of `LayoutItem`")]
pub struct PlaceItem {
    /// The id of a widget
    pub widget: String,
    /// Column, of twelve
    pub x: u8,
    pub y: u16,
    /// Columns
    pub w: u8,
    /// Rows
    pub h: u8,
}

/// The layout that is wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is read by `Layout::read`")]
pub struct LayoutRequest {
    pub widgets: Vec<PlaceItem>,
}

fn answer(layout: &Layout, source: &str) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "widgets": layout.widgets, "source": source }))
}

async fn own_widgets(app: &App, caller: &Caller) -> Result<Vec<String>, ApiError> {
    let held = held(app, caller, Kind::Widget).await?;
    Ok(held.into_iter().map(|(id, _)| id).collect())
}

/// The caller's layout
///
/// The one that everybody begins with, until it puts its own.
#[utoipa::path(
    get,
    path = "/api/v1/layouts/me",
    tag = "dashboard",
    responses(
        (status = 200, description = "Where the widgets stand", body = LayoutItem, example = json!({
            "widgets": [{"widget": "recent_activity", "x": 0, "y": 0, "w": 7, "h": 6}], "source": "default"
        })),
        (status = 400, description = "A parameter, where there is none", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn mine(
    app: web::Data<App>,
    caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let held = held(&app, &caller, Kind::Layout).await?;
    let Some((_, value)) = held.first() else {
        return Ok(answer(&Layout::default(), "default"));
    };
    let own = own_widgets(&app, &caller).await?;
    Ok(answer(&Layout::kept(value).with_what_is_there(&own), "own"))
}

/// Put the caller's layout
#[utoipa::path(
    put,
    path = "/api/v1/layouts/me",
    tag = "dashboard",
    request_body(content = LayoutRequest, example = json!({"widgets": [{"widget": "recent_activity", "x": 0, "y": 0, "w": 12, "h": 6}]})),
    responses(
        (status = 200, description = "As it is now", body = LayoutItem, example = json!({
            "widgets": [{"widget": "recent_activity", "x": 0, "y": 0, "w": 12, "h": 6}], "source": "own"
        })),
        (status = 400, description = "A field is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn put_mine(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
    caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let object = small::object(&request, payload, &app).await?;
    let layout = Layout::read(object, &own_widgets(&app, &caller).await?)?;
    let said = (Emitted::LayoutChanged, caller.principal.label());
    put(&app, &caller, (Kind::Layout, ID), &layout, said).await?;
    Ok(answer(&layout, "own"))
}

/// Go back to the layout that everybody begins with
#[utoipa::path(
    delete,
    path = "/api/v1/layouts/me",
    tag = "dashboard",
    responses(
        (status = 200, description = "As it is now", body = LayoutItem, example = json!({
            "widgets": [{"widget": "recent_activity", "x": 0, "y": 0, "w": 7, "h": 6}], "source": "default"
        })),
        (status = 400, description = "A parameter, where there is none", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn reset(
    app: web::Data<App>,
    caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    take(&app, &caller, (Kind::Layout, ID), Emitted::LayoutReset).await?;
    Ok(answer(&Layout::default(), "default"))
}

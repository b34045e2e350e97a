//! The page in the browser, and the files that it is made of.

use crate::dashboard::{self, Asset, PAGE};
use crate::http::error::ApiError;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, EntityTag, Header, IF_NONE_MATCH, IfNoneMatch,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, web};

pub async fn page(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    send(&request, PAGE)
}

pub async fn asset(
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    match name.as_str() {
        PAGE => Err(ApiError::NoSuchRoute),
        name => send(&request, name),
    }
}

/// A browser asks each time whether what it has is still so: a newer daemon shows its own page at once.
fn send(request: &HttpRequest, name: &str) -> Result<HttpResponse, ApiError> {
    let asset = dashboard::asset(name).ok_or(ApiError::NoSuchRoute)?;
    let tag = EntityTag::new_weak(asset.tag.clone());
    let known = has(request, &tag);
    let mut response = match known {
        true => HttpResponse::NotModified(),
        false => HttpResponse::Ok(),
    };
    response
        .insert_header((ETAG, tag.to_string()))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, dashboard::POLICY))
        .insert_header((REFERRER_POLICY, "same-origin"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("Cross-Origin-Opener-Policy", "same-origin"));
    let Asset {
        bytes,
        content_type,
        ..
    } = asset;
    Ok(match known {
        true => response.finish(),
        false => response.content_type(content_type).body(bytes.into_owned()),
    })
}

fn has(request: &HttpRequest, tag: &EntityTag) -> bool {
    if !request.headers().contains_key(IF_NONE_MATCH) {
        return false;
    }
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Items(items)) => items.iter().any(|item| item.weak_eq(tag)),
        Ok(IfNoneMatch::Any) => true,
        Err(_) => false,
    }
}

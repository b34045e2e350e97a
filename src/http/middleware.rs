//! What stands around every handler: a panic is that request's 500, a page of another origin changes
//! nothing here, and every request is counted.

use super::error::ApiError;
use crate::telemetry::metrics::UNMATCHED;
use crate::telemetry::{HttpRoute, Metrics};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use futures_util::FutureExt;
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::{Duration, Instant};

pub async fn panics_are_500<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(answer) => answer,
        Err(_) => {
            log::error!("a request handler panicked; its request was answered with a 500");
            Err(ApiError::Internal.into())
        }
    }
}

/// A browser sends `Origin` with what a page makes it send. What a stranger's page asks for is refused
/// unless it only reads, and that the browser keeps from the page by itself.
pub async fn foreign_origins_change_nothing<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if !reads && is_foreign(&request) {
        return Err(ApiError::ForeignOrigin.into());
    }
    next.call(request).await
}

fn is_foreign(request: &ServiceRequest) -> bool {
    let Some(origin) = request.headers().get(header::ORIGIN) else {
        return false;
    };
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let from = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"));
    match (from, host) {
        (Some((_, from)), Some(host)) => !from.eq_ignore_ascii_case(host),
        _ => true,
    }
}

/// The numbers of each route, found once by each worker and kept.
pub struct Numbers {
    metrics: Metrics,
    routes: RefCell<HashMap<(Method, String), HttpRoute>>,
}

impl Numbers {
    pub fn new(metrics: Metrics) -> Rc<Self> {
        Rc::new(Self {
            metrics,
            routes: RefCell::default(),
        })
    }

    fn answered(&self, method: Method, pattern: Option<String>, status: u16, took: Duration) {
        let mut routes = self.routes.borrow_mut();
        let pattern = pattern.unwrap_or_else(|| UNMATCHED.to_owned());
        let route = routes
            .entry((method, pattern))
            .or_insert_with_key(|(method, pattern)| self.metrics.route(method.as_str(), pattern));
        route.answered(status, took);
    }
}

pub async fn requests_are_counted<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let began = Instant::now();
    let numbers = request.app_data::<Rc<Numbers>>().cloned();
    let method = request.method().clone();
    let answer = next.call(request).await;
    if let Some(numbers) = numbers {
        let (status, pattern) = match &answer {
            Ok(answer) => (answer.status(), answer.request().match_pattern()),
            Err(error) => (error.as_response_error().status_code(), None),
        };
        numbers.answered(method, pattern, status.as_u16(), began.elapsed());
    }
    answer
}

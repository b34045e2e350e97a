//! What stands around every handler: a panic is that request's 500, a page of another origin changes
//! nothing here, and every request is counted.

pub mod recording;

use super::app::App;
use super::error::ApiError;
use super::extract::is_a_command;
use crate::telemetry::metrics::UNMATCHED;
use crate::telemetry::{HttpRoute, Metrics};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, web};
use futures_util::FutureExt;
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
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

/// The compression refuses in bare words whom it can answer in no way, before anything is asked within; nothing
/// of ours has that status.
pub async fn no_coding_left_is_a_problem<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let answer = next.call(request).await?;
    match answer.status() {
        StatusCode::NOT_ACCEPTABLE => Err(ApiError::NoCodingLeft.into()),
        _ => Ok(answer),
    }
}

/// While everybody who reaches the port may do everything, only names that mean this machine are answered. A
/// stranger's page whose own name was made to lead here would else pass for a page of ours. No page reaches the
/// control socket, whatever it is called there.
pub async fn only_names_of_this_machine<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let app = request.app_data::<web::Data<App>>();
    let needs_a_key = app.is_some_and(|app| !app.keys.ring().is_open());
    if needs_a_key || is_a_command(request.request()) {
        return next.call(request).await;
    }
    let host = request.headers().get(header::HOST);
    let named = host.map_or(Some("localhost"), |host| host.to_str().ok());
    match named {
        Some(name) if means_this_machine(name) => next.call(request).await,
        _ => Err(ApiError::ForeignHost.into()),
    }
}

fn means_this_machine(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
        _ => (host, ""),
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |ip: IpAddr| ip.to_canonical().is_loopback();
    port.len() <= 5
        && (bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(is_loopback))
}

/// A browser sends `Origin` with what a page makes it send. What a stranger's page asks for is refused
/// unless it only reads, and that the browser keeps from the page by itself.
pub async fn foreign_origins_change_nothing<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if !only_asks(request.request()) && page_of(request.request()) == Page::Foreign {
        return Err(ApiError::ForeignOrigin.into());
    }
    next.call(request).await
}

/// Whose page had a browser send a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    Own,
    Foreign,
    /// None says so: it may be no browser.
    Unsaid,
}

pub fn page_of(request: &HttpRequest) -> Page {
    let Some(origin) = request.headers().get(header::ORIGIN) else {
        return Page::Unsaid;
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
        (Some((_, from)), Some(host)) if from.eq_ignore_ascii_case(host) => Page::Own,
        _ => Page::Foreign,
    }
}

/// A request that only asks, and by which nothing is opened either.
pub fn only_asks(request: &HttpRequest) -> bool {
    let asks = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    // A socket is open to a page in both directions, and a browser lets any page open one.
    asks && !request.headers().contains_key(header::UPGRADE)
}

const KNOWN: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::PATCH,
    Method::OPTIONS,
];
/// Stands for all others.
const OTHER: Method = Method::TRACE;

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
        // A client may call its method anything, and what is kept for each must not grow with that.
        let method = if KNOWN.contains(&method) {
            method
        } else {
            OTHER
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_has_a_name_here() {
        for host in [
            "localhost",
            "LOCALHOST:7480",
            "127.0.0.1:1",
            "127.8.0.1",
            "[::1]:7480",
            "[::1]",
        ] {
            assert!(means_this_machine(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example:7480",
            "192.0.2.1",
            "127.0.0.1.evil.example",
        ] {
            assert!(!means_this_machine(host), "{host}");
        }
    }
    use actix_web::body::to_bytes;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service, try_call_service};
    use actix_web::{App, HttpResponse, web};
    use serde_json::Value;

    async fn panics() -> HttpResponse {
        panic!("as a handler with a mistake would")
    }

    #[test]
    fn a_panic_is_that_requests_500_and_the_next_one_is_served() {
        actix_web::rt::System::new().block_on(async {
            let app = App::new()
                .wrap(from_fn(panics_are_500))
                .wrap(from_fn(requests_are_counted))
                .route("/panics", web::get().to(panics))
                .route("/fine", web::get().to(HttpResponse::Ok));
            let service = init_service(app).await;
            let asked = |path: &str| TestRequest::get().uri(path).to_request();
            for _ in 0..3 {
                let answered = try_call_service(&service, asked("/panics")).await;
                let answer = answered.unwrap_err().error_response();
                assert_eq!(answer.status(), 500);
                let problem = to_bytes(answer.into_body()).await.unwrap();
                let problem: Value = serde_json::from_slice(&problem).unwrap();
                assert_eq!(problem["status"], 500);
                assert!(!problem.to_string().contains("mistake"));
                assert_eq!(call_service(&service, asked("/fine")).await.status(), 200);
            }
        });
    }

    #[test]
    fn strangers_methods_share_one_line_of_the_numbers() {
        let metrics = Metrics::new("0", std::time::UNIX_EPOCH);
        let numbers = Numbers::new(metrics);
        for n in 0..100 {
            let method = Method::from_bytes(format!("M{n}").as_bytes()).unwrap();
            numbers.answered(method, None, 404, Duration::ZERO);
        }
        assert_eq!(numbers.routes.borrow().len(), 1);
    }
}

//! Errors as the client reads them: RFC 9457 problems. The only place that knows status codes of failures.

mod reasons;

use crate::domain::{FieldError, FieldErrors};
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use std::fmt;
use std::time::SystemTime;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// Something in the request is wrong, and it is said what.
    Wrong(FieldErrors),
    /// No key, or none that opens anything: which of the two, and why, is told to nobody.
    Unauthorized,
    /// Two headers hold two keys.
    TwoKeys,
    /// This address fails too often.
    TooManyAttempts {
        seconds: u64,
    },
    /// What a browser sends by itself opens this only for a page of our own.
    UnsaidOrigin,
    /// The control socket, by another user.
    NotTheOwner,
    /// The key has not what this takes.
    MissingScope(&'static str),
    /// The caller may not do this, or not with this field.
    Forbidden(FieldErrors),
    /// What was asked for contradicts what is set, and it is said what.
    Conflict(FieldErrors),
    /// From a page of another origin.
    ForeignOrigin,
    /// Asked for under a name that is not this machine's.
    ForeignHost,
    /// A socket was asked for in the wrong way.
    NotAHandshake,
    NoSuchRoute,
    NoSuchEntry,
    NoSuchBackup,
    NoSuchKey,
    NoSuchWorkspace,
    NoSuchDevice,
    NoSuchCapture,
    NoSuchAutomation,
    /// Of the widgets or views of whoever asks.
    NotOnTheBoard(&'static str),
    /// The backup is damaged, or no book of this version; nothing was changed.
    NotRestorable(String),
    /// What a backup was written to or read from failed: where, and in the words of the disk.
    BackupFailed(String),
    WrongMethod(Vec<Method>),
    NotThisType {
        accepted: &'static str,
    },
    NotThisEncoding,
    /// No coding that there is for answers, and not the plain one either.
    NoCodingLeft,
    TooLarge {
        limit: usize,
    },
    /// It was read, and never has room in the queue as it is.
    TooHeavy(String),
    TooSlow,
    /// What comes cannot be read as a request.
    NotHttp,
    AddressTooLong,
    HeadTooLarge,
    /// The headers did not come in time.
    HeadTooSlow,
    BrokenBody(String),
    /// Try again: the queue is full, or every reader is in use.
    Busy(String),
    Stopping,
    DiskFull,
    /// It took longer than the caller may hold a reader.
    TookTooLong,
    /// Ours; the details are in the telemetry.
    Internal,
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    errors: &'a [FieldError],
}

impl ApiError {
    /// The one table of failures: status, title and what the client reads.
    fn told(&self) -> (StatusCode, &'static str, String) {
        use StatusCode as S;
        match self {
            Self::Wrong(errors) => (S::BAD_REQUEST, "Bad request", errors.to_string()),
            Self::Unauthorized => (
                S::UNAUTHORIZED,
                "Unauthorized",
                "this takes a key that is in force, as Authorization: Bearer dbk_… or X-API-Key, or a sign-in"
                    .into(),
            ),
            Self::TwoKeys => (
                S::BAD_REQUEST,
                "Bad request",
                "Authorization and X-API-Key hold different keys; send one of them".into(),
            ),
            Self::TooManyAttempts { seconds } => (
                S::TOO_MANY_REQUESTS,
                "Too many attempts",
                format!("too many attempts to be let in from this address; try again in {seconds} s"),
            ),
            Self::UnsaidOrigin => (
                S::FORBIDDEN,
                "Forbidden",
                "with a cookie this takes an Origin that is this host; or send a key".into(),
            ),
            Self::NotTheOwner => (
                S::FORBIDDEN,
                "Forbidden",
                "only the user that Daybook runs as, or root, may use the control socket".into(),
            ),
            Self::MissingScope(scope) => (
                S::FORBIDDEN,
                "Forbidden",
                format!("this takes a key with the scope {scope}"),
            ),
            Self::Forbidden(errors) => (S::FORBIDDEN, "Forbidden", errors.to_string()),
            Self::Conflict(errors) => (S::CONFLICT, "Conflict", errors.to_string()),
            Self::ForeignOrigin => (
                S::FORBIDDEN,
                "Forbidden",
                "the request comes from a page of another origin".into(),
            ),
            Self::ForeignHost => (
                S::MISDIRECTED_REQUEST,
                "Misdirected request",
                "this daemon answers to localhost and to loopback addresses alone".into(),
            ),
            Self::NotAHandshake => (
                S::BAD_REQUEST,
                "Bad request",
                "this address takes a WebSocket handshake".into(),
            ),
            Self::NoSuchRoute => (
                S::NOT_FOUND,
                "Not found",
                "there is nothing at this address; /api/docs lists what there is".into(),
            ),
            Self::NoSuchEntry => (
                S::NOT_FOUND,
                "Not found",
                "no such entry is in the book".into(),
            ),
            Self::NoSuchKey => (
                S::NOT_FOUND,
                "Not found",
                "there is no key of this label".into(),
            ),
            Self::NoSuchWorkspace => (
                S::NOT_FOUND,
                "Not found",
                "there is no workspace of this name".into(),
            ),
            Self::NoSuchDevice => (
                S::NOT_FOUND,
                "Not found",
                "there is no device of this id".into(),
            ),
            Self::NoSuchCapture => (
                S::NOT_FOUND,
                "Not found",
                "there is no capture of this name".into(),
            ),
            Self::NoSuchAutomation => (
                S::NOT_FOUND,
                "Not found",
                "there is no automation of this name".into(),
            ),
            Self::NotOnTheBoard(kind) => (
                S::NOT_FOUND,
                "Not found",
                format!("you have no {kind} of this id"),
            ),
            Self::NoSuchBackup => (
                S::NOT_FOUND,
                "Not found",
                "there is no backup of this name".into(),
            ),
            Self::BackupFailed(what) => (S::INTERNAL_SERVER_ERROR, "Backup failed", what.clone()),
            Self::NotRestorable(what) => (S::UNPROCESSABLE_ENTITY, "Not restored", what.clone()),
            Self::WrongMethod(allowed) => (
                S::METHOD_NOT_ALLOWED,
                "Method not allowed",
                format!("this address takes {}", method_list(allowed)),
            ),
            Self::NotThisType { accepted } => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported media type",
                format!("Content-Type must be {accepted}"),
            ),
            Self::NotThisEncoding => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported media type",
                "Content-Encoding must be gzip, zstd or identity".into(),
            ),
            Self::NoCodingLeft => (
                S::NOT_ACCEPTABLE,
                "Not acceptable",
                "Accept-Encoding must leave one of identity, gzip, deflate and zstd".into(),
            ),
            Self::TooLarge { limit } => (
                S::PAYLOAD_TOO_LARGE,
                "Content too large",
                format!("the body is larger than {limit} bytes, decoded"),
            ),
            Self::TooHeavy(what) => (S::PAYLOAD_TOO_LARGE, "Content too large", what.clone()),
            Self::TooSlow => (
                S::REQUEST_TIMEOUT,
                "Request timeout",
                "the body did not come in time".into(),
            ),
            Self::NotHttp => (
                S::BAD_REQUEST,
                "Bad request",
                "the request line, a header or the framing of the body is not as HTTP/1.1 has it".into(),
            ),
            Self::AddressTooLong => (
                S::URI_TOO_LONG,
                "Address too long",
                "the address and its query are longer than 65534 bytes".into(),
            ),
            Self::HeadTooLarge => (
                S::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Headers too large",
                "the headers are more than 96, or longer than 128 KiB".into(),
            ),
            Self::HeadTooSlow => (
                S::REQUEST_TIMEOUT,
                "Request timeout",
                "the headers did not come in time".into(),
            ),
            Self::BrokenBody(what) => (S::BAD_REQUEST, "Bad request", what.clone()),
            Self::Busy(what) => (S::SERVICE_UNAVAILABLE, "Busy", what.clone()),
            Self::Stopping => (
                S::SERVICE_UNAVAILABLE,
                "Stopping",
                "the daemon is stopping; nothing was recorded".into(),
            ),
            Self::DiskFull => (
                S::INSUFFICIENT_STORAGE,
                "Insufficient storage",
                "no space is left for the book; nothing was recorded".into(),
            ),
            Self::TookTooLong => (
                S::SERVICE_UNAVAILABLE,
                "Took too long",
                "counting took longer than 10 s; narrow the filter, or leave exact=true out".into(),
            ),
            Self::Internal => (
                S::INTERNAL_SERVER_ERROR,
                "Internal error",
                "something failed here; the daemon's own log says what".into(),
            ),
        }
    }

    fn errors(&self) -> &[FieldError] {
        match self {
            Self::Wrong(errors) | Self::Forbidden(errors) | Self::Conflict(errors) => {
                errors.as_slice()
            }
            _ => &[],
        }
    }
}

impl ApiError {
    /// The status and the body.
    fn problem(&self) -> (StatusCode, String) {
        let (status, title, detail) = self.told();
        let problem = Problem {
            r#type: "about:blank",
            title,
            status: status.as_u16(),
            detail,
            errors: self.errors(),
        };
        (status, serde_json::to_string(&problem).unwrap_or_default())
    }

    /// The whole answer to what never became a request, with which its connection ends.
    pub fn on_the_wire(&self) -> Vec<u8> {
        let (status, problem) = self.problem();
        let date = header::HttpDate::from(SystemTime::now());
        let length = problem.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\n\
             content-length: {length}\r\nconnection: close\r\ndate: {date}\r\n\r\n{problem}"
        )
        .into_bytes()
    }
}

fn method_list(methods: &[Method]) -> String {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    names.join(", ")
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told().2)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.told().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, problem) = self.problem();
        let mut response = HttpResponseBuilder::new(status);
        response.content_type("application/problem+json");
        match self {
            Self::Busy(_) | Self::Stopping | Self::DiskFull => {
                response.insert_header((header::RETRY_AFTER, "1"));
            }
            Self::TooManyAttempts { seconds } => {
                response.insert_header((header::RETRY_AFTER, seconds.to_string()));
            }
            Self::Unauthorized => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"daybook\""));
            }
            Self::WrongMethod(allowed) => {
                response.insert_header((header::ALLOW, method_list(allowed)));
            }
            Self::NotThisEncoding => {
                response.insert_header((header::ACCEPT_ENCODING, "gzip, zstd"));
            }
            Self::NoCodingLeft => {
                response.insert_header((header::VARY, "Accept-Encoding"));
            }
            // What is left of the body would be read as the next request.
            Self::TooLarge { .. } | Self::TooSlow => {
                response.force_close();
            }
            _ => {}
        }
        response.body(problem)
    }
}

/// A handler for whatever the table does not list.
pub async fn no_such_route() -> Result<HttpResponse, ApiError> {
    Err(ApiError::NoSuchRoute)
}

/// What a known address answers to a method that it does not take.
pub fn wrong_method(
    allowed: Vec<Method>,
) -> impl Fn(HttpRequest) -> std::future::Ready<Result<HttpResponse, ApiError>> + Clone {
    move |_| std::future::ready(Err(ApiError::WrongMethod(allowed.clone())))
}

/// What a known address answers to OPTIONS.
pub fn what_is_allowed(
    allowed: Vec<Method>,
) -> impl Fn(HttpRequest) -> std::future::Ready<HttpResponse> + Clone {
    move |_| {
        let mut response = HttpResponse::NoContent();
        response.insert_header((header::ALLOW, method_list(&allowed)));
        std::future::ready(response.finish())
    }
}

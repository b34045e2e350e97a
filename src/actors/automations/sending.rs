//! How a request is sent, and what its answer means. It waits, so it is called on a thread that may.

use super::attempt::{Came, Tried};
use super::body::Told;
use crate::client::tls;
use crate::domain::Timestamp;
use std::io::{ErrorKind, Read};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use ureq::http::{HeaderMap, Request, Response};

/// Of what a receiver answers, so much is read for a test and nothing otherwise.
const ANSWER_BYTES: u64 = 1_024;

const NO_TLS: &str = "its certificate is not trusted, or TLS failed otherwise";

/// The certificates are read when the first request is sent.
#[derive(Clone, Default)]
pub struct Post(Arc<OnceLock<ureq::Agent>>);

impl Post {
    pub fn send(&self, told: &Told<'_>) -> Tried {
        let began = Instant::now();
        let tried = match self.asked(told) {
            Ok(answer) => judged(answer, told.is_test),
            Err(error) => Tried::not_sent(said(&error)),
        };
        Tried {
            took: began.elapsed(),
            ..tried
        }
    }

    fn asked(&self, told: &Told<'_>) -> Result<Response<ureq::Body>, ureq::Error> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let ready = told.ready(since_1970.map_or(0, |since| since.as_secs()));
        let action = &told.rule.action;
        let mut request = Request::post(action.url().as_str());
        for (name, value) in ready.headers {
            request = request.header(name, value);
        }
        let agent = self.0.get_or_init(agent);
        let request = request.body(ready.body)?;
        let request = agent
            .configure_request(request)
            .timeout_global(Some(action.timeout()))
            .build();
        agent.run(request)
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_connections(0)
        .proxy(None)
        .user_agent(concat!("Daybook/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls::trusted())
        .build()
        .into()
}

fn judged(answer: Response<ureq::Body>, is_test: bool) -> Tried {
    let status = answer.status().as_u16();
    let came = match status {
        200..=299 => Came::Told,
        400..=499 if !matches!(status, 408 | 425 | 429) => Came::Refused,
        _ => Came::Later {
            retry_after: retry_after(answer.headers()),
        },
    };
    Tried {
        came,
        status: Some(status),
        error: None,
        answer: is_test.then(|| beginning(answer)),
        took: Duration::ZERO,
    }
}

fn beginning(mut answer: Response<ureq::Body>) -> String {
    let mut bytes = Vec::new();
    let reader = answer.body_mut().as_reader();
    // What came before it broke off is worth telling.
    let _ = reader.take(ANSWER_BYTES).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let plain = |c: char| c.is_control() && c != '\n';
    text.replace(plain, "\u{fffd}")
}

/// In seconds, or as a time.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    let at = Timestamp::from_micros(at.timestamp_micros());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let now = i64::try_from(now.as_micros()).ok()?;
    u64::try_from(at.micros() - now)
        .ok()
        .map(Duration::from_micros)
}

/// Without the address, which may hold secrets.
fn said(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "it did not answer in time".into(),
        ureq::Error::HostNotFound => "its host is not known".into(),
        ureq::Error::ConnectionFailed => "it cannot be reached".into(),
        // So is a failed handshake told.
        ureq::Error::Io(cause) if cause.kind() == ErrorKind::InvalidData => NO_TLS.into(),
        ureq::Error::Io(cause) => format!("it cannot be reached: {}", cause.kind()),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => NO_TLS.into(),
        _ => "it could not be asked, or did not answer as HTTP does".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_a_number_or_a_time() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert!(read("Wed, 21 Oct 2099 07:28:00 GMT").unwrap() > Duration::from_secs(1 << 30));
        for nothing in ["Wed, 21 Oct 2015 07:28:00 GMT", "soon", "-1"] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }
}

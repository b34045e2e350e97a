//! From a request to finished values: who calls, from where, and what for.

use super::app::App;
use super::auth;
use super::error::ApiError;
use super::forwarded::Client;
use crate::access::{Origin, Principal, Scope};
use crate::actors::context::Context;
use crate::domain::limits::USER_AGENT_CHARS;
use crate::domain::{FieldError, FieldErrors, Filter, PageRequest, PageSize, Position, Seq};
use actix_web::dev::Payload;
use actix_web::http::{Method, header};
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::future::{Ready, ready};

/// Who a request comes from.
pub struct Caller {
    pub principal: Principal,
    pub origin: Origin,
}

/// How a connection came in, noted when it was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    Tcp,
    /// The control socket beside the book; the user behind it.
    Control {
        uid: u32,
    },
}

/// By a command of this machine's operator: nobody else gets through the control socket.
pub fn is_a_command(request: &HttpRequest) -> bool {
    matches!(request.conn_data::<Peer>(), Some(Peer::Control { .. }))
}

/// What is asked for goes out; of a HEAD nothing does but the headers.
pub fn sends_a_body(request: &HttpRequest) -> bool {
    request.method() != Method::HEAD
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        if let Err(refused) = auth::refuse_unknown(request) {
            return ready(Err(refused));
        }
        ready(match Context::current() {
            Some(Context {
                principal, origin, ..
            }) => Ok(Self { principal, origin }),
            None => Err(ApiError::Unauthorized),
        })
    }
}

/// Where a request comes from, which is from `client` by the network.
pub fn origin(request: &HttpRequest, client: &Client) -> Origin {
    let agent = request.headers().get(header::USER_AGENT);
    Origin {
        ip_address: client.address.map(|address| address.to_string()),
        user_agent: agent.map(|agent| shortened(&String::from_utf8_lossy(agent.as_bytes()))),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(USER_AGENT_CHARS) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.chars().take(USER_AGENT_CHARS - 1).collect();
            kept + "…"
        }
    }
}

/// The query parameters, taken out one by one; what is left over at the end is not known here.
pub struct Query(Vec<(String, String)>);

/// More parameters than these no list takes.
const MOST_PARAMETERS: usize = 256;
/// As much of an unknown parameter's name is told back, and no known one is longer.
const NAME_CHARS: usize = 64;

impl FromRequest for Query {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(address_is_text(request).and_then(|()| Self::parse(request.query_string())))
    }
}

/// What is looked for by its address is a text.
fn address_is_text(request: &HttpRequest) -> Result<(), ApiError> {
    let decoded = percent_decode_str(request.uri().path()).decode_utf8();
    decoded.map(drop).map_err(|_| not_utf8("path").into())
}

/// As forms encode it: a plus sign is a space.
fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    let text = percent_decode_str(&text).decode_utf8().ok()?;
    Some(text.into_owned())
}

fn not_utf8(field: impl Into<Cow<'static, str>>) -> FieldError {
    FieldError::new(field, "is not UTF-8")
}

impl Query {
    /// As it stands behind the question mark.
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        if pairs.len() > MOST_PARAMETERS {
            let reason = format!("has more than {MOST_PARAMETERS} parameters");
            return Err(FieldError::new("query", reason).into());
        }
        let read = pairs.into_iter().map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name).ok_or_else(|| not_utf8("query"))?;
            if name.chars().nth(NAME_CHARS).is_some() {
                let name: String = name.chars().take(NAME_CHARS).collect();
                return Err(FieldError::new(name + "…", "is not a parameter here"));
            }
            match decoded(value) {
                Some(value) => Ok((name, value)),
                None => Err(not_utf8(name)),
            }
        });
        Ok(Self(read.collect::<Result<_, _>>()?))
    }

    pub fn take(&mut self, name: &'static str) -> Result<Option<String>, FieldError> {
        let mut values = Vec::new();
        self.0.retain(|(held, value)| {
            let wanted = held == name;
            if wanted {
                values.push(value.clone());
            }
            !wanted
        });
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(FieldError::new(name, "must be given once")),
        }
    }

    pub fn flag(&mut self, name: &'static str) -> Result<bool, FieldError> {
        match self.take(name)?.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(FieldError::new(name, "must be true or false")),
        }
    }

    pub fn scope(&mut self, caller: &Caller) -> Result<Scope, ApiError> {
        let asked = self.take("workspace_id")?;
        Ok(Scope::of(&caller.principal, asked.as_deref())?)
    }

    pub fn page(&mut self) -> Result<PageRequest, FieldError> {
        let size = match self.take("limit")? {
            None => PageSize::default(),
            Some(text) => PageSize::new(text.parse().unwrap_or(0))?,
        };
        let before = self.seq("before_seq")?;
        let after = self.seq("after_seq")?;
        let position = match (before, after) {
            (None, None) => Position::Newest,
            (Some(seq), None) => Position::Before(seq),
            (None, Some(seq)) => Position::After(seq),
            (Some(_), Some(_)) => {
                return Err(FieldError::new(
                    "after_seq",
                    "cannot be given with before_seq",
                ));
            }
        };
        Ok(PageRequest { position, size })
    }

    fn seq(&mut self, name: &'static str) -> Result<Option<Seq>, FieldError> {
        let parsed = self.take(name)?.map(|text| text.parse::<Seq>());
        match parsed {
            None => Ok(None),
            Some(Ok(seq)) if seq >= 0 => Ok(Some(seq)),
            Some(_) => Err(FieldError::new(name, "must be a whole number, 0 or more")),
        }
    }

    /// The filter in what is left; any other parameter is refused.
    pub fn filter(self, app: &App) -> Result<Filter, FieldErrors> {
        let pairs = self
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        Filter::from_parameters(pairs, app.now(), &app.rules)
    }

    /// For a route that has no parameters beyond those taken already.
    pub fn nothing_else(self) -> Result<(), FieldErrors> {
        let unknown =
            |(name, _): (String, String)| FieldError::new(name, "is not a parameter here");
        FieldErrors::none_in(self.0.into_iter().map(unknown).collect())
    }
}

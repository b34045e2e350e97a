//! Authentication, in one place: who a request comes from, and what each route takes. Another kind of
//! credential is another line in `who`. A key that is shown wins over what a browser or a proxy sends by itself, and
//! that opens nothing to a page that is not ours.

use super::app::App;
use super::cookie::{self, Held};
use super::error::ApiError;
use super::extract::{self, Peer};
use super::forwarded::Client;
use super::middleware::{Page, only_asks, page_of};
use crate::access::keyring::NotVerified;
use crate::access::{Keyring, Principal, keyring, token};
use crate::actors::context::Context;
use crate::actors::keys::signing::InUse;
use crate::actors::keys::{Turned, Used};
use crate::domain::key::is_reserved;
use crate::domain::limits::ACTOR_CHARS;
use crate::domain::{FieldErrors, Reach, Timestamp};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, web};

/// What a route wants of whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing, not even to know who it is.
    Open,
    /// To know who it is, whatever he may do.
    Known,
    Write,
    Read,
    Admin,
    /// `admin` in all workspaces.
    Operator,
    /// As `Operator`, unless `[server] open_metrics` says otherwise.
    Metrics,
}

const KEY_HEADER: &str = "x-api-key";

/// Why nobody in particular asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotKnown {
    NoKey,
    NotVerified(NotVerified),
    /// Nor will another for so many seconds.
    TooMany(u64),
    /// By its cookie, which may have been right once.
    NotSignedIn,
    /// What its browser sends by itself would open this, but not to whatever page made it.
    ForeignOrigin,
    UnsaidOrigin,
    /// Two headers say two things.
    TwoKeys,
    /// Another user of this machine has got at the control socket.
    NotTheOwner,
}

impl From<NotKnown> for ApiError {
    fn from(why: NotKnown) -> Self {
        match why {
            NotKnown::NoKey | NotKnown::NotVerified(_) | NotKnown::NotSignedIn => {
                Self::Unauthorized
            }
            NotKnown::TooMany(seconds) => Self::TooManyAttempts { seconds },
            NotKnown::ForeignOrigin => Self::ForeignOrigin,
            NotKnown::UnsaidOrigin => Self::UnsaidOrigin,
            NotKnown::TwoKeys => Self::TwoKeys,
            NotKnown::NotTheOwner => Self::NotTheOwner,
        }
    }
}

/// Whatever runs and is recorded for a request knows whose it is.
pub async fn callers_are_known<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
        return Err(ApiError::Internal.into());
    };
    let client = Client::of(request.request(), &app.settings.server);
    let origin = extract::origin(request.request(), &client);
    match who(request.request(), &app, &client) {
        Ok(principal) => {
            let context = Context::of(principal.clone(), origin);
            // Whatever stands further in may ask for it as soon as it is called.
            let answer = context.scope(async { next.call(request).await }).await;
            if principal.is_named() && is_forbidden(&answer) {
                app.keys.note(Turned::Down {
                    who: principal,
                    from: client.address.map(|address| address.to_string()),
                });
            }
            answer
        }
        Err(why) => {
            let why = counted(why, &app, &client);
            request.extensions_mut().insert(why);
            let context = Context::of(Principal::unknown(), origin);
            context.scope(async { next.call(request).await }).await
        }
    }
}

/// Notes that somebody failed to be let in; who fails too often is told that alone.
fn counted(why: NotKnown, app: &App, client: &Client) -> NotKnown {
    let NotKnown::NotVerified(not_verified) = why else {
        return why;
    };
    turned_away(not_verified, app, client);
    match app.slowdown.count(client.address) {
        Ok(()) => why,
        Err(wait) => NotKnown::TooMany(whole_seconds(wait)),
    }
}

fn turned_away(why: NotVerified, app: &App, client: &Client) {
    let from = client.address.map(|address| address.to_string());
    app.keys.note(Turned::Away { from, why });
}

fn whole_seconds(wait: std::time::Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// For a sign-in: every attempt counts, and beyond what one address has none is looked at.
pub fn one_attempt(app: &App, client: &Client) -> Result<(), ApiError> {
    let counted = app.slowdown.count(client.address);
    counted.map_err(|wait| ApiError::TooManyAttempts {
        seconds: whole_seconds(wait),
    })
}

/// Whose key that is, which somebody shows to sign in.
pub fn holder(key: &str, app: &App, client: &Client) -> Result<Principal, ApiError> {
    by_key(key, app, client).map_err(|why| {
        turned_away(why, app, client);
        ApiError::Unauthorized
    })
}

/// Whoever was not let in stays so, whatever else is said of the request.
pub fn refuse_unknown(request: &HttpRequest) -> Result<(), ApiError> {
    match request.extensions().get::<NotKnown>() {
        Some(why) => Err(ApiError::from(*why)),
        None => Ok(()),
    }
}

fn is_forbidden<B>(answer: &Result<ServiceResponse<B>, Error>) -> bool {
    let status = match answer {
        Ok(answer) => answer.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    status == StatusCode::FORBIDDEN
}

fn who(request: &HttpRequest, app: &App, client: &Client) -> Result<Principal, NotKnown> {
    if let Some(Peer::Control { uid }) = request.conn_data::<Peer>().copied() {
        return match uid == 0 || uid == rustix::process::getuid().as_raw() {
            true => Ok(Principal::operator()),
            false => Err(NotKnown::NotTheOwner),
        };
    }
    if app.keys.ring().is_open() {
        return Ok(Principal::anonymous());
    }
    if let Some(key) = presented(request)? {
        return by_key(key, app, client).map_err(NotKnown::NotVerified);
    }
    let principal = match named_by_proxy(request, app, client) {
        Some(named) => named?,
        None => by_cookie(request, app, client)?,
    };
    match page_of(request) {
        Page::Foreign => Err(NotKnown::ForeignOrigin),
        Page::Unsaid if !only_asks(request) => Err(NotKnown::UnsaidOrigin),
        _ => Ok(principal),
    }
}

fn by_key(text: &str, app: &App, client: &Client) -> Result<Principal, NotVerified> {
    let (ring, now) = (app.keys.ring(), app.now());
    let (held, principal) = ring.verify(text, now)?;
    used(held, app, client, now);
    Ok(principal)
}

fn used(held: &keyring::Held, app: &App, client: &Client, now: Timestamp) {
    if held.is_worth_noting(now) {
        app.keys.note(Used {
            id: held.key.id.clone(),
            at: now,
            from: client.address.map(|address| address.to_string()),
        });
    }
}

/// By the cookie of a sign-in.
fn by_cookie(request: &HttpRequest, app: &App, client: &Client) -> Result<Principal, NotKnown> {
    let text = match cookie::held_by(request) {
        Held::None => return Err(NotKnown::NoKey),
        Held::One(text) => text,
        Held::Several => return Err(NotKnown::NotSignedIn),
    };
    let token = token::presented(text).ok_or(NotKnown::NotSignedIn)?;
    let now = app.now();
    let ring: std::sync::Arc<Keyring> = app.keys.ring().clone();
    let sign_ins = app.keys.sign_ins();
    let found = sign_ins.find(&token, now).ok_or(NotKnown::NotSignedIn)?;
    let let_in = ring.signed_in(&found.sign_in, now);
    let (held, principal) = let_in.ok_or(NotKnown::NotSignedIn)?;
    if found.is_used(now) {
        app.keys.note(InUse { token, at: now });
    }
    used(held, app, client, now);
    Ok(principal)
}

/// By the header in which a trusted proxy names people; none where nobody is named.
fn named_by_proxy(
    request: &HttpRequest,
    app: &App,
    client: &Client,
) -> Option<Result<Principal, NotKnown>> {
    let auth = &app.settings.auth;
    if !client.by_proxy || auth.trusted_header.is_empty() {
        return None;
    }
    let mut named = request.headers().get_all(auth.trusted_header.as_str());
    let (first, second) = (named.next()?, named.next());
    // Of two the proxy has said but one.
    let name = if second.is_none() {
        name_in(first.as_bytes())
    } else {
        None
    };
    let reach = auth.trusted_reach().ok();
    let principal = name
        .zip(reach)
        .map(|(name, reach)| Principal::named_by_proxy(name, reach, auth.trusted_rights()));
    Some(principal.ok_or(NotKnown::NoKey))
}

fn name_in(value: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(value).ok()?.trim();
    let length = name.chars().count();
    let is_name = (1..=ACTOR_CHARS).contains(&length)
        && !name.chars().any(char::is_control)
        && !is_reserved(name);
    is_name.then_some(name)
}

/// The key that the request holds. One that cannot be read is a wrong one.
fn presented(request: &HttpRequest) -> Result<Option<&str>, NotKnown> {
    let wrong = NotKnown::NotVerified(NotVerified::Wrong);
    let mut key = None;
    let headers = request.headers();
    for value in headers.get_all(header::AUTHORIZATION) {
        let value = value.to_str().map_err(|_| wrong)?;
        let (scheme, rest) = value.split_once(' ').ok_or(wrong)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(wrong);
        }
        the_same(&mut key, rest.trim())?;
    }
    for value in headers.get_all(KEY_HEADER) {
        the_same(&mut key, value.to_str().map_err(|_| wrong)?.trim())?;
    }
    Ok(key)
}

fn the_same<'a>(key: &mut Option<&'a str>, given: &'a str) -> Result<(), NotKnown> {
    match key.replace(given) {
        Some(other) if other != given => Err(NotKnown::TwoKeys),
        _ => Ok(()),
    }
}

impl Need {
    /// Around a route: nobody gets through who is not let.
    pub async fn holds<B: MessageBody>(
        self,
        request: ServiceRequest,
        next: Next<B>,
    ) -> Result<ServiceResponse<B>, Error> {
        let open = match self {
            Self::Open => true,
            Self::Metrics => request
                .app_data::<web::Data<App>>()
                .is_some_and(|app| app.settings.server.open_metrics),
            _ => false,
        };
        if !open {
            refuse_unknown(request.request())?;
            let asked = Context::look(|context| self.is_met_by(&context.principal));
            match asked {
                Some(met) => {
                    met?;
                    self.refuse_the_archived(&request)?;
                }
                None => return Err(ApiError::Unauthorized.into()),
            }
        }
        next.call(request).await
    }

    /// The keys of an archived workspace only read.
    fn refuse_the_archived(self, request: &ServiceRequest) -> Result<(), ApiError> {
        let (Self::Write | Self::Admin, Some(app)) = (self, request.app_data::<web::Data<App>>())
        else {
            return Ok(());
        };
        let refused = |context: &Context| match context.principal.reach() {
            Reach::One(own) if app.workspaces.is_archived(own) => {
                let reason = format!("the workspace {own} is archived, and its keys only read");
                Err(FieldErrors::one("workspace_id", reason))
            }
            _ => Ok(()),
        };
        Context::look(refused)
            .unwrap_or(Ok(()))
            .map_err(ApiError::Forbidden)
    }

    fn is_met_by(self, principal: &Principal) -> Result<(), ApiError> {
        let rights = principal.rights();
        let (met, scope) = match self {
            Self::Open | Self::Known => (true, ""),
            Self::Write => (rights.write, "write"),
            Self::Read => (rights.read, "read"),
            Self::Admin => (rights.admin, "admin"),
            Self::Operator | Self::Metrics => {
                (principal.is_operator(), "admin in all workspaces (*)")
            }
        };
        match met {
            true => Ok(()),
            false => Err(ApiError::MissingScope(scope)),
        }
    }
}

//! Authentication, in one place: who a request comes from, and what each route takes. Another kind of
//! credential is another line in `who`.

use super::app::App;
use super::error::ApiError;
use super::extract::{self, Peer};
use crate::access::Principal;
use crate::access::keyring::NotVerified;
use crate::actors::context::Context;
use crate::actors::keys::{Turned, Used};
use crate::domain::{FieldErrors, Reach};
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
    /// Two headers say two things.
    TwoKeys,
    /// Another user of this machine has got at the control socket.
    NotTheOwner,
}

impl From<NotKnown> for ApiError {
    fn from(why: NotKnown) -> Self {
        match why {
            NotKnown::NoKey | NotKnown::NotVerified(_) => Self::Unauthorized,
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
    let origin = extract::origin(request.request());
    let peer = request.peer_addr();
    match who(request.request(), &app) {
        Ok(principal) => {
            let context = Context::of(principal.clone(), origin);
            // Whatever stands further in may ask for it as soon as it is called.
            let answer = context.scope(async { next.call(request).await }).await;
            if principal.key().is_some() && is_forbidden(&answer) {
                app.keys.note(Turned::Down {
                    who: principal,
                    from: peer.map(|peer| peer.ip().to_canonical().to_string()),
                });
            }
            answer
        }
        Err(why) => {
            if let NotKnown::NotVerified(why) = why {
                let from = origin.ip_address;
                app.keys.note(Turned::Away { from, why });
            }
            request.extensions_mut().insert(why);
            next.call(request).await
        }
    }
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

fn who(request: &HttpRequest, app: &App) -> Result<Principal, NotKnown> {
    if let Some(Peer::Control { uid }) = request.conn_data::<Peer>().copied() {
        return match uid == 0 || uid == rustix::process::getuid().as_raw() {
            true => Ok(Principal::operator()),
            false => Err(NotKnown::NotTheOwner),
        };
    }
    let ring = app.keys.ring();
    if ring.is_open() {
        return Ok(Principal::anonymous());
    }
    let text = presented(request)?.ok_or(NotKnown::NoKey)?;
    let now = app.now();
    let (held, principal) = ring.verify(text, now).map_err(NotKnown::NotVerified)?;
    if held.is_worth_noting(now) {
        app.keys.note(Used {
            id: held.key.id.clone(),
            at: now,
            from: extract::origin(request).ip_address,
        });
    }
    Ok(principal)
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
            Self::Open => (true, ""),
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

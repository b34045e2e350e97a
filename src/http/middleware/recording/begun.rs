//! One call from its beginning to its entry, which is written once however the call ends.

use super::Rules;
use crate::access::Principal;
use crate::access::principal::Reach;
use crate::actors::context::Context;
use crate::domain::{Draft, Emitted};
use actix_web::Error;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use std::rc::Rc;
use std::time::Instant;

/// How a call ended.
enum Ended {
    Answered(StatusCode),
    Panicked,
    Aborted,
}

/// A call on its way. However it ends, and if only by being dropped, its entry is written once.
pub struct Begun {
    pub rules: Rc<Rules>,
    pub entity: Option<(&'static str, String)>,
    pub context: Context,
    /// False where no entry is wanted, and once it is written.
    pub writes: bool,
    pub at: Instant,
}

impl Begun {
    pub fn answered<B>(mut self, answer: &Result<ServiceResponse<B>, Error>) {
        let status = match answer {
            Ok(answer) => answer.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        let named = answer.as_ref().ok().and_then(|answer| {
            let actor = self.rules.actor_of(answer.request())?;
            Some(Principal::vouched_for(actor))
        });
        if let Some(named) = named {
            self.context.principal = named;
        }
        self.end(&Ended::Answered(status));
    }

    fn end(&mut self, ended: &Ended) {
        if std::mem::take(&mut self.writes) && self.is_worth_an_entry(ended) {
            self.rules.sink.take_in(self.draft(ended));
        }
    }

    fn is_worth_an_entry(&self, ended: &Ended) -> bool {
        let has_entry = self
            .context
            .call
            .as_ref()
            .is_some_and(|call| call.has_entry());
        // What strangers try in vain is for whoever refuses it to tell.
        let is_strangers = self.context.principal.is_unknown();
        match ended {
            Ended::Answered(status) if is_strangers && status.is_client_error() => false,
            Ended::Aborted if is_strangers => false,
            Ended::Answered(
                StatusCode::UNAUTHORIZED
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::TOO_MANY_REQUESTS,
            ) => false,
            // An act that failed took its entry with it.
            Ended::Answered(status) => is_failure(*status) || !has_entry,
            Ended::Panicked => true,
            // What it was told to do is done all the same.
            Ended::Aborted => !has_entry,
        }
    }

    fn draft(&self, ended: &Ended) -> Draft {
        let call = self.context.call.as_deref();
        let (method, route) = call.map_or(("", ""), |call| (call.method(), call.route()));
        let (emitted, came) = match ended {
            Ended::Answered(status) if status.is_server_error() => (
                Emitted::RequestFailed,
                format!("failed with {}", status.as_u16()),
            ),
            Ended::Answered(status) if status.is_client_error() => (
                Emitted::RequestRefused,
                format!("was refused with {}", status.as_u16()),
            ),
            Ended::Answered(status) => (
                Emitted::RequestCompleted,
                format!("was answered with {}", status.as_u16()),
            ),
            Ended::Panicked => (
                Emitted::RequestFailed,
                "failed: its handler panicked".into(),
            ),
            Ended::Aborted => (Emitted::RequestAborted, "was given up by its client".into()),
        };
        let took = self.at.elapsed().as_micros();
        let took = u32::try_from(took).map_or(f64::from(u32::MAX), f64::from) / 1000.0;
        let mut own = emitted
            .says(format!("{method} {route} {came}"))
            .with("duration_ms", took);
        match ended {
            Ended::Answered(status) => own = own.with("status", status.as_u16()),
            Ended::Panicked => own = own.with("panicked", true),
            Ended::Aborted => {}
        }
        let mut draft = own.draft();
        if let (Some(call), Some(metadata)) = (call, &mut draft.metadata) {
            call.name_in(metadata);
        }
        let (entity_type, entity_id) = self.entity.clone().unzip();
        draft.entity_type = entity_type.map(str::to_owned);
        draft.entity_id = entity_id;
        let Context {
            principal, origin, ..
        } = &self.context;
        draft.actor = Some(principal.label().to_owned());
        draft.ip_address.clone_from(&origin.ip_address);
        draft.user_agent.clone_from(&origin.user_agent);
        if let Reach::One(workspace) = principal.reach() {
            draft.workspace_id = Some(workspace.to_string());
        }
        draft
    }
}

fn is_failure(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

impl Drop for Begun {
    fn drop(&mut self) {
        let ended = match std::thread::panicking() {
            true => Ended::Panicked,
            false => Ended::Aborted,
        };
        self.end(&ended);
    }
}

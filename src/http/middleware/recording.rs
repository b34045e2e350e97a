//! Records calls, one entry each: who called what, what came of it and how long it took, also when the handler
//! panics or when the client goes away first. For any actix-web application, as [`RecordRequests`]; what it
//! does with an entry is a [`Sink`]'s. It never stores a query, a header beside the user agent, or a body.

mod begun;

use begun::Begun;

use crate::access::{Origin, Principal};
use crate::actors::context::{Call, Context};
use crate::config::RecordRequests as Which;
use crate::domain::Sink;
use crate::domain::limits::{ACTOR_CHARS, ENTITY_ID_CHARS, USER_AGENT_CHARS};
use actix_web::dev::{
    Path, ResourceDef, Service, ServiceRequest, ServiceResponse, Transform, forward_ready,
};
use actix_web::http::{Method, header};
use actix_web::{Error, HttpRequest};
use futures_util::FutureExt;
use futures_util::future::{Either, LocalBoxFuture, Ready, ready};
use percent_encoding::percent_decode_str;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// Wraps an application, a scope or a resource, and records the calls that it answers.
///
/// Into a book of this process:
///
/// ```no_run
/// use actix_web::{App, HttpServer, web};
/// use daybook::actors::embedded;
/// use daybook::config::{Settings, StorageUrl};
/// use daybook::domain::Entity;
/// use daybook::http::RecordRequests;
///
/// async fn complete(task: web::Path<String>, book: web::Data<daybook::actors::Recorder>) -> String {
///     // An entry of its own: it names the call, and the middleware adds no second.
///     book.record(Entity::task(task.as_str()).completed());
///     format!("{task} is done")
/// }
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     actix_web::rt::System::new().block_on(async {
///         let mut settings = Settings::default();
///         settings.storage.url = StorageUrl::parse("sqlite:///var/lib/tasks/daybook.db")?;
///         let book = embedded::open(&settings).await?;
///         let recorder = book.recorder.clone();
///         HttpServer::new(move || {
///             let calls = RecordRequests::into(recorder.clone())
///                 .entity("/tasks/{id}", "task")
///                 .actor(|request| Some(request.headers().get("x-user")?.to_str().ok()?.to_owned()));
///             App::new()
///                 .app_data(web::Data::new(recorder.clone()))
///                 .wrap(calls)
///                 .route("/tasks/{id}/complete", web::post().to(complete))
///         })
///         .bind("127.0.0.1:8080")?
///         .run()
///         .await?;
///         book.stop().await;
///         Ok(())
///     })
/// }
/// ```
///
/// Into a Daybook elsewhere, with a key that may speak for others:
///
/// ```no_run
/// use actix_web::{App, HttpResponse, HttpServer, web};
/// use daybook::client::Remote;
/// use daybook::http::RecordRequests;
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let key = std::env::var("DAYBOOK_KEY")?;
///     let daybook = Remote::to("http://daybook.internal:7480").key(key).start()?;
///     let sink = daybook.clone();
///     let server = HttpServer::new(move || {
///         App::new()
///             .wrap(RecordRequests::into(sink.clone()).entity("/tasks/{id}", "task"))
///             .route("/tasks/{id}", web::delete().to(HttpResponse::NoContent))
///     });
///     actix_web::rt::System::new().block_on(server.bind("127.0.0.1:8080")?.run())?;
///     daybook.flush(std::time::Duration::from_secs(5));
///     println!("{} entries were lost", daybook.lost());
///     Ok(())
/// }
/// ```
///
/// Where one stands within another, the outer one records.
///
/// A call that no route takes (404, 405) is none; one without a valid key (401) or beyond a rate (429) is left
/// to whoever refuses it, so that strangers cannot fill the book.
#[derive(Clone)]
pub struct RecordRequests(Rc<Rules>);

type ActorOf = Rc<dyn Fn(&HttpRequest) -> Option<String>>;

#[derive(Clone)]
struct Rules {
    sink: Arc<dyn Sink>,
    which: Which,
    exempt: Vec<(Option<Method>, &'static str)>,
    /// The longest pattern first.
    entities: Vec<(ResourceDef, &'static str)>,
    actor: Option<ActorOf>,
}

impl RecordRequests {
    /// Records into `sink` what changes something: POST, PUT, PATCH, DELETE.
    pub fn into(sink: impl Sink + 'static) -> Self {
        Self(Rc::new(Rules {
            sink: Arc::new(sink),
            which: Which::Changes,
            exempt: Vec::new(),
            entities: Vec::new(),
            actor: None,
        }))
    }

    /// `All` records GET and HEAD as well, `None` records nothing by itself; what handlers record names its
    /// call all the same.
    pub fn which(self, which: Which) -> Self {
        self.with(|rules| rules.which = which)
    }

    /// Leaves out what is sent to exactly this path: by this method, or by any.
    pub fn exempt(self, method: Option<Method>, path: &'static str) -> Self {
        self.with(|rules| rules.exempt.push((method, path)))
    }

    /// Calls to addresses that begin with this pattern are about a thing of this kind, whose id is the
    /// pattern's last parameter. Of several the longest counts.
    pub fn entity(self, pattern: &'static str, entity_type: &'static str) -> Self {
        self.with(|rules| {
            rules
                .entities
                .push((ResourceDef::prefix(pattern), entity_type));
            let length = |def: &ResourceDef| def.pattern().map_or(0, str::len);
            rules
                .entities
                .sort_by_key(|(def, _)| std::cmp::Reverse(length(def)));
        })
    }

    /// Who calls. It is asked before the handler runs, and once more with the answered request, so that it
    /// may look at what a middleware within or an extractor put into the request's extensions.
    /// Without it, and while it says nothing, everybody is `anonymous`.
    pub fn actor(self, actor: impl Fn(&HttpRequest) -> Option<String> + 'static) -> Self {
        self.with(|rules| rules.actor = Some(Rc::new(actor)))
    }

    fn with(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(Rc::make_mut(&mut self.0));
        self
    }
}

impl Rules {
    /// What is known of a call before it is answered; none when it is not to be recorded.
    fn begin(self: &Rc<Self>, request: &ServiceRequest) -> Option<Begun> {
        let method = request.method();
        if !self.takes(method) || self.exempts(method, request.uri().path()) {
            return None;
        }
        // As the router sees it, with what was needlessly escaped taken back.
        let path = request.match_info().as_str();
        let route = request.resource_map().match_pattern(path)?;
        if self.exempts(method, &route) {
            return None;
        }
        let context = Context::current().unwrap_or_else(|| self.stranger(request.request()));
        if context.call.is_some() {
            // One that is wrapped around this one has begun already.
            return None;
        }
        Some(Begun {
            rules: Rc::clone(self),
            entity: self.entity_in(path),
            context: context.with_call(Call::new(method.as_str(), route)),
            writes: self.which != Which::None,
            at: Instant::now(),
        })
    }

    fn takes(&self, method: &Method) -> bool {
        match *method {
            Method::POST | Method::PUT | Method::PATCH | Method::DELETE => true,
            Method::GET | Method::HEAD => self.which == Which::All,
            _ => false,
        }
    }

    fn exempts(&self, method: &Method, path: &str) -> bool {
        let mut exempt = self.exempt.iter();
        exempt.any(|(only, exempt)| {
            *exempt == path && only.as_ref().is_none_or(|only| only == method)
        })
    }

    /// Where nothing around this one says who calls.
    fn stranger(&self, request: &HttpRequest) -> Context {
        let agent = request.headers().get(header::USER_AGENT);
        let text = |bytes: &[u8]| readable(&String::from_utf8_lossy(bytes), USER_AGENT_CHARS);
        let origin = Origin {
            ip_address: request
                .peer_addr()
                .map(|peer| peer.ip().to_canonical().to_string()),
            user_agent: agent.map(|agent| text(agent.as_bytes())),
        };
        let principal = match self.actor_of(request) {
            Some(actor) => Principal::vouched_for(actor),
            None => Principal::anonymous(),
        };
        Context::of(principal, origin)
    }

    fn actor_of(&self, request: &HttpRequest) -> Option<String> {
        let actor = self.actor.as_ref()?(request)?;
        Some(readable(&actor, ACTOR_CHARS)).filter(|actor| !actor.is_empty())
    }

    fn entity_in(&self, path: &str) -> Option<(&'static str, String)> {
        self.entities.iter().find_map(|(pattern, entity_type)| {
            let mut path = Path::new(path);
            if !pattern.capture_match_info(&mut path) {
                return None;
            }
            let (_, id) = path.iter().last()?;
            let id = percent_decode_str(id).decode_utf8_lossy();
            Some((*entity_type, readable(&id, ENTITY_ID_CHARS)))
        })
    }
}

/// A text of a stranger's, so that nothing in it can have the entry refused.
fn readable(text: &str, most: usize) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().take(most).map(plain).collect()
}

impl<S, B> Transform<S, ServiceRequest> for RecordRequests
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = Recording<S>;
    type InitError = ();
    type Future = Ready<Result<Recording<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let rules = Rc::clone(&self.0);
        let service = Rc::new(service);
        ready(Ok(Recording { rules, service }))
    }
}

/// What stands around the application.
pub struct Recording<S> {
    rules: Rc<Rules>,
    service: Rc<S>,
}

type Answered<B> = Result<ServiceResponse<B>, Error>;

impl<S, B> Service<ServiceRequest> for Recording<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = Either<S::Future, LocalBoxFuture<'static, Answered<B>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        // What is exempt pays for a comparison, and goes on as if this were not here.
        let Some(begun) = self.rules.begin(&request) else {
            return Either::Left(self.service.call(request));
        };
        let service = Rc::clone(&self.service);
        let recorded = async move {
            let context = begun.context.clone();
            let answer = context.scope(async { service.call(request).await }).await;
            begun.answered(&answer);
            answer
        };
        Either::Right(recorded.boxed_local())
    }
}

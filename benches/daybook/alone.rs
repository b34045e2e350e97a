//! What grouping is compared with: the same hop to an actor on its own thread and back through a oneshot, but
//! one transaction for each message, through the product's own store or through the C API. In the process, and
//! behind the smallest server that reads the same JSON.

use crate::process::{Server, free_address};
use crate::raw_book::{RawBook, now, text_of};
use crate::rows::Row;
use crate::subject::Store;
use actix::prelude::*;
use actix_web::{App, HttpResponse, HttpServer, web};
use daybook::domain::NewEntry;
use daybook::storage::Request;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::sync::oneshot;

type Answer = Result<i64, String>;

/// One thing to be committed on its own.
struct Record<T> {
    what: T,
    answer: oneshot::Sender<Answer>,
}

impl<T: 'static> Message for Record<T> {
    type Result = ();
}

struct Alone<T>(Box<dyn FnMut(T) -> Answer>);

impl<T: 'static> Actor for Alone<T> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(4096);
    }
}

impl<T: 'static> Handler<Record<T>> for Alone<T> {
    type Result = ();

    fn handle(&mut self, message: Record<T>, _: &mut Context<Self>) {
        let done = self.0(message.what);
        // Who asked may be gone when a measurement ends.
        let _ = message.answer.send(done);
    }
}

/// The way to it.
pub struct Recorder<T: 'static>(Addr<Alone<T>>);

impl<T> Clone for Recorder<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + 'static> Recorder<T> {
    /// Starts the actor on a thread of its own, with what is made there.
    fn start<C: FnMut(T) -> Answer + 'static>(commit: impl FnOnce() -> C + Send + 'static) -> Self {
        let arbiter = Arbiter::new();
        Self(Alone::start_in_arbiter(&arbiter.handle(), move |_| {
            Alone(Box::new(commit()))
        }))
    }

    pub async fn record(&self, what: T) -> Answer {
        let (answer, received) = oneshot::channel();
        let sent = self.0.try_send(Record { what, answer });
        sent.map_err(|e| e.to_string())?;
        received.await.map_err(|e| e.to_string())?
    }
}

impl Recorder<Row> {
    /// Through the C API.
    pub fn raw(book: &Path) -> Self {
        let path = book.to_owned();
        Self::start(move || {
            let mut book = RawBook::open(&path).expect("the book was opened before");
            move |row| book.commit(std::iter::once(&row))
        })
    }
}

impl Recorder<NewEntry> {
    /// Through the product's store, as the LogWriter does it for a whole group.
    pub fn ungrouped(book: &Path) -> Self {
        let path = book.to_owned();
        Self::start(move || {
            let mut store = Store::open(&path).expect("the book was opened before");
            move |entry| {
                let request = Request {
                    entries: vec![entry],
                    ..Request::default()
                };
                store.commit(&[request]).map(|()| 0)
            }
        })
    }
}

/// Starts this program once more, as the server.
pub fn start_server(book: &Path, log: &Path) -> Result<Server, String> {
    let address = free_address()?;
    let this = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(this);
    command
        .arg("serve-alone")
        .args(["--listen", &address.to_string()])
        .arg("--book")
        .arg(book);
    Server::start(&mut command, address, "/readyz", log)
}

/// Serves until it is ended.
pub fn serve(listen: SocketAddr, book: PathBuf) -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async move {
        let recorder = web::Data::new(Recorder::raw(&book));
        HttpServer::new(move || {
            App::new()
                .app_data(recorder.clone())
                .route("/readyz", web::get().to(HttpResponse::Ok))
                .route("/api/v1/activity", web::post().to(record))
        })
        .bind(listen)?
        .run()
        .await
    })
}

#[derive(Deserialize)]
struct Incoming {
    category: String,
    action: String,
    severity: String,
    actor: String,
    entity_type: Option<String>,
    entity_id: Option<String>,
    entity_name: Option<String>,
    message: String,
    metadata: Box<RawValue>,
}

#[derive(Serialize)]
struct Outgoing {
    seq: i64,
    ts: String,
    duplicate: bool,
}

async fn record(recorder: web::Data<Recorder<Row>>, body: web::Bytes) -> HttpResponse {
    let Ok(incoming) = serde_json::from_slice::<Incoming>(&body) else {
        return HttpResponse::BadRequest().finish();
    };
    match recorder.record(incoming.into()).await {
        Ok(seq) => HttpResponse::Created().json(Outgoing {
            seq,
            ts: text_of(&now().text()).to_owned(),
            duplicate: false,
        }),
        Err(error) => HttpResponse::InternalServerError().body(error),
    }
}

impl From<Incoming> for Row {
    fn from(incoming: Incoming) -> Self {
        Self {
            category: incoming.category.into(),
            action: incoming.action.into(),
            severity: incoming.severity.into(),
            actor: incoming.actor,
            entity_type: incoming.entity_type.map(Into::into),
            entity_id: incoming.entity_id,
            entity_name: incoming.entity_name,
            message: incoming.message,
            metadata: incoming.metadata.get().to_owned(),
        }
    }
}

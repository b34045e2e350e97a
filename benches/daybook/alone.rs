//! What grouping is compared with: the same hop to an actor on its own thread and back through a oneshot, but
//! one transaction for each message, through the C API. In the process, and behind the smallest server that
//! reads the same JSON.

use crate::process::{Server, free_address};
use crate::raw_book::{RawBook, now, text_of};
use crate::rows::Row;
use actix::prelude::*;
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::sync::oneshot;

type Answer = Result<i64, String>;

pub struct Record {
    row: Row,
    answer: oneshot::Sender<Answer>,
}

impl Message for Record {
    type Result = ();
}

pub struct Alone(RawBook);

impl Actor for Alone {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(4096);
    }
}

impl Handler<Record> for Alone {
    type Result = ();

    fn handle(&mut self, message: Record, _: &mut Context<Self>) {
        let done = self.0.commit(std::iter::once(&message.row));
        // Who asked may be gone when a measurement ends.
        let _ = message.answer.send(done);
    }
}

/// The way to it.
#[derive(Clone)]
pub struct Recorder(Addr<Alone>);

impl Recorder {
    /// Starts the actor on a thread of its own.
    pub fn start(book: &Path) -> Self {
        let path = book.to_owned();
        let arbiter = Arbiter::new();
        Self(Alone::start_in_arbiter(&arbiter.handle(), move |_| {
            Alone(RawBook::open(&path).expect("the book was opened before"))
        }))
    }

    pub async fn record(&self, row: Row) -> Answer {
        let (answer, received) = oneshot::channel();
        let sent = self.0.try_send(Record { row, answer });
        sent.map_err(|e| e.to_string())?;
        received.await.map_err(|e| e.to_string())?
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
        let recorder = web::Data::new(Recorder::start(&book));
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

async fn record(recorder: web::Data<Recorder>, body: web::Bytes) -> HttpResponse {
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

//! Copies of the whole book: made, listed, downloaded, restored, deleted.

use crate::actors::backups::{Backup, NotDone};
use crate::actors::context::Context;
use crate::domain::{BackupName, Emitted, Own};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query, sends_a_body};
use crate::http::wire::ProblemSchema;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, ContentEncoding, LOCATION};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{Stream, stream};
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read};
use utoipa::ToSchema;

/// Read and sent at once.
const CHUNK: u64 = 256 * 1024;

/// A copy of the whole book.
#[derive(Serialize, ToSchema)]
#[schema(as = Backup)]
pub struct BackupItem {
    /// Names that the daemon gives sort by time
    pub name: String,
    pub bytes: u64,
    pub created_at: String,
    /// Made by the daemon itself, as `[backup]` says
    pub scheduled: bool,
}

impl From<Backup> for BackupItem {
    fn from(backup: Backup) -> Self {
        Self {
            name: backup.name.to_string(),
            bytes: backup.bytes,
            created_at: backup.created_at.to_string(),
            scheduled: backup.scheduled,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct BackupList {
    /// The newest first
    pub items: Vec<BackupItem>,
}

#[derive(Serialize, ToSchema)]
pub struct Deleted {
    /// Its name, or its id
    pub deleted: String,
}

/// What a restore came to.
#[derive(Serialize, ToSchema)]
pub struct Restored {
    pub name: String,
    /// Another one than before: clients start over
    pub epoch: String,
    /// Numbers go on from here
    pub last_seq: i64,
    /// Where the daemon keeps the former book, beside the new one
    pub former: Option<String>,
}

/// List the backups
#[utoipa::path(
    get,
    path = "/api/v1/backups",
    tag = "backups",
    responses((status = 200, description = "The newest first", body = BackupList, example = json!({"items": [
        {"name": "daybook-20261121T080000.000000Z.db", "bytes": 122880,
            "created_at": "2026-11-21T08:00:00.000000Z", "scheduled": false}
    ]})))
)]
pub async fn list(
    app: web::Data<App>,
    _caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let shelf = app.backups.shelf().clone();
    let backups = blocking(move || shelf.list()).await?;
    let items = backups.into_iter().map(BackupItem::from).collect();
    Ok(HttpResponse::Ok().json(BackupList { items }))
}

/// Make a backup
///
/// A consistent copy of the whole book, made while recording goes on, checked and on disk when the answer
/// comes. Recorded as `backup.created`.
#[utoipa::path(
    post,
    path = "/api/v1/backups",
    tag = "backups",
    responses(
        (status = 201, description = "Made", body = BackupItem, example = json!({
            "name": "daybook-20261121T080000.000000Z.db", "bytes": 122880,
            "created_at": "2026-11-21T08:00:00.000000Z", "scheduled": false
        })),
        (status = 500, description = "The folder cannot be written to; it is said which and why", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "Busy; try again", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn create(
    app: web::Data<App>,
    _caller: Caller,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let made = app.backups.create(Context::current()).await?;
    let place = format!("/api/v1/backups/{}", made.name);
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, place))
        .json(BackupItem::from(made)))
}

/// Download a backup
///
/// A whole book: `daybook restore` takes it, and `sqlite3` opens it. Recorded as `activity_log.exported`, with the
/// format `db`.
#[utoipa::path(
    get,
    path = "/api/v1/backups/{name}",
    tag = "backups",
    params(("name" = String, Path, example = "daybook-20261121T080000.000000Z.db")),
    responses(
        (status = 200, description = "The file", body = String, content_type = "application/vnd.sqlite3",
            example = json!("SQLite format 3…")),
        (status = 400, description = "That is no name of a backup", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such backup", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn download(
    app: web::Data<App>,
    request: HttpRequest,
    _caller: Caller,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let name = BackupName::parse(&name)?;
    let shelf = app.backups.shelf().clone();
    let disposition = format!("attachment; filename=\"{name}\"");
    let own = downloaded(&name);
    let found = blocking(move || shelf.open(name)).await?;
    let (file, bytes) = found.ok_or(ApiError::NoSuchBackup)?;
    if sends_a_body(&request) {
        app.recorder.record(own.draft());
    }
    Ok(HttpResponse::Ok()
        .content_type("application/vnd.sqlite3")
        .insert_header((CONTENT_DISPOSITION, disposition))
        // As it is, so that its length can be told.
        .insert_header((CONTENT_ENCODING, ContentEncoding::Identity))
        .no_chunking(bytes)
        .streaming(chunks(file, bytes)))
}

/// The whole book goes out, which is worth an entry as an export is; the download does not wait for it.
fn downloaded(name: &BackupName) -> Own {
    Emitted::ActivityLogExported
        .says(format!("A download of the backup {name} began"))
        .about("backup", name.as_str())
        .with("format", "db")
        .with("workspace_id", "*")
}

/// Delete a backup
///
/// Recorded as `backup.deleted`.
#[utoipa::path(
    delete,
    path = "/api/v1/backups/{name}",
    tag = "backups",
    params(("name" = String, Path, example = "daybook-20261121T080000.000000Z.db")),
    responses(
        (status = 200, description = "Deleted", body = Deleted,
            example = json!({"deleted": "daybook-20261121T080000.000000Z.db"})),
        (status = 400, description = "That is no name of a backup", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such backup", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn delete(
    app: web::Data<App>,
    _caller: Caller,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let name = BackupName::parse(&name)?;
    let deleted = name.to_string();
    app.backups.delete(name, Context::current()).await?;
    Ok(HttpResponse::Ok().json(Deleted { deleted }))
}

/// Restore a backup
///
/// The backup is checked as a whole first. Then it takes the place of the book, which is kept beside it;
/// meanwhile, for a moment, everything else is answered with 503. Clients see another `epoch` and start
/// over. Recorded in the restored book as `backup.restored`.
#[utoipa::path(
    post,
    path = "/api/v1/backups/{name}/restore",
    tag = "backups",
    params(("name" = String, Path, example = "daybook-20261121T080000.000000Z.db")),
    responses(
        (status = 200, description = "Restored", body = Restored, example = json!({
            "name": "daybook-20261121T080000.000000Z.db", "epoch": "019a9d3f-8c7e-7c3a-b1d5-f6a7b8c9d0e1",
            "last_seq": 1201, "former": "/var/lib/daybook/daybook.db.before-restore-20261121T090000000000Z"
        })),
        (status = 400, description = "That is no name of a backup", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such backup", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "It is damaged, or no book of this version; nothing was changed",
            body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "Busy; nothing was changed", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full; nothing was changed", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn restore(
    app: web::Data<App>,
    _caller: Caller,
    name: web::Path<String>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    query.nothing_else()?;
    let name = BackupName::parse(&name)?;
    let by = Context::current();
    let replaced = app.backups.restore(name.clone(), by).await?;
    Ok(HttpResponse::Ok().json(Restored {
        name: name.to_string(),
        epoch: replaced.epoch.to_string(),
        last_seq: replaced.last_seq,
        former: replaced.former.map(|path| path.display().to_string()),
    }))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ApiError> {
    let done = web::block(work).await.map_err(|_| ApiError::Internal)?;
    done.map_err(|cause| NotDone::Directory(cause).into())
}

/// The file part by part, so that a large one needs no more memory than a small one.
fn chunks(file: File, bytes: u64) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold((file, bytes), |(file, left)| async move {
        if left == 0 {
            return None;
        }
        let read = web::block(move || chunk(file, left)).await;
        match read.unwrap_or_else(|cause| Err(io::Error::other(cause))) {
            Ok((file, chunk)) => {
                let left = left.saturating_sub(chunk.len() as u64);
                Some((Ok(chunk), (file, left)))
            }
            Err(cause) => {
                // The answer breaks off before its length, and the next is not asked for.
                log::warn!("a backup could not be read to its end: {cause}");
                None
            }
        }
    })
}

fn chunk(file: File, left: u64) -> io::Result<(File, Bytes)> {
    let mut chunk = Vec::new();
    let mut part = file.take(CHUNK.min(left));
    if part.read_to_end(&mut chunk)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((part.into_inner(), Bytes::from(chunk)))
}

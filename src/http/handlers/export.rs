//! Export: every match, oldest first, streamed part by part in constant memory. A download that was cut
//! short is recognised by its missing last chunk.

use super::reading;
use crate::access::Scope;
use crate::domain::{Emitted, Filter, Seq};
use crate::export::{Encoder, Format};
use crate::http::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{Caller, Query, sends_a_body};
use crate::http::parameters::FilterParameters;
use crate::http::wire::{FormatSchema, ProblemSchema};
use crate::storage::{EntryReader, ExportPart};
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use std::sync::Arc;

/// Entries read in one short transaction.
const PART: usize = 1_000;

/// Export entries
///
/// Every match, oldest first, as one file: `csv`, `json` (one array) or `ndjson` (one entry a line).
#[utoipa::path(
    get,
    path = "/api/v1/activity/export",
    tag = "activity",
    params(
        ("format" = FormatSchema, Query, description = "csv, json or ndjson", example = "csv"),
        FilterParameters
    ),
    responses(
        (status = 200, description = "The file", content(
            (String = "text/csv", example = json!("id,ts,category,action,…\r\n")),
            (String = "application/x-ndjson", example = json!("{\"id\":\"al_019a9d3f8c7e7c3ab1d5f6a7b8c9d0e1\",…}\n")),
            (Vec<crate::http::wire::EntrySchema> = "application/json", example = json!([])),
        )),
        (status = 400, description = "A parameter is wrong, and it is named", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn export(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    mut query: Query,
) -> Result<HttpResponse, ApiError> {
    let scope = query.scope(&caller)?;
    let format = format(query.take("format")?)?;
    let filter = query.filter(&app)?;
    let upto = reading(&app, |reader| reader.head()).await?.last_seq;
    let name = file_name(&app, format);
    if sends_a_body(&request) {
        note(&app, &scope, format);
    }
    let mut response = HttpResponse::Ok();
    response.content_type(format.content_type()).insert_header((
        CONTENT_DISPOSITION,
        format!("attachment; filename=\"{name}\""),
    ));
    let export = Export {
        reader: Arc::clone(&app.reader),
        scope,
        filter,
        upto,
    };
    Ok(response.streaming(export.into_stream(format)))
}

fn format(named: Option<String>) -> Result<Format, crate::domain::FieldError> {
    Format::parse(named.as_deref().unwrap_or_default())
}

/// That an export began is worth an entry of its own, among those of whoever asked; the export does not
/// wait for it.
fn note(app: &App, scope: &Scope, format: Format) {
    let whose = scope.workspace().map_or("*", |name| name.as_str());
    let own = Emitted::ActivityLogExported
        .says(format!("An export as {} began", format.extension()))
        .with("format", format.extension())
        .with("workspace_id", whose);
    app.recorder.record(own.draft());
}

/// `daybook-20261121T080000Z.csv`
fn file_name(app: &App, format: Format) -> String {
    let now = app.now().to_string();
    let seconds: String = now[..19]
        .chars()
        .filter(|c| !matches!(c, '-' | ':'))
        .collect();
    format!("daybook-{seconds}Z.{}", format.extension())
}

struct Export {
    reader: Arc<dyn EntryReader>,
    scope: Scope,
    filter: Filter,
    upto: Seq,
}

/// What is read ahead, and what has been encoded of it so far.
struct Ahead<F> {
    part: F,
    encoder: Box<dyn Encoder>,
    bytes: Vec<u8>,
}

impl Export {
    /// The next part is read while this one is encoded and on its way.
    fn into_stream(
        self,
        format: Format,
    ) -> impl futures_util::Stream<Item = Result<Bytes, actix_web::Error>> {
        let export = Arc::new(self);
        let mut encoder = format.encoder();
        let mut bytes = Vec::new();
        encoder.start(&mut bytes);
        let part = Arc::clone(&export).part(0);
        let ahead = Ahead {
            part,
            encoder,
            bytes,
        };
        stream::unfold(Some(ahead), move |ahead| {
            let export = Arc::clone(&export);
            async move {
                let Ahead {
                    part,
                    mut encoder,
                    mut bytes,
                } = ahead?;
                let ExportPart { items, next } = match part.await {
                    Ok(part) => part,
                    Err(error) => return Some((Err(actix_web::Error::from(error)), None)),
                };
                let upto = export.upto;
                let next = next.filter(|after| *after < upto);
                let coming = next.map(|after| export.part(after));
                for stored in &items {
                    encoder.entry(&stored.entry, &mut bytes);
                }
                let ahead = match coming {
                    Some(part) => Some(Ahead {
                        part,
                        encoder,
                        bytes: Vec::with_capacity(bytes.len()),
                    }),
                    None => {
                        encoder.end(&mut bytes);
                        None
                    }
                };
                Some((Ok(Bytes::from(bytes)), ahead))
            }
        })
    }

    /// Begins to read at once, whoever awaits it when.
    fn part(self: Arc<Self>, after: Seq) -> impl Future<Output = Result<ExportPart, ApiError>> {
        let reading = web::block(move || {
            self.reader
                .export(&self.scope, &self.filter, after, self.upto, PART)
        });
        async move {
            let part = reading.await.map_err(|_| ApiError::Internal)?;
            part.map_err(ApiError::from)
        }
    }
}

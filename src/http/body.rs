//! Request bodies: read within their time, decoded as they come, and cut off at their limit. What a small
//! body unpacks to is never held beyond the limit, nor what all bodies unpack to beyond theirs (`budget`).

use super::app::App;
use super::budget::{Budget, Held};
use super::connection::Connection;
use super::error::ApiError;
use crate::ingest::native::looks_like_array;
use actix_web::http::header;
use actix_web::{HttpRequest, web};
use flate2::write::MultiGzDecoder;
use futures_util::StreamExt;
use std::io::{self, Write};
use std::ops::Deref;
use std::rc::Rc;
use std::time::Duration;
use zstd::stream::raw;
use zstd::stream::zio;

/// How much memory a zstd body may ask for to be unpacked: the 8 MiB that its format asks decoders to have.
const ZSTD_WINDOW_LOG: u32 = 23;

/// What the decoders hold themselves: gzip its tables and pieces; zstd besides that, in its window, as much
/// again of what it unpacked.
const GZIP_HOLDS: usize = 64 * 1024;
const ZSTD_HOLDS: usize = 256 * 1024;

/// A body that has become as large may become as large as bodies may.
const LARGE: usize = 256 * 1024;

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// One entry.
    pub single: usize,
    /// An array or lines.
    pub bulk: usize,
    /// From the first byte to the last.
    pub time: Duration,
}

/// Whether a body that is not lines is one entry or many shows in its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Lines,
    OneOrArray,
}

/// A whole body, which holds its part of what bodies may hold until it is dropped.
#[derive(Debug)]
pub struct Body {
    bytes: Vec<u8>,
    held: Held,
}

impl Body {
    /// What is to be dropped when that which the body became has room of its own.
    pub fn into_held(self) -> Held {
        self.held
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

pub async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    shape: Shape,
    limits: Limits,
) -> Result<Body, ApiError> {
    let app = request.app_data::<web::Data<App>>();
    let app = app.ok_or(ApiError::Internal)?;
    let body = within(request, payload, Sink::new(shape, limits, &app.bodies)).await;
    if matches!(body, Err(ApiError::Busy(_))) {
        app.metrics.bodies_refused.inc();
    }
    body
}

async fn within(
    request: &HttpRequest,
    payload: web::Payload,
    sink: Sink,
) -> Result<Body, ApiError> {
    let limits = sink.limits;
    let declared = declared(request);
    if declared.is_some_and(|declared| declared > limits.bulk as u64) {
        return Err(ApiError::TooLarge { limit: limits.bulk });
    }
    let decoder = Decoder::new(&encoding(request)?, sink)?;
    let connection = request.conn_data::<Rc<Connection>>();
    if let Some(connection) = connection {
        connection.body_is_awaited();
    }
    let drained = tokio::time::timeout(limits.time, drain(payload, decoder, declared)).await;
    let body = drained.unwrap_or(Err(ApiError::TooSlow))?;
    if let Some(connection) = connection {
        connection.body_is_whole();
    }
    Ok(body)
}

/// How long the body says it is, as it comes over the wire.
fn declared(request: &HttpRequest) -> Option<u64> {
    let length = request.headers().get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.trim().parse().ok()
}

async fn drain(
    mut payload: web::Payload,
    mut decoder: Decoder,
    declared: Option<u64>,
) -> Result<Body, ApiError> {
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|cause| ApiError::BrokenBody(format!("the body broke off: {cause}")))?;
        decoder.write(&chunk)?;
        decoder.may_become(declared)?;
    }
    decoder.finish()
}

/// Where decoded bytes go; it takes none beyond its limit.
pub struct Sink {
    bytes: Vec<u8>,
    held: Held,
    /// As much of what was unpacked stands a second time in the decoder's window.
    window: usize,
    shape: Shape,
    limits: Limits,
    /// Why it takes no more.
    refused: Option<ApiError>,
}

impl Sink {
    pub fn new(shape: Shape, limits: Limits, budget: &Budget) -> Self {
        Self {
            bytes: Vec::new(),
            held: budget.open(),
            window: 0,
            shape,
            limits,
            refused: None,
        }
    }

    /// For what a decoder holds itself.
    fn with_decoder(mut self, holds: usize, window: usize) -> Result<Self, ApiError> {
        self.window = window;
        match self.held.more(holds) {
            true => Ok(self),
            false => Err(too_many_bodies()),
        }
    }

    fn refuse(&mut self, why: ApiError) -> io::Error {
        self.bytes = Vec::new();
        self.refused = Some(why);
        io::Error::other("a limit is reached")
    }

    /// What so many more bytes will hold.
    fn needed(&self, more: usize) -> usize {
        let in_window = self.window.saturating_sub(self.bytes.len()).min(more);
        more + in_window
    }

    fn limit(&self) -> usize {
        match self.shape {
            Shape::Lines => self.limits.bulk,
            Shape::OneOrArray => match looks_like_array(&self.bytes) {
                Some(true) => self.limits.bulk,
                _ => self.limits.single,
            },
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.refused.is_some() {
            // A decoder that is dropped tries once more.
            return Err(io::Error::other("it was refused"));
        }
        if !self.held.more(self.needed(bytes.len())) {
            return Err(self.refuse(too_many_bodies()));
        }
        let limit = self.limit();
        if self.bytes.len() >= LARGE && self.bytes.capacity() < limit {
            // Room for all that may come, of which only what comes is ever touched: growing by doubling would
            // hold a large body more than twice.
            self.bytes
                .reserve_exact(limit + bytes.len() - self.bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
        let limit = self.limit();
        if self.bytes.len() > limit {
            return Err(self.refuse(ApiError::TooLarge { limit }));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub enum Decoder {
    Plain(Sink),
    Gzip(Box<MultiGzDecoder<Sink>>),
    Zstd(Box<zio::Writer<Sink, raw::Decoder<'static>>>),
}

impl Decoder {
    pub fn new(encoding: &str, sink: Sink) -> Result<Self, ApiError> {
        match encoding {
            "identity" | "" => Ok(Self::Plain(sink)),
            "gzip" | "x-gzip" => {
                let sink = sink.with_decoder(GZIP_HOLDS, 0)?;
                Ok(Self::Gzip(Box::new(MultiGzDecoder::new(sink))))
            }
            "zstd" => {
                let sink = sink.with_decoder(ZSTD_HOLDS, 1 << ZSTD_WINDOW_LOG)?;
                let writer = zio::Writer::new(sink, zstd_decoder()?);
                Ok(Self::Zstd(Box::new(writer)))
            }
            _ => Err(ApiError::NotThisEncoding),
        }
    }

    fn sink(&self) -> &Sink {
        match self {
            Self::Plain(sink) => sink,
            Self::Gzip(decoder) => decoder.get_ref(),
            Self::Zstd(decoder) => decoder.writer(),
        }
    }

    /// A plain body that will not keep within its limit is refused as soon as its first byte tells the limit.
    fn may_become(&self, declared: Option<u64>) -> Result<(), ApiError> {
        match (self, declared) {
            (Self::Plain(sink), Some(declared)) if declared > sink.limit() as u64 => {
                match looks_like_array(&sink.bytes) {
                    None => Ok(()),
                    Some(_) => Err(ApiError::TooLarge {
                        limit: sink.limit(),
                    }),
                }
            }
            _ => Ok(()),
        }
    }

    pub fn write(&mut self, chunk: &[u8]) -> Result<(), ApiError> {
        let written = match self {
            Self::Plain(sink) => sink.write_all(chunk),
            Self::Gzip(decoder) => decoder.write_all(chunk),
            Self::Zstd(decoder) => decoder.write_all(chunk),
        };
        written.map_err(|cause| self.refusal(&cause))
    }

    /// The whole body, or what is wrong with its end.
    pub fn finish(mut self) -> Result<Body, ApiError> {
        let ended = match &mut self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(decoder) => decoder.try_finish(),
            Self::Zstd(decoder) => decoder.finish(),
        };
        ended.map_err(|cause| self.refusal_at_end(&cause))?;
        let sink = match self {
            Self::Plain(sink) => sink,
            // Whoever takes the sink out of the decoder finishes it once more, which does nothing.
            Self::Gzip(decoder) => decoder.finish().map_err(|cause| broken(&cause))?,
            Self::Zstd(decoder) => decoder.into_inner().0,
        };
        Ok(Body {
            bytes: sink.bytes,
            held: sink.held,
        })
    }

    /// What was wrong before the end was refused before.
    fn refusal_at_end(&self, cause: &io::Error) -> ApiError {
        let refused = self.sink().refused.clone();
        refused.unwrap_or_else(|| match (self, cause.kind()) {
            (Self::Gzip(_), io::ErrorKind::InvalidInput) => ApiError::BrokenBody(
                "the body ends before its gzip stream does, or the checksum there is not that of what it held".into(),
            ),
            (Self::Zstd(_), io::ErrorKind::UnexpectedEof) => {
                ApiError::BrokenBody("the body ends before its zstd stream does".into())
            }
            _ => broken(cause),
        })
    }

    fn refusal(&self, cause: &io::Error) -> ApiError {
        let refused = self.sink().refused.clone();
        refused.unwrap_or_else(|| broken(cause))
    }
}

fn broken(cause: &io::Error) -> ApiError {
    ApiError::BrokenBody(format!(
        "the body is not what its Content-Encoding says: {cause}"
    ))
}

fn too_many_bodies() -> ApiError {
    ApiError::Busy("the bodies that are being read fill the memory set aside for them".into())
}

/// The one encoding of a body. Nobody encodes twice, and who says so is not believed.
fn encoding(request: &HttpRequest) -> Result<String, ApiError> {
    let mut given = request.headers().get_all(header::CONTENT_ENCODING);
    let Some(one) = given.next() else {
        return Ok(String::new());
    };
    match (one.to_str(), given.next()) {
        (Ok(one), None) => Ok(one.trim().to_ascii_lowercase()),
        _ => Err(ApiError::NotThisEncoding),
    }
}

fn zstd_decoder() -> Result<raw::Decoder<'static>, ApiError> {
    let mut decoder = raw::Decoder::new().map_err(|_| ApiError::Internal)?;
    decoder
        .set_parameter(raw::DParameter::WindowLogMax(ZSTD_WINDOW_LOG))
        .map_err(|_| ApiError::Internal)?;
    Ok(decoder)
}

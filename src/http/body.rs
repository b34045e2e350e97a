//! Request bodies: read within their time, decoded as they come, and cut off at their limit. What a small
//! body unpacks to is never held beyond the limit.

use super::error::ApiError;
use crate::ingest::native::looks_like_array;
use actix_web::http::header;
use actix_web::{HttpRequest, web};
use flate2::write::MultiGzDecoder;
use futures_util::StreamExt;
use std::io::{self, Write};
use std::time::Duration;
use zstd::stream::raw;
use zstd::stream::zio;

/// How much memory a zstd body may ask for to be unpacked: the 8 MiB that its format asks decoders to have.
const ZSTD_WINDOW_LOG: u32 = 23;

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

pub async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    shape: Shape,
    limits: Limits,
) -> Result<Vec<u8>, ApiError> {
    let decoder = Decoder::for_request(request, Sink::new(shape, limits))?;
    match tokio::time::timeout(limits.time, drain(payload, decoder)).await {
        Ok(body) => body,
        Err(_) => Err(ApiError::TooSlow),
    }
}

async fn drain(mut payload: web::Payload, mut decoder: Decoder) -> Result<Vec<u8>, ApiError> {
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|cause| ApiError::BrokenBody(format!("the body broke off: {cause}")))?;
        decoder.write(&chunk)?;
    }
    decoder.finish()
}

/// Where decoded bytes go; it takes none beyond its limit.
struct Sink {
    bytes: Vec<u8>,
    shape: Shape,
    limits: Limits,
    /// The limit that was reached.
    over: Option<usize>,
}

impl Sink {
    fn new(shape: Shape, limits: Limits) -> Self {
        Self {
            bytes: Vec::new(),
            shape,
            limits,
            over: None,
        }
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
            self.over = Some(limit);
            self.bytes = Vec::new();
            return Err(io::Error::other("the limit is reached"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Decoder {
    Plain(Sink),
    Gzip(Box<MultiGzDecoder<Sink>>),
    Zstd(Box<zio::Writer<Sink, raw::Decoder<'static>>>),
}

impl Decoder {
    fn for_request(request: &HttpRequest, sink: Sink) -> Result<Self, ApiError> {
        match encoding(request)?.as_str() {
            "identity" | "" => Ok(Self::Plain(sink)),
            "gzip" | "x-gzip" => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(sink)))),
            "zstd" => Ok(Self::Zstd(Box::new(zio::Writer::new(
                sink,
                zstd_decoder()?,
            )))),
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

    fn write(&mut self, chunk: &[u8]) -> Result<(), ApiError> {
        let written = match self {
            Self::Plain(sink) => sink.write_all(chunk),
            Self::Gzip(decoder) => decoder.write_all(chunk),
            Self::Zstd(decoder) => decoder.write_all(chunk),
        };
        written.map_err(|cause| self.refusal(&cause))
    }

    /// The whole body, or what is wrong with its end.
    fn finish(mut self) -> Result<Vec<u8>, ApiError> {
        let ended = match &mut self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(decoder) => decoder.try_finish(),
            Self::Zstd(decoder) => decoder.finish(),
        };
        ended.map_err(|cause| self.refusal(&cause))?;
        Ok(match self {
            Self::Plain(sink) => sink.bytes,
            Self::Gzip(mut decoder) => std::mem::take(&mut decoder.get_mut().bytes),
            Self::Zstd(decoder) => decoder.into_inner().0.bytes,
        })
    }

    fn refusal(&self, cause: &io::Error) -> ApiError {
        match self.sink().over {
            Some(limit) => ApiError::TooLarge { limit },
            None => ApiError::BrokenBody(format!(
                "the body is not what its Content-Encoding says: {cause}"
            )),
        }
    }
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

//! Entries to bytes, one file a format. Pure: an encoder writes into its caller's buffer, so that an export
//! of any length needs no more memory than one chunk of it.

mod csv;
mod json;
mod ndjson;
#[cfg(test)]
mod samples;
mod wire;

pub use wire::write_json;

use crate::domain::{Entry, FieldError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Json,
    Ndjson,
}

/// Writes one export: `start`, then `entry` for each, then `end`, always into the same text.
pub trait Encoder: Send {
    fn start(&mut self, out: &mut Vec<u8>);
    fn entry(&mut self, entry: &Entry, out: &mut Vec<u8>);
    fn end(&mut self, out: &mut Vec<u8>);
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Csv, Self::Json, Self::Ndjson];

    pub fn parse(text: &str) -> Result<Self, FieldError> {
        Self::ALL
            .into_iter()
            .find(|format| format.extension() == text)
            .ok_or_else(|| FieldError::new("format", "must be csv, json or ndjson"))
    }

    /// Also the format's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    pub fn encoder(self) -> Box<dyn Encoder> {
        match self {
            Self::Csv => Box::new(csv::Csv),
            Self::Json => Box::new(json::Json::default()),
            Self::Ndjson => Box::new(ndjson::Ndjson),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_known_by_its_name_alone() {
        for format in Format::ALL {
            assert_eq!(Format::parse(format.extension()), Ok(format));
        }
        for other in ["", "CSV", "xml", "json "] {
            assert_eq!(Format::parse(other).unwrap_err().field, "format");
        }
    }
}

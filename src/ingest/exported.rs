//! A line of a former export: an entry that brings the id and the time that a book gave it.

use super::object;
use crate::domain::{Draft, FieldError, FieldErrors, Timestamp};

/// The draft and the time of one line.
pub fn line(text: &[u8]) -> Result<(Draft, Timestamp), FieldErrors> {
    let (draft, ts) = object::exported(text)?;
    let mut errors = Vec::new();
    if draft.id.is_none() {
        errors.push(FieldError::new("id", "is required"));
    }
    let ts = time(ts.as_deref()).unwrap_or_else(|error| {
        errors.push(error);
        Timestamp::from_micros(0)
    });
    FieldErrors::none_in(errors)?;
    Ok((draft, ts))
}

fn time(text: Option<&str>) -> Result<Timestamp, FieldError> {
    let text = text.ok_or_else(|| FieldError::new("ts", "is required"))?;
    Timestamp::parse(text).map_err(|not_a_time| FieldError::new("ts", not_a_time.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<String> {
        let errors = line(text.as_bytes()).unwrap_err().into_vec();
        errors.into_iter().map(|e| e.field.into_owned()).collect()
    }

    #[test]
    fn what_a_book_gave_is_required_and_must_be_right() {
        assert_eq!(fields("{}"), ["id", "ts"]);
        assert_eq!(fields(r#"{"id":"a"}"#), ["ts"]);
        assert_eq!(fields(r#"{"id":"a","ts":"yesterday"}"#), ["ts"]);
        assert_eq!(fields(r#"{"id":"a","ts":7}"#), ["ts"]);
        let twice = r#"{"id":"a","ts":"2026-01-01T00:00:00Z","ts":"2026-01-01T00:00:00Z"}"#;
        assert_eq!(fields(twice), ["ts"]);
        assert_eq!(fields(r#"{"seq":1}"#), ["seq"]);
    }

    #[test]
    fn an_exported_line_is_read_with_its_time() {
        let text = r#"{"id":"a","ts":"2026-01-01T00:00:00.000001Z","message":"m"}"#;
        let (draft, ts) = line(text.as_bytes()).unwrap();
        assert_eq!(draft.message.as_deref(), Some("m"));
        assert_eq!(ts.to_string(), "2026-01-01T00:00:00.000001Z");
    }
}

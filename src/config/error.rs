//! What is wrong with the configuration, said so that the owner finds the place: the file with line and caret,
//! the variable, or the flag.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path}: {error}")]
    Unreadable {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{}: {reason}\n{}", place.head(), place.picture())]
    InFile { place: Place, reason: String },
    #[error("environment variable {name}: {reason}")]
    Variable { name: String, reason: String },
    #[error("{name}: {reason}")]
    Flag { name: String, reason: String },
    /// A default that does not go with the rest, which no one typed.
    #[error("{key}: {reason}")]
    Setting { key: String, reason: String },
}

impl ConfigError {
    /// Without the picture of the line, for where only one line has room.
    pub fn in_one_line(&self) -> String {
        match self {
            Self::InFile { place, reason } => format!("{place}: {reason}"),
            other => other.to_string(),
        }
    }
}

/// Where in the file, counted from 1, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: PathBuf,
    pub line: usize,
    pub column: usize,
    source: String,
    marked: usize,
}

/// Of a longer line only the part around the caret is shown.
const SHOWN_CHARS: usize = 160;

impl Place {
    pub fn of(path: &Path, text: &str, span: Range<usize>) -> Self {
        let start = floor_char_boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let source = text[line_start..].lines().next().unwrap_or_default();
        let end = floor_char_boundary(text, span.end.min(line_start + source.len()));
        Self {
            path: path.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            source: source.to_owned(),
            marked: text.get(start..end).map_or(0, |s| s.chars().count()),
        }
    }

    fn head(&self) -> String {
        format!("{}:{}:{}", self.path.display(), self.line, self.column)
    }

    /// The source line with a caret under what is meant.
    fn picture(&self) -> String {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let skipped = (self.column - 1).saturating_sub(SHOWN_CHARS / 2);
        // A control character would move the caret, or the terminal.
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let shown: String = self
            .source
            .chars()
            .skip(skipped)
            .take(SHOWN_CHARS)
            .map(plain)
            .collect();
        let indent = " ".repeat(self.column - 1 - skipped);
        let most = SHOWN_CHARS - indent.len().min(SHOWN_CHARS - 1);
        let carets = "^".repeat(self.marked.clamp(1, most));
        format!("{gutter} |\n{number} | {shown}\n{gutter} | {indent}{carets}")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head())
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, span: Range<usize>) -> String {
        let place = Place::of(Path::new("f"), text, span);
        format!("{place}\n{}", place.picture())
    }

    #[test]
    fn the_caret_stands_under_what_is_meant() {
        assert_eq!(
            shown("a = 1\nbc = 22\n", 11..13),
            "f:2:6\n  |\n2 | bc = 22\n  |      ^^"
        );
        assert_eq!(shown("ü = é1", 7..8), "f:1:6\n  |\n1 | ü = é1\n  |      ^");
    }

    #[test]
    fn any_span_has_a_picture() {
        assert_eq!(shown("", 0..0), "f:1:1\n  |\n1 | \n  | ^");
        assert_eq!(shown("a\n", 2..9), "f:2:1\n  |\n2 | \n  | ^");
        assert_eq!(shown("a = [\n1]", 4..8), "f:1:5\n  |\n1 | a = [\n  |     ^");
        let long = format!("a = '{}'", "x".repeat(5000));
        assert!(shown(&long, 4900..5000).len() < 400);
    }
}

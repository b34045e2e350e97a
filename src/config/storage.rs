//! `[storage]`: where the book is.

use super::checked;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::path::Path;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    pub url: StorageUrl,
    /// Connections that only read.
    #[serde(deserialize_with = "readers")]
    pub readers: u32,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            url: StorageUrl("sqlite://data/daybook.db".into()),
            readers: 4,
        }
    }
}

fn readers<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    checked::number(d, 1..=256)
}

/// The address of the book. Printing it leaves a password out.
#[derive(Clone, PartialEq, Eq)]
pub struct StorageUrl(String);

const SQLITE: &str = "sqlite://";
const SCHEMES: [&str; 3] = [SQLITE, "postgres://", "postgresql://"];

impl StorageUrl {
    pub fn parse(text: impl Into<String>) -> Result<Self, String> {
        let text = text.into();
        let rest = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme));
        let is_file = text.starts_with(SQLITE);
        match rest {
            Some("" | "/") => Err("names no book after its ://".into()),
            Some(_) if text.contains('\0') => Err("holds a NUL character".into()),
            Some(":memory:") if is_file => {
                Err("must name a file: what is kept in memory is no book".into())
            }
            Some(path) if is_file && is_folder(path) => {
                Err("names a folder; name a file in it".into())
            }
            Some(_) => Ok(Self(text)),
            None => Err(
                "must be \"sqlite:///absolute/path.db\" or \"sqlite://relative/path.db\"".into(),
            ),
        }
    }

    pub fn is_postgres(&self) -> bool {
        !self.0.starts_with(SQLITE)
    }

    /// `daybook.db` in the directory that systemd gives a service for its state.
    pub fn in_state_directory(directory: &Path) -> Self {
        Self(format!(
            "sqlite://{}",
            directory.join("daybook.db").display()
        ))
    }

    /// With everything that it says, for the one who connects.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// By its name alone, whatever is there.
fn is_folder(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("" | "." | ".."))
}

impl fmt::Display for StorageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://").filter(|(s, _)| *s != "sqlite") else {
            return f.write_str(&self.0);
        };
        // The last `@` before the path ends the credentials; what follows `?` may hold a password as well.
        let rest = rest.split('?').next().unwrap_or_default();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        write!(f, "{scheme}://{host}")
    }
}

impl fmt::Debug for StorageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorageUrl({self})")
    }
}

impl Serialize for StorageUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for StorageUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_names_no_book_is_refused() {
        for text in [
            "",
            "daybook.db",
            "mysql://x",
            "sqlite://",
            "sqlite:///",
            "sqlite:x",
            "sqlite://:memory:",
            "sqlite://data/",
            "sqlite:///srv/book.db/",
            "sqlite://.",
            "sqlite:///srv/..",
        ] {
            assert!(StorageUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn any_name_of_a_file_is_taken() {
        for text in [
            "sqlite://a",
            "sqlite:///srv/:memory:",
            "sqlite://../a.db",
            "sqlite://.db",
        ] {
            assert!(StorageUrl::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        let url =
            StorageUrl::parse("postgres://daybook:s3cr@t@db.lan/book?password=s3cret").unwrap();
        assert_eq!(url.to_string(), "postgres://db.lan/book");
        assert_eq!(format!("{url:?}"), "StorageUrl(postgres://db.lan/book)");
        let url = StorageUrl::parse("sqlite:///srv/a@b.db").unwrap();
        assert_eq!(url.to_string(), "sqlite:///srv/a@b.db");
    }
}

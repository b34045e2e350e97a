//! `[[captures]]`: the intakes that the daemon runs itself, one table each.

use super::{ByteSize, checked, name};
use crate::domain::draft::workspace_id;
use crate::domain::{Severity, limits};
use crate::ingest::captured::Format;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Captures in one configuration.
const MOST: usize = 256;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    #[serde(deserialize_with = "name::checked")]
    pub name: String,
    pub kind: Kind,
    /// How a line is read; by default as the kind suggests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Of syslog: UDP and TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// The file, the socket, or the directory of a journal that is not the machine's own.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "path"
    )]
    pub path: Option<PathBuf>,
    /// Who may write into the socket, as the mode of its file.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "mode"
    )]
    pub mode: Option<String>,
    #[serde(default = "yes")]
    pub autostart: bool,
    /// Where the first start begins: with what is there already, or behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<From>,
    #[serde(default = "default_workspace", deserialize_with = "workspace")]
    pub workspace: String,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text"
    )]
    pub category: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "action"
    )]
    pub action: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "severity"
    )]
    pub severity: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text"
    )]
    pub actor: Option<String>,
    /// Our field, and theirs that goes there.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "map"
    )]
    pub map: BTreeMap<String, String>,
    /// 0: no limit.
    #[serde(default, deserialize_with = "per_second")]
    pub lines_per_second: u32,
    #[serde(default = "line_size", deserialize_with = "line_bytes")]
    pub line_bytes: ByteSize,
    #[serde(default = "some_connections", deserialize_with = "connections")]
    pub connections: usize,
    /// Lines that may wait to be recorded.
    #[serde(default = "some_lines", deserialize_with = "queue")]
    pub queue: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Syslog,
    File,
    Journal,
    Socket,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    Start,
    End,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syslog => "syslog",
            Self::File => "file",
            Self::Journal => "journal",
            Self::Socket => "socket",
        }
    }
}

impl Capture {
    pub fn format(&self) -> Format {
        match (self.format, self.kind) {
            (Some(format), _) => format,
            (None, Kind::Syslog) => Format::Syslog,
            (None, Kind::Journal) => Format::Journal,
            (None, Kind::File | Kind::Socket) => Format::Text,
        }
    }

    /// The permission bits of the socket.
    pub fn mode(&self) -> u32 {
        let mode = self.mode.as_deref().unwrap_or("0600");
        u32::from_str_radix(mode, 8).unwrap_or(0o600)
    }

    /// A file is read from its start and a journal from its end, unless it is said otherwise.
    pub fn from(&self) -> From {
        let usual = match self.kind {
            Kind::Journal => From::End,
            _ => From::Start,
        };
        self.from.unwrap_or(usual)
    }

    /// Not both of them can run.
    pub fn is_in_the_way_of(&self, other: &Self) -> bool {
        let listens = |capture: &Self| capture.listen.filter(|listen| listen.port() != 0);
        self.name == other.name
            || self.path.is_some() && self.path == other.path
            || listens(self).is_some() && listens(self) == listens(other)
    }

    /// What does not go together: the key, and why.
    fn contradiction(&self) -> Option<(&'static str, &'static str)> {
        let (kind, format) = (self.kind, self.format());
        let fits = match kind {
            Kind::Syslog => format == Format::Syslog,
            Kind::Journal => format == Format::Journal,
            Kind::File | Kind::Socket => format != Format::Journal,
        };
        let checks = [
            (
                kind == Kind::Syslog && self.listen.is_none(),
                "listen",
                "is needed by kind = \"syslog\"",
            ),
            (
                kind != Kind::Syslog && self.listen.is_some(),
                "listen",
                "is for kind = \"syslog\" alone",
            ),
            (
                matches!(kind, Kind::File | Kind::Socket) && self.path.is_none(),
                "path",
                "is needed by this kind",
            ),
            (
                kind == Kind::Syslog && self.path.is_some(),
                "path",
                "is not for kind = \"syslog\"",
            ),
            (
                kind != Kind::Socket && self.mode.is_some(),
                "mode",
                "is for kind = \"socket\" alone",
            ),
            (
                matches!(kind, Kind::Syslog | Kind::Socket) && self.from.is_some(),
                "from",
                "is for kind = \"file\" and \"journal\" alone",
            ),
            (!fits, "format", "is not one that this kind has"),
            (
                format == Format::Text && !self.map.is_empty(),
                "map",
                "a line of text has no fields",
            ),
        ];
        let found = checks.into_iter().find(|(wrong, ..)| *wrong)?;
        Some((found.1, found.2))
    }
}

/// One whose keys go together, checked where it is read, so that an error points at its table.
struct Whole(Capture);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let capture = Capture::deserialize(deserializer)?;
        match capture.contradiction() {
            Some((key, why)) => Err(de::Error::custom(format!(
                "{:?}: {key} {why}",
                capture.name
            ))),
            None => Ok(Self(capture)),
        }
    }
}

/// The captures of a configuration: each whole, no two of one name, no two on one path or address.
pub fn several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Capture>, D::Error> {
    let captures = Vec::<Whole>::deserialize(deserializer)?;
    let captures: Vec<Capture> = captures.into_iter().map(|whole| whole.0).collect();
    let (mut names, mut paths, mut listens) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    if captures.len() > MOST {
        return Err(de::Error::custom(format!("there are more than {MOST}")));
    }
    for capture in &captures {
        let name = &capture.name;
        let wrong = |why: String| Err(de::Error::custom(why));
        if !names.insert(name) {
            return wrong(format!("the name {name:?} stands here twice"));
        }
        if capture
            .path
            .as_ref()
            .is_some_and(|path| !paths.insert(path))
        {
            return wrong(format!("{name:?}: path: another capture has it already"));
        }
        let listen = capture.listen.filter(|listen| listen.port() != 0);
        if listen.is_some_and(|listen| !listens.insert(listen)) {
            return wrong(format!("{name:?}: listen: another capture has it already"));
        }
    }
    Ok(captures)
}

/// The first whose category is not among those there are.
pub fn of_an_unknown_category<'a>(
    captures: &'a [Capture],
    extra: &[String],
) -> Option<&'a Capture> {
    let known = |category: &str| {
        crate::domain::rules::CATEGORIES.contains(&category) || extra.iter().any(|c| c == category)
    };
    let unknown = |capture: &&Capture| capture.category.as_deref().is_some_and(|c| !known(c));
    captures.iter().find(unknown)
}

/// What of an entry a source may say, and `occurred_at`, which goes to the metadata.
const MAPPED: [&str; 11] = [
    "action",
    "actor",
    "category",
    "entity_id",
    "entity_name",
    "entity_type",
    "ip_address",
    "message",
    "occurred_at",
    "severity",
    "user_agent",
];
const THEIR_FIELD_CHARS: usize = 256;

fn map<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<String, String>, D::Error> {
    let map = BTreeMap::<String, String>::deserialize(d)?;
    for (ours, theirs) in &map {
        if !MAPPED.contains(&ours.as_str()) {
            let known = MAPPED.join(", ");
            return Err(de::Error::custom(format!("{ours:?} is not one of {known}")));
        }
        if !(1..=THEIR_FIELD_CHARS).contains(&theirs.len()) {
            return Err(de::Error::custom(format!("{ours}: names no field")));
        }
    }
    Ok(map)
}

fn yes() -> bool {
    true
}

fn default_workspace() -> String {
    "default".to_owned()
}

fn line_size() -> ByteSize {
    ByteSize::kib(8)
}

fn some_connections() -> usize {
    100
}

fn some_lines() -> usize {
    4096
}

fn workspace<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let name = String::deserialize(d)?;
    let named = workspace_id(name).map_err(|error| de::Error::custom(error.reason))?;
    Ok(named.into_string())
}

fn text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(d)?;
    let fits = (1..=limits::ACTOR_CHARS).contains(&text.chars().count());
    if !fits || text.chars().any(char::is_control) {
        return Err(de::Error::custom(
            "must be 1 to 256 characters, none of them control",
        ));
    }
    Ok(Some(text))
}

fn action<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let action = String::deserialize(d)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.:/-".contains(&b);
    if !(1..=limits::ACTION_CHARS).contains(&action.len()) || !action.bytes().all(allowed) {
        let reason = "must be 1 to 128 characters of A-Z a-z 0-9 _ . : / -";
        return Err(de::Error::custom(reason));
    }
    Ok(Some(action))
}

fn severity<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let severity = String::deserialize(d)?;
    match Severity::parse(&severity) {
        Some(_) => Ok(Some(severity)),
        None => Err(de::Error::custom("must be info, warning or error")),
    }
}

fn path<'de, D: Deserializer<'de>>(d: D) -> Result<Option<PathBuf>, D::Error> {
    let path = PathBuf::deserialize(d)?;
    match path.is_absolute() {
        true => Ok(Some(path)),
        false => Err(de::Error::custom("must be an absolute path")),
    }
}

fn mode<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let mode = String::deserialize(d)?;
    match u32::from_str_radix(&mode, 8) {
        Ok(bits) if bits <= 0o777 => Ok(Some(mode)),
        _ => Err(de::Error::custom(
            "must be a mode in octal, such as \"0660\"",
        )),
    }
}

fn per_second<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    checked::number_or_zero(d, 1..=1_000_000, "no limit")
}

fn line_bytes<'de, D: Deserializer<'de>>(d: D) -> Result<ByteSize, D::Error> {
    checked::size(d, ByteSize::new(480)..=ByteSize::kib(64))
}

fn connections<'de, D: Deserializer<'de>>(d: D) -> Result<usize, D::Error> {
    checked::number(d, 1..=10_000)
}

fn queue<'de, D: Deserializer<'de>>(d: D) -> Result<usize, D::Error> {
    checked::number(d, 1..=65_536)
}

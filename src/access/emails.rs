//! E-mail addresses within texts: where they stand, and what is stored in their place. In one pass, whatever
//! the text: from each `@` it is looked a bounded way to either side.

use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

/// What stands in the place of an address that is not kept.
pub const DROPPED: &str = "[email]";

/// The longest local part and the longest domain that there are, in bytes; more is no address.
const LOCAL_BYTES: usize = 64;
const DOMAIN_BYTES: usize = 255;
/// Of the hash, as hexadecimal digits: enough that no two of a book are alike.
const HASH_BYTES: usize = 8;

/// How much of e-mail addresses is kept.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Emails {
    #[default]
    Keep,
    /// The same address is the same hash; who lacks the key cannot find out by trying.
    Hash(HashKey),
    Drop,
}

/// Made once for a book, and kept in it. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct HashKey([u8; 32]);

impl HashKey {
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// As the book keeps it.
    pub fn to_text(&self) -> String {
        hex(&self.0)
    }

    pub fn from_text(text: &str) -> Option<Self> {
        let mut secret = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (place, byte) in secret.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).ok()?;
        }
        Some(Self(secret))
    }

    /// `Anna@Example.ORG` and `anna@example.org` are one address.
    fn hashed(&self, address: &str) -> String {
        let digest = |message: &[u8]| {
            Sha256::new()
                .chain_update(self.0)
                .chain_update(message)
                .finalize()
        };
        let inner = digest(address.to_lowercase().as_bytes());
        format!("email:{}", hex(&digest(&inner)[..HASH_BYTES]))
    }
}

impl std::fmt::Debug for Emails {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Keep => "Keep",
            Self::Hash(_) => "Hash",
            Self::Drop => "Drop",
        })
    }
}

impl Emails {
    /// The text as it may be stored.
    pub fn kept<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if *self == Self::Keep {
            return Cow::Borrowed(text);
        }
        let (mut kept, mut done) = (String::new(), 0);
        while let Some(found) = next(text, done) {
            kept.push_str(&text[done..found.start]);
            match self {
                Self::Hash(key) => kept.push_str(&key.hashed(&text[found.clone()])),
                Self::Keep | Self::Drop => kept.push_str(DROPPED),
            }
            done = found.end;
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        kept.push_str(&text[done..]);
        Cow::Owned(kept)
    }
}

/// The first address that begins at or after `from`.
fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut looked = from;
    loop {
        let at = looked + memchr::memchr2(b'@', b'%', &bytes[looked..])?;
        // As it stands in an address line or in a query: `%40`.
        let sign = match bytes[at] {
            b'@' => 1,
            _ if bytes[at..].starts_with(b"%40") => 3,
            _ => {
                looked = at + 1;
                continue;
            }
        };
        looked = at + sign;
        let Some(end) = domain(text, looked) else {
            continue;
        };
        if let Some(start) = local(text, from, at) {
            return Some(start..end);
        }
    }
}

/// Where the local part begins that ends before `at`.
fn local(text: &str, from: usize, at: usize) -> Option<usize> {
    let before = &text[from..at];
    if let Some(quoted) = before.strip_suffix('"') {
        let open = quoted
            .bytes()
            .rev()
            .take(LOCAL_BYTES)
            .position(|byte| byte == b'"')?;
        return Some(from + quoted.len() - 1 - open);
    }
    let mut start = at;
    for (place, c) in before.char_indices().rev() {
        // One that is longer is none; but what is right before the sign goes all the same.
        if at - (from + place) > LOCAL_BYTES || !is_local(c) {
            break;
        }
        start = from + place;
    }
    let local = text[start..at].trim_start_matches(['.', '\'', '/', '=', '?', '&', '|', '{', '*']);
    // In a query it is what comes after the last of these.
    let local = local.rsplit(['=', '&', '?']).next().unwrap_or(local);
    (!local.is_empty()).then(|| at - local.len())
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c)
}

/// Where the domain ends that begins at `from`: names with a dot between them, or an address in brackets.
fn domain(text: &str, from: usize) -> Option<usize> {
    let rest = &text[from..];
    if rest.starts_with('[') {
        let end = rest
            .bytes()
            .take(DOMAIN_BYTES)
            .position(|byte| byte == b']')?;
        let is_literal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':');
        return (end > 1 && rest.as_bytes()[1..end].iter().copied().all(is_literal))
            .then_some(from + end + 1);
    }
    let is_name = |c: &(usize, char)| {
        c.0 < DOMAIN_BYTES && (c.1.is_alphanumeric() || matches!(c.1, '-' | '.' | '_' | '\u{3002}'))
    };
    let last = rest.char_indices().take_while(is_name).last()?;
    let name = rest[..last.0 + last.1.len_utf8()].trim_end_matches(['.', '-', '_']);
    let name = &name[..name.find("..").unwrap_or(name.len())];
    let (host, top) = name.rsplit_once(['.', '\u{3002}'])?;
    let is_whole =
        !host.is_empty() && !host.starts_with('.') && top.chars().any(char::is_alphabetic);
    (is_whole && top.chars().nth(1).is_some()).then_some(from + name.len())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(text: &str) -> String {
        Emails::Drop.kept(text).into_owned()
    }

    #[test]
    fn an_address_is_found_wherever_it_stands() {
        for (text, kept) in [
            ("anna@example.org", "[email]"),
            ("to anna@example.org.", "to [email]."),
            (
                "<Anna.B+x@mail.example.org>, bob@b.de",
                "<[email]>, [email]",
            ),
            (
                "mailto:anna@example.org?subject=x",
                "mailto:[email]?subject=x",
            ),
            ("\"anna b\"@example.org!", "[email]!"),
            ("jörg@bücher.example", "[email]"),
            ("用户@例子.公司 said", "[email] said"),
            ("anna@[192.0.2.1]", "[email]"),
            ("https://anna:pw@host.example/x", "https://anna:[email]/x"),
            ("?to=anna%40example.org&x=1", "?to=[email]&x=1"),
            ("a@b.example@c.example", "[email]@c.example"),
            ("anna@example.org...", "[email]..."),
            ("'anna@example.org'", "'[email]'"),
        ] {
            assert_eq!(dropped(text), kept, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_stays() {
        for text in [
            "",
            "@",
            "a@",
            "@b.example",
            "no at all",
            "root@localhost",
            "1 @ 2.50",
            "x@1.2",
            "100%",
            "@@@@",
            "a@.b",
            "a@b.c",
            "\"@x",
            "a@[]",
            "%40%40",
        ] {
            assert_eq!(dropped(text), text);
        }
    }

    #[test]
    fn a_hash_is_stable_for_a_key_and_another_for_another() {
        let hashed = |secret: u8, text: &str| {
            Emails::Hash(HashKey::new([secret; 32]))
                .kept(text)
                .into_owned()
        };
        let one = hashed(1, "anna@example.org");
        assert_eq!(one.len(), "email:".len() + 2 * HASH_BYTES);
        assert_eq!(hashed(1, "mail Anna@Example.ORG."), format!("mail {one}."));
        assert_ne!(hashed(2, "anna@example.org"), one);
        assert_ne!(hashed(1, "anne@example.org"), one);
        assert_eq!(hashed(1, &one), one, "what is hashed holds no address");
        let key = HashKey::new([0xa7; 32]);
        assert!(HashKey::from_text(&key.to_text()) == Some(key));
        assert!(HashKey::from_text("xyz").is_none());
    }

    #[test]
    fn it_takes_as_long_as_the_text_is_and_not_longer() {
        let time = |n: usize| {
            let hostile = ["a@", "@a.", "a.a@", "\"@", "%40a", "a@a-"]
                .map(|part| part.repeat(n / part.len()));
            let long = [
                format!("{}@{}", "a".repeat(n), "b.".repeat(n / 2)),
                ".".repeat(n) + "@",
            ];
            let began = std::time::Instant::now();
            hostile
                .iter()
                .chain(&long)
                .for_each(|text| drop(dropped(text)));
            began.elapsed()
        };
        time(10_000);
        let (short, long) = (time(20_000), time(160_000));
        assert!(
            long < short * 24,
            "{short:?} and eight times as much {long:?}"
        );
    }
}

//! `Mmm dd hh:mm:ss HOST TAG[PID]: MSG`, behind the priority, and what passes for it: any of the parts may be
//! missing, and the time may be an RFC 3339 one.

use super::Message;
use crate::domain::Timestamp;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const TAG_CHARS: usize = 64;

pub fn read(text: &str) -> Message<'_> {
    let (timestamp, rest) = match timestamp(text) {
        Some((timestamp, rest)) => (Some(timestamp), rest),
        None => (None, text),
    };
    // Without a time there is no host either.
    let (hostname, rest) = match rest.split_once(' ') {
        Some((host, after)) if timestamp.is_some() && is_host(host) => (Some(host), after),
        _ => (None, rest),
    };
    let (app_name, procid, message) = tag(rest).unwrap_or((None, None, rest));
    Message {
        timestamp,
        hostname,
        app_name,
        procid,
        message,
        ..Message::default()
    }
}

/// The time, and what follows its space.
fn timestamp(text: &str) -> Option<(&str, &str)> {
    if let Some((word, rest)) = text.split_once(' ')
        && Timestamp::parse(word).is_ok()
    {
        return Some((word, rest));
    }
    let month = text.get(..3)?;
    if !MONTHS.contains(&month) {
        return None;
    }
    let shape = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text
                .bytes()
                .zip(shape.bytes())
                .all(|(byte, shape)| match shape {
                    b'd' => byte.is_ascii_digit(),
                    b's' => byte.is_ascii_digit() || byte == b' ',
                    other => byte == other,
                })
    };
    // With the year of some devices, or without.
    for (length, expected) in [(15, " sd dd:dd:dd"), (20, " sd dddd dd:dd:dd")] {
        let fits = text
            .get(3..length)
            .is_some_and(|text| shape(text, expected));
        if fits
            && let Some(rest) = text
                .get(length..)
                .and_then(|rest| rest.strip_prefix([' ', ':']))
        {
            return Some((&text[..length], rest.trim_start_matches(' ')));
        }
    }
    None
}

/// A tag may stand where the host should.
fn is_host(word: &str) -> bool {
    !word.is_empty() && !word.ends_with(':') && !word.contains(['[', ']']) && word.len() <= 255
}

/// `TAG:`, `TAG[PID]:`, and what follows.
fn tag(text: &str) -> Option<(Option<&str>, Option<&str>, &str)> {
    let end = text.find([':', '[', ' '])?;
    let name = &text[..end];
    let starts_well = |name: &str| name.starts_with(|c: char| !c.is_ascii_digit() && c != '-');
    if name.is_empty() || name.len() > TAG_CHARS || !starts_well(name) {
        return None;
    }
    let (procid, rest) = match text[end..].strip_prefix('[') {
        Some(rest) => {
            let (procid, rest) = rest.split_once(']')?;
            (Some(procid), rest)
        }
        None => (None, &text[end..]),
    };
    let message = rest.strip_prefix(':')?;
    Some((
        Some(name),
        procid,
        message.strip_prefix(' ').unwrap_or(message),
    ))
}

//! `1 TIMESTAMP HOST APP PROCID MSGID [SD] MSG`, behind the priority.

use super::Message;
use serde_json::{Map, Value};

/// None where it is not of this format.
pub fn read(text: &str) -> Option<Message<'_>> {
    let text = text.strip_prefix("1 ")?;
    let (timestamp, text) = word(text)?;
    let (hostname, text) = word(text)?;
    let (app_name, text) = word(text)?;
    let (procid, text) = word(text)?;
    let (msgid, text) = word(text)?;
    let (structured, text) = structured(text)?;
    let message = match text.strip_prefix(' ') {
        Some(message) => message,
        None if text.is_empty() => text,
        None => return None,
    };
    Some(Message {
        timestamp: given(timestamp),
        hostname: given(hostname),
        app_name: given(app_name),
        procid: given(procid),
        msgid: given(msgid),
        structured,
        message: message.strip_prefix('\u{feff}').unwrap_or(message),
    })
}

fn word(text: &str) -> Option<(&str, &str)> {
    text.split_once(' ').filter(|(word, _)| !word.is_empty())
}

fn given(word: &str) -> Option<&str> {
    (word != "-").then_some(word)
}

/// The elements, and what follows them.
fn structured(text: &str) -> Option<(Map<String, Value>, &str)> {
    let mut elements = Map::new();
    if let Some(rest) = text.strip_prefix('-') {
        return Some((elements, rest));
    }
    let mut text = text;
    while let Some(rest) = text.strip_prefix('[') {
        let (id, parameters, rest) = element(rest)?;
        elements.insert(id.to_owned(), Value::Object(parameters));
        text = rest;
    }
    (!elements.is_empty()).then_some((elements, text))
}

/// `ID NAME="VALUE" …]`
fn element(text: &str) -> Option<(&str, Map<String, Value>, &str)> {
    let end = text.find([' ', ']']).filter(|end| *end > 0)?;
    let (id, mut text) = text.split_at(end);
    let mut parameters = Map::new();
    loop {
        text = text.trim_start_matches(' ');
        if let Some(rest) = text.strip_prefix(']') {
            return Some((id, parameters, rest));
        }
        let (name, rest) = text.split_once("=\"")?;
        if name.is_empty() || name.contains([' ', ']', '"']) {
            return None;
        }
        let (value, rest) = quoted(rest)?;
        add(&mut parameters, name, value);
        text = rest;
    }
}

/// A value up to its closing quote, with what was escaped taken back.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut from = 0;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                value.push_str(&text[from..at]);
                return Some((value, &text[at + 1..]));
            }
            b'\\' if matches!(bytes.get(at + 1), Some(b'"' | b'\\' | b']')) => {
                value.push_str(&text[from..at]);
                from = at + 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    None
}

/// The same name may stand there several times.
fn add(parameters: &mut Map<String, Value>, name: &str, value: String) {
    match parameters.get_mut(name) {
        None => drop(parameters.insert(name.to_owned(), value.into())),
        Some(Value::Array(several)) => several.push(value.into()),
        Some(one) => *one = Value::Array(vec![one.take(), value.into()]),
    }
}

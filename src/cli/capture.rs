//! `daybook capture`: captures of the daemon that runs, listed, started and stopped. Without a daemon there are none.

use super::args::{Capture as Asked, CaptureCommand, CaptureNames};
use super::table::table;
use super::{Exit, output};
use crate::client::control::{self, Answer, ControlError};
use crate::config::Loaded;
use crate::storage::Address;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const ROUTE: &str = "/api/v1/captures";
/// A daemon that takes longer is not well.
const WAIT: Duration = Duration::from_secs(30);

const COLUMNS: [(&str, &str); 8] = [
    ("NAME", "name"),
    ("KIND", "kind"),
    ("STATE", "state"),
    ("SINCE", "since"),
    ("RECORDED", "counters.recorded"),
    ("DROPPED", "counters.dropped"),
    ("AT", "at"),
    ("REASON", "reason"),
];

pub fn run(loaded: &Loaded, asked: &Asked) -> Exit {
    let address = match Address::parse(loaded.settings.storage.url.as_str()) {
        Ok(address) => address,
        Err(error) => {
            output::complain(&error);
            return Exit::from(&error);
        }
    };
    let socket = address.control_socket();
    let answered = match &asked.command {
        CaptureCommand::List(_) => control::get(&socket, ROUTE, WAIT),
        CaptureCommand::Start(names) => told(&socket, "start", names),
        CaptureCommand::Stop(names) => told(&socket, "stop", names),
    };
    match answered {
        Ok(answer) => tell(&asked.command, &answer),
        Err(ControlError::NotRunning) => {
            let file = address.file().display();
            output::complain(format_args!(
                "no daemon keeps {file} now, so nothing is captured"
            ));
            Exit::Temporary
        }
        Err(error) => {
            output::complain(error);
            Exit::Io
        }
    }
}

fn told(socket: &Path, what: &str, asked: &CaptureNames) -> Result<Answer, ControlError> {
    let body = match asked.names.is_empty() {
        true => json!({}),
        false => json!({"names": asked.names}),
    };
    control::post(socket, &format!("{ROUTE}/{what}"), &body, WAIT)
}

fn tell(command: &CaptureCommand, answer: &Answer) -> Exit {
    let mut items = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(mut body) if answer.status == 200 => body["items"].take(),
        _ => {
            output::complain(answer.problem());
            return Exit::Software;
        }
    };
    match command {
        CaptureCommand::List(list) if list.json => output::print(format_args!("{items:#}\n")),
        CaptureCommand::List(_) => {
            items
                .as_array_mut()
                .into_iter()
                .flatten()
                .for_each(say_where);
            output::print(table(&COLUMNS, &items))
        }
        CaptureCommand::Start(_) | CaptureCommand::Stop(_) => each(&items),
    }
}

/// Where it listens, or what it reads, in one column.
fn say_where(item: &mut Value) {
    let listening = item["listening"]
        .as_array()
        .is_some_and(|at| !at.is_empty());
    item["at"] = match listening {
        true => item["listening"].clone(),
        false => item["path"].clone(),
    };
}

/// A line for each; one that is not there, or broken, is something wrong.
fn each(items: &Value) -> Exit {
    let mut exit = Exit::Ok;
    for item in items.as_array().into_iter().flatten() {
        let name = item["name"].as_str().unwrap_or_default();
        let (state, reason) = (item["state"].as_str(), item["reason"].as_str());
        if matches!(state, None | Some("failed")) {
            exit = Exit::Found;
        }
        let said = [state, reason]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(": ");
        output::complain(format_args!("the capture {name}: {said}"));
    }
    exit
}

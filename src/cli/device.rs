//! `daybook device`: devices listed, added, named, removed and checked by who commands this machine, through the
//! daemon that keeps the book: without one nobody watches them.

use super::args::{Device as Asked, DeviceCommand};
use super::asking::{Failed, socket, understood};
use super::table::table;
use super::{Exit, output};
use crate::client::control::{self, escaped};
use crate::config::Loaded;
use crate::domain::device::MOST_DEVICES;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const ROUTE: &str = "/api/v1/devices";
/// Longer than any check may take.
const WAIT: Duration = Duration::from_secs(90);

pub fn run(loaded: &Loaded, asked: &Asked) -> Exit {
    match answered(loaded, &asked.command) {
        Ok(answer) => tell(&asked.command, &answer),
        Err(failed) => failed.told(),
    }
}

fn answered(loaded: &Loaded, command: &DeviceCommand) -> Result<Value, Failed> {
    let socket = socket(loaded)?;
    let of = |id: &str, what: &str| format!("{ROUTE}/{}{what}", escaped(id));
    let answer = match command {
        DeviceCommand::List(_) => return listed(&socket),
        DeviceCommand::Add(add) => {
            let device = json!({
                "address": add.address, "name": add.name, "type": add.kind, "port": add.port
            });
            control::post(&socket, ROUTE, &device, WAIT)
        }
        DeviceCommand::Rename(rename) => {
            let name = Some(rename.name.as_str()).filter(|name| !name.is_empty());
            let change = json!({"given_name": name});
            control::patch(&socket, &of(&rename.id, ""), &change, WAIT)
        }
        DeviceCommand::Remove(one) => control::delete(&socket, &of(&one.id, ""), WAIT),
        DeviceCommand::Check(one) => {
            control::post(&socket, &of(&one.id, "/check"), &json!({}), WAIT)
        }
    };
    understood(&answer?)
}

/// Page after page.
fn listed(socket: &Path) -> Result<Value, Failed> {
    let mut items = Vec::new();
    let mut route = ROUTE.to_owned();
    loop {
        let mut page = understood(&control::get(socket, &route, WAIT)?)?;
        if let Value::Array(more) = page["items"].take() {
            items.extend(more);
        }
        match page["next_after"].as_str() {
            Some(after) if items.len() < MOST_DEVICES => {
                route = format!("{ROUTE}?after={}", escaped(after));
            }
            _ => return Ok(Value::Array(items)),
        }
    }
}

const COLUMNS: [(&str, &str); 7] = [
    ("ID", "id"),
    ("STATE", "state"),
    ("TYPE", "type"),
    ("ADDRESSES", "addresses"),
    ("PORT", "port"),
    ("LAST SEEN", "last_seen"),
    ("NAME", "called"),
];

/// With what people call each.
fn called(mut items: Value) -> Value {
    for item in items.as_array_mut().into_iter().flatten() {
        let name = match &item["given_name"] {
            Value::Null => item["name"].clone(),
            given => given.clone(),
        };
        item["called"] = name;
    }
    items
}

fn tell(command: &DeviceCommand, answer: &Value) -> Exit {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match command {
        DeviceCommand::List(list) if list.json => output::print(format_args!("{answer:#}\n")),
        DeviceCommand::List(_) => output::print(table(&COLUMNS, &called(answer.clone()))),
        // Alone on standard output, for whoever goes on with it.
        DeviceCommand::Add(_) => output::print(format_args!("{}\n", text(&answer["id"]))),
        DeviceCommand::Rename(rename) => {
            let device = &called(json!([answer["device"]]))[0];
            let name = text(&device["called"]);
            output::complain(format_args!("the device {} is called “{name}”", rename.id));
            Exit::Ok
        }
        DeviceCommand::Remove(one) => {
            output::complain(format_args!("the device {} is removed", one.id));
            Exit::Ok
        }
        DeviceCommand::Check(one) => {
            let check = &answer["check"];
            let millis = &check["millis"];
            if check["ok"] == true {
                output::complain(format_args!(
                    "the device {} answers, in {millis} ms",
                    one.id
                ));
                return Exit::Ok;
            }
            let why = text(&check["error"]);
            output::complain(format_args!("the device {} does not answer: {why}", one.id));
            Exit::Found
        }
    }
}

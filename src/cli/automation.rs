//! `daybook automation`: automations listed, tried, switched and removed by who commands this machine. Only a
//! daemon has any in force, so that it is always asked.

use super::args::{Automation as Asked, AutomationCommand};
use super::asking::{Failed, socket, understood};
use super::table::table;
use super::{Exit, output};
use crate::client::control::{self, escaped};
use crate::config::Loaded;
use serde_json::{Value, json};
use std::time::Duration;

const ROUTE: &str = "/api/v1/automations";
/// Longer than a receiver may take to answer a test.
const WAIT: Duration = Duration::from_secs(90);

pub fn run(loaded: &Loaded, asked: &Asked) -> Exit {
    match answered(loaded, &asked.command) {
        Ok(answer) => tell(&asked.command, &answer),
        Err(failed) => failed.told(),
    }
}

fn answered(loaded: &Loaded, command: &AutomationCommand) -> Result<Value, Failed> {
    use AutomationCommand as C;
    let socket = socket(loaded)?;
    let of = |name: &str, what: &str| format!("{ROUTE}/{}{what}", escaped(name));
    let nothing = json!({});
    let answer = match command {
        C::List(_) => control::get(&socket, ROUTE, WAIT),
        C::Test(one) => control::post(&socket, &of(&one.name, "/test"), &nothing, WAIT),
        C::Enable(one) => control::post(&socket, &of(&one.name, "/enable"), &nothing, WAIT),
        C::Disable(one) => control::post(&socket, &of(&one.name, "/disable"), &nothing, WAIT),
        C::Remove(one) => control::delete(&socket, &of(&one.name, ""), WAIT),
    };
    understood(&answer?)
}

const COLUMNS: [(&str, &str); 9] = [
    ("NAME", "name"),
    ("STATE", "state"),
    ("LAST", "status.last_activation"),
    ("ACTIVATED", "status.activated"),
    ("PENDING", "status.pending"),
    ("DELIVERED", "status.delivered"),
    ("FAILED", "status.failed"),
    ("KIND", "kind"),
    ("SOURCE", "source"),
];

fn tell(command: &AutomationCommand, answer: &Value) -> Exit {
    use AutomationCommand as C;
    let (name, done) = match command {
        C::List(list) if list.json => {
            return output::print(format_args!("{:#}\n", answer["items"]));
        }
        C::List(_) => return output::print(table(&COLUMNS, &rows(answer))),
        C::Test(one) => return tell_test(&one.name, answer),
        C::Enable(one) => (&one.name, "is on"),
        C::Disable(one) => (&one.name, "is off"),
        C::Remove(one) => (&one.name, "is removed"),
    };
    output::complain(format_args!("the automation {name} {done}"));
    Exit::Ok
}

fn rows(answer: &Value) -> Value {
    let items = answer["items"].as_array().into_iter().flatten();
    let row = |item: &Value| {
        let mut row = item.clone();
        let is_on = item["enabled"] == true;
        row["state"] = if is_on { "on" } else { "off" }.into();
        let is_ntfy = item.get("ntfy").is_some();
        row["kind"] = if is_ntfy { "ntfy" } else { "webhook" }.into();
        row
    };
    items.map(row).collect()
}

/// It did its work also when the receiver did not.
fn tell_test(name: &str, answer: &Value) -> Exit {
    let status = answer["status"].as_u64();
    let said = match (status, answer["error"].as_str()) {
        (Some(status), _) => format!("answered {status}"),
        (None, error) => error.unwrap_or("did not answer").to_owned(),
    };
    let took = answer["took_ms"].as_u64().unwrap_or(0);
    output::complain(format_args!(
        "the receiver of {name}: {said}, after {took} ms"
    ));
    if let Some(text) = answer["answer"].as_str().filter(|text| !text.is_empty()) {
        let told = output::print(format_args!("{text}\n"));
        if told != Exit::Ok {
            return told;
        }
    }
    if answer["delivered"] == true {
        Exit::Ok
    } else {
        Exit::Found
    }
}

//! `daybook status`: asks the daemon that keeps this book how it is, over the control socket.

use super::{Exit, output};
use crate::client::control::{self, ControlError};
use crate::config::Loaded;
use crate::storage::Address;
use std::time::Duration;

/// A daemon that does not answer in this time is not well.
const WAIT: Duration = Duration::from_secs(5);

pub fn run(loaded: &Loaded) -> Exit {
    let address = match Address::parse(loaded.settings.storage.url.as_str()) {
        Ok(address) => address,
        Err(error) => {
            output::complain(&error);
            return Exit::from(&error);
        }
    };
    match control::get(&address.control_socket(), "/api/v1/system/info", WAIT) {
        Ok(answer) => match serde_json::from_slice::<serde_json::Value>(&answer.body) {
            Ok(info) if answer.status == 200 => output::print(format_args!("{info:#}\n")),
            _ => {
                output::complain(format_args!(
                    "the daemon answered with status {}",
                    answer.status
                ));
                Exit::Software
            }
        },
        Err(ControlError::NotRunning) => {
            output::complain(format_args!(
                "no daemon keeps {} now",
                address.file().display()
            ));
            Exit::Temporary
        }
        Err(error) => {
            output::complain(error);
            Exit::Io
        }
    }
}

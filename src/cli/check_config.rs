//! `daybook check-config`: says whether the daemon would start with this configuration.

use super::{Exit, output};
use crate::config::{self, Inputs};
use std::fmt::Write;

pub fn run(inputs: &Inputs) -> Exit {
    match config::load(inputs) {
        Ok(loaded) => output::print(report(&loaded)),
        Err(error) => {
            output::complain(error);
            Exit::Config
        }
    }
}

fn report(loaded: &config::Loaded) -> String {
    let mut text = match &loaded.file {
        Some(file) => format!("{}: ok\n", file.display()),
        None => "no configuration file; the defaults: ok\n".to_owned(),
    };
    for warning in &loaded.warnings {
        writeln!(text, "warning: {warning}").expect("a String takes all that is written");
    }
    text
}

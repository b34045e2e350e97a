//! The command line: one file a command. Here is only which one runs, and what all of them need first.

pub mod args;
mod asking;
mod automation;
mod backup;
mod capture;
mod check;
mod check_config;
mod default_config;
mod demo;
mod device;
mod erase;
pub mod exit;
mod export;
mod import;
mod key;
pub mod output;
mod own;
mod progress;
mod prune;
mod restore;
mod serve;
mod service;
mod status;
mod table;
mod tail;
mod workspace;

pub use args::{Args, Command};
pub use exit::Exit;

use crate::config::{self, Again, Inputs, Loaded};
use crate::telemetry::{self, Shape};
use clap::Parser;
use std::process::ExitCode;

pub fn main() -> ExitCode {
    let environment = environment();
    match Args::try_parse() {
        Ok(args) => run(&args, environment).into(),
        Err(error) => wrong_usage(&error).into(),
    }
}

/// Help and the version come as errors too, and are none.
fn wrong_usage(error: &clap::Error) -> Exit {
    let written = output::exit_of(error.print());
    if error.use_stderr() {
        Exit::Usage
    } else {
        written
    }
}

/// A name or a value that is not UTF-8 is no setting of ours; what it holds is then refused as a value.
fn environment() -> Vec<(String, String)> {
    let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
    std::env::vars_os()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

fn run(args: &Args, environment: Vec<(String, String)>) -> Exit {
    if let Command::MdnsHelper(helper) = &args.command {
        // Without telemetry: what its libraries have to say is said by strangers.
        return match crate::mdns::helper::run(helper.memory, helper.confined) {
            Ok(()) => Exit::Ok,
            Err(_) => Exit::Io,
        };
    }
    let shape = Shape::of_stderr(args::variable(&environment, "JOURNAL_STREAM"));
    telemetry::log::init(args.log_filter(&environment), shape);
    telemetry::log::tell_panics();
    let inputs = args.inputs(environment);
    match &args.command {
        Command::MdnsHelper(_) => Exit::Software,
        Command::CheckConfig => check_config::run(&inputs),
        Command::DefaultConfig => default_config::run(),
        Command::Serve(_) => with(&inputs, |loaded| {
            loaded.warnings.iter().for_each(|text| log::warn!("{text}"));
            let mut again = Again::after(&inputs, loaded);
            serve::run(loaded, &mut || again.load())
        }),
        Command::Demo(_) => with(&inputs, demo::run),
        Command::Export(export) => with(&inputs, |loaded| export::run(loaded, export)),
        Command::Prune(prune) => with(&inputs, |loaded| prune::run(loaded, prune)),
        Command::Erase(erase) => with(&inputs, |loaded| erase::run(loaded, erase)),
        Command::Key(key) => with(&inputs, |loaded| key::run(loaded, key)),
        Command::Device(asked) => with(&inputs, |loaded| device::run(loaded, asked)),
        Command::Automation(asked) => with(&inputs, |loaded| automation::run(loaded, asked)),
        Command::Workspace(asked) => with(&inputs, |loaded| workspace::run(loaded, asked)),
        Command::Capture(asked) => with(&inputs, |loaded| capture::run(loaded, asked)),
        Command::Backup(backup) => with(&inputs, |loaded| backup::run(loaded, backup)),
        Command::Restore(restore) => with(&inputs, |loaded| restore::run(loaded, restore)),
        Command::Import(import) => with(&inputs, |loaded| import::run(loaded, import)),
        Command::Check => with(&inputs, check::run),
        Command::Status => with(&inputs, status::run),
        Command::Tail(tail) => with(&inputs, |loaded| tail::run(loaded, tail)),
    }
}

/// Runs a command with the configuration, or says what is wrong with that.
fn with(inputs: &Inputs, command: impl FnOnce(&Loaded) -> Exit) -> Exit {
    match config::load(inputs) {
        Ok(loaded) => command(&loaded),
        Err(error) => {
            output::complain(error);
            Exit::Config
        }
    }
}

//! The command line: what may be said, and the help that explains it.

mod automation;
mod capture;
mod device;
mod filters;
mod key;
mod workspace;

pub use automation::{Automation, AutomationCommand};
pub use capture::{Capture, CaptureCommand, CaptureNames};
pub use device::{Device, DeviceCommand};
pub use filters::Filters;
pub use key::{Key, KeyAdd, KeyCommand, KeyRotate};
pub use workspace::{Workspace, WorkspaceCommand};

use crate::config::{Inputs, Override, SEARCH_PATH};
use crate::telemetry::{self, log_filter};
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const TOP_HELP: &str = "\
Examples:
  daybook serve                        start on 127.0.0.1:7480, the book in ./data
  daybook default-config > daybook.toml
  daybook check-config --config /etc/daybook/daybook.toml
  daybook export --format csv --since 7d --output week.csv

Files:
  ./daybook.toml, then /etc/daybook/daybook.toml, unless --config names one.
  Without a file the defaults hold.

Environment:
  DAYBOOK_SECTION__KEY  sets a key of the configuration and wins over the file:
                        DAYBOOK_RETENTION__MAX_DAYS=30; [[tables]] stand in the file alone
  RUST_LOG              as --log
  STATE_DIRECTORY       where systemd wants the book, unless the configuration says otherwise

Exit codes:
  0 done           1 found something wrong   64 wrong command line   65 damaged book
  70 a bug         73 would overwrite        74 cannot read or write 75 try again later
  78 wrong configuration";

/// Keeps the book of what happened: who did what, to which thing, when.
#[derive(Debug, Parser)]
#[command(name = "daybook", version, max_term_width = 100, after_help = TOP_HELP)]
#[command(arg_required_else_help = true)]
pub struct Args {
    /// The configuration file, instead of ./daybook.toml or /etc/daybook/daybook.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Telemetry to standard error: off, error, warn, info, debug or trace, or MODULE=LEVEL with commas
    #[arg(long, global = true, value_name = "LEVEL", value_parser = log_filter)]
    pub log: Option<String>,
    /// The book, instead of storage.url: sqlite://PATH; postgres://… (later)
    #[arg(long, global = true, value_name = "URL")]
    pub storage_url: Option<String>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon
    #[command(after_help = "\
SIGTERM and SIGINT stop it; everything acknowledged is on disk at any time.

Examples:
  daybook serve
  daybook serve --listen 127.0.0.1:8080 --storage-url sqlite:///srv/daybook.db")]
    Serve(Serve),
    /// Serve a scratch book with a believable week in it, to look around
    #[command(after_help = "\
Your own book is not touched; the scratch one goes when the daemon stops.\n\nExample:\n  daybook demo --listen 127.0.0.1:7481")]
    Demo(Serve),
    /// Say whether the configuration is right, and where it is not
    #[command(after_help = "\
Reads the file, the environment and the flags as `serve` would, and starts nothing.
Exits with 0, or with 78 and the file, line and column of what is wrong.")]
    CheckConfig,
    /// Print the configuration that is shipped: every key, its default and what it does
    #[command(after_help = "Example:\n  daybook default-config > daybook.toml")]
    DefaultConfig,
    /// Write entries, the oldest first
    #[command(after_help = "\
The filters are those of the HTTP interface. It works while the daemon runs.

Examples:
  daybook export --format csv --output all.csv
  daybook export --since 24h --severity warning,error
  daybook export --action 'auth.*' --until 2026-02-01T00:00:00Z | jq .message")]
    Export(Box<Export>),
    /// Copy the whole book, while the daemon goes on recording
    #[command(after_help = "\
The copy is one moment of the book, checked and on disk. It opens by itself, and `restore` takes it.

Examples:
  daybook backup /mnt/backup/daybook.db
  daybook backup --force latest.db")]
    Backup(Backup),
    /// Put a backup in the place of the book
    #[command(after_help = "\
The backup is checked as a whole first. The former book stays beside the new one, as
BOOK.before-restore-TIME. A daemon that runs is not replaced under: stop it, or restore through it.")]
    Restore(Restore),
    /// Read a former export into a book that has no entries yet
    #[command(after_help = "\
One JSON object a line, as `export --format ndjson` writes them; each keeps its id and ts. One
wrong line refuses all of it, and the book is as it was. Stop the daemon first.

Examples:
  daybook import all.ndjson
  zcat all.ndjson.gz | daybook import -")]
    Import(Import),
    /// Check the whole book: its file, the order of its entries, its counts
    #[command(
        after_help = "Exits with 0, with 1 when something is wrong, with 65 when it cannot be read."
    )]
    Check,
    /// Remove what the retention rules do not keep
    #[command(after_help = "\
Asks the daemon that keeps the book, or opens the book itself when none does. A run that is held back, because
the clock jumped or because more than half of the book would go by its age, says so and exits with 1;
--confirm runs it all the same.

Examples:
  daybook prune --dry-run
  daybook prune --confirm")]
    Prune(Prune),
    /// Forget somebody: the entries stay, and do not name them any more
    #[command(after_help = "\
The name is taken as a whole where it is the actor, and where it stands by itself in other texts. Nobody sees it
any more at once; the files follow. Backups hold it still: they are named, for you to delete them.

Examples:
  daybook erase anna@example.org --dry-run
  daybook erase anna@example.org --workspace '*' --confirm")]
    Erase(Erase),
    /// Make, list, rotate and revoke keys
    #[command(after_help = "\
Works while the daemon runs, and acts on it at once. A key is shown once, alone on standard output. Scopes are
write, read and admin; a key with admin in all workspaces (*) is an operator's. With the first key nobody is
anonymous any more. Keys that [[auth.keys]] declares are listed, and changed in the file.

Examples:
  daybook key add --label admin --scope write,read,admin --workspace '*'
  daybook key add --label ci --scope write --workspace builds --expires 90d > ci.key
  daybook key rotate ci --overlap 1h > ci.key
  daybook key revoke ci")]
    Key(Key),
    /// List, try, switch and remove automations
    #[command(after_help = "\
The daemon that keeps the book is asked. Rules are made over HTTP or in the configuration file; those of the file are
switched and removed there. `test` exits with 1 when the receiver did not take it.

Examples:
  daybook automation list
  daybook automation test phone")]
    Automation(Automation),
    /// List, create, rename and archive workspaces
    #[command(after_help = "\
A workspace comes into being by itself with its first key or entry. Its name stands in its entries, which never
change; renaming gives it another title. An archived one takes no new entries, its keys only read, and its
retention goes on; default cannot be archived. Works while the daemon runs, and on a book that none keeps.

Examples:
  daybook workspace create acme --title 'Acme Inc.'
  daybook workspace list
  daybook workspace archive acme")]
    Workspace(Workspace),
    /// List, add, name, remove and check devices
    #[command(after_help = "\
Asks the daemon that keeps the book. What announces itself is found by `[discovery]`; adding is for the rest.

Examples:
  daybook device list
  daybook device add 192.168.1.30 --name Printer --type _ipp._tcp --port 631
  daybook device check dev_5f0c1a9be2d34477")]
    Device(Device),
    /// List, start and stop captures: the intakes that the daemon runs itself
    #[command(after_help = "\
The configuration says which there are. What stopped by hand starts again with the daemon, unless autostart is off.

Examples:
  daybook capture list
  daybook capture stop network
  daybook capture start")]
    Capture(Capture),
    /// Say what the book holds and whether a daemon keeps it
    Status,
    /// Speak mDNS for the daemon, which starts it
    #[command(hide = true)]
    MdnsHelper(MdnsHelper),
    /// Follow what is recorded, as it is
    #[command(after_help = "\
Asks the daemon that keeps the book, and goes on by itself when that was restarted. The filters are those
of the HTTP interface.

Examples:
  daybook tail
  daybook tail --severity warning,error --lines 100
  daybook tail --json | jq -r .entry.message")]
    Tail(Box<Tail>),
}

#[derive(Debug, Default, clap::Args)]
pub struct Serve {
    /// Where to listen, instead of server.listen; may be given several times
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub listen: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub struct MdnsHelper {
    /// Bytes that it may take
    #[arg(long)]
    pub memory: u64,
    /// It has limited itself already
    #[arg(long)]
    pub confined: bool,
}

#[derive(Debug, Default, clap::Args)]
pub struct Erase {
    /// The actor's whole name
    pub actor: String,
    /// In this workspace alone, or in all with '*'; else in the workspace `default`
    #[arg(long, value_name = "NAME")]
    pub workspace: Option<String>,
    /// Say how many entries would be blanked, and change nothing
    #[arg(long, conflicts_with = "confirm")]
    pub dry_run: bool,
    /// Do it; it cannot be taken back
    #[arg(long)]
    pub confirm: bool,
}

#[derive(Debug, Default, clap::Args)]
pub struct Prune {
    /// Say what would go, and remove nothing
    #[arg(long, conflicts_with = "confirm")]
    pub dry_run: bool,
    /// Run although it is held back
    #[arg(long)]
    pub confirm: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A header of the entry's keys, then one line an entry
    Csv,
    /// One array
    Json,
    /// One JSON object a line
    Ndjson,
}

#[derive(Debug, clap::Args)]
pub struct Export {
    /// How entries are written
    #[arg(long, value_enum, default_value = "ndjson")]
    pub format: Format,
    /// Where to, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The workspace; * for all
    #[arg(
        long,
        alias = "workspace_id",
        alias = "workspace-id",
        value_name = "NAME"
    )]
    pub workspace: Option<String>,
    #[command(flatten)]
    pub filters: Filters,
}

#[derive(Debug, clap::Args)]
pub struct Tail {
    /// How many of the newest to begin with
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 10,
          value_parser = clap::value_parser!(u16).range(0..=500))]
    pub lines: u16,
    /// Each as one line of JSON: {"seq":…,"entry":{…}}
    #[arg(long)]
    pub json: bool,
    /// The workspace; * for all
    #[arg(
        long,
        alias = "workspace_id",
        alias = "workspace-id",
        value_name = "NAME"
    )]
    pub workspace: Option<String>,
    #[command(flatten)]
    pub filters: Filters,
}

#[derive(Debug, clap::Args)]
pub struct Backup {
    /// Where the copy goes
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Overwrite it when it is there
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, clap::Args)]
pub struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace a book that is newer, or that cannot be read
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, clap::Args)]
pub struct Import {
    /// The lines; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Set right a ts that runs backwards or lies ahead, and keep it in metadata.occurred_at
    #[arg(long)]
    pub restamp: bool,
}

impl Args {
    /// What the configuration is loaded from: these flags and the environment of the process.
    pub fn inputs(&self, environment: Vec<(String, String)>) -> Inputs {
        Inputs {
            file: self.config.clone(),
            search: SEARCH_PATH.map(PathBuf::from).to_vec(),
            environment,
            flags: self.overrides(),
        }
    }

    fn overrides(&self) -> Vec<Override> {
        let url = self.storage_url.as_ref();
        let url = url.map(|url| Override::flag("--storage-url", "storage.url", url));
        let listen = match &self.command {
            Command::Serve(serve) | Command::Demo(serve) if !serve.listen.is_empty() => Some(
                Override::flag("--listen", "server.listen", serve.listen.join(",")),
            ),
            _ => None,
        };
        url.into_iter().chain(listen).collect()
    }

    /// What telemetry is written: the flag, else `RUST_LOG`, else the usual.
    pub fn log_filter<'a>(&'a self, environment: &'a [(String, String)]) -> &'a str {
        let usual = match self.command {
            Command::Serve(_) | Command::Demo(_) => telemetry::log::DEFAULT_FILTER,
            _ => "warn",
        };
        let said = self.log.as_deref();
        said.or_else(|| variable(environment, "RUST_LOG"))
            .unwrap_or(usual)
    }
}

/// A variable's value in `environment`.
pub fn variable<'a>(environment: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let (_, value) = environment.iter().find(|(key, _)| key == name)?;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn args(line: &str) -> Args {
        Args::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Args::command().debug_assert();
    }

    #[test]
    fn global_flags_may_stand_before_and_after_the_command() {
        for line in [
            "daybook --config x.toml --log debug serve",
            "daybook serve --config x.toml --log debug",
        ] {
            let args = args(line);
            assert_eq!(args.config, Some("x.toml".into()));
            assert_eq!(args.log_filter(&[]), "debug");
        }
    }

    #[test]
    fn flags_set_their_keys() {
        let args =
            args("daybook serve --listen 127.0.0.1:1 --listen [::1]:1 --storage-url sqlite://b.db");
        let loaded = crate::config::load(&Inputs {
            search: Vec::new(),
            ..args.inputs(Vec::new())
        });
        let settings = loaded.unwrap().settings;
        assert_eq!(settings.server.listen.addresses().len(), 2);
        assert_eq!(settings.storage.url.as_str(), "sqlite://b.db");
    }

    #[test]
    fn telemetry_goes_by_the_flag_then_the_environment_then_the_command() {
        let environment = [("RUST_LOG".to_owned(), "trace".to_owned())];
        assert_eq!(
            args("daybook --log off check").log_filter(&environment),
            "off"
        );
        assert_eq!(args("daybook check").log_filter(&environment), "trace");
        assert_eq!(args("daybook check").log_filter(&[]), "warn");
    }
}

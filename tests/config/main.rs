//! What the owner can rely on when setting things: the shipped file, the order of what wins, and that an error
//! points at its place.

mod an_error;
mod automations;
mod the_shipped_file;
mod what_wins;

use daybook::config::{self, Again, ConfigError, Inputs, Loaded, Override, Settings, Source};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Inputs whose file holds `text`; the directory lives as long as the test.
struct World {
    directory: tempfile::TempDir,
    inputs: Inputs,
}

impl World {
    fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("daybook.toml");
        std::fs::write(&path, text).unwrap();
        let inputs = Inputs {
            file: Some(path),
            ..Inputs::default()
        };
        Self { directory, inputs }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.inputs.environment.push((name.into(), value.into()));
        self
    }

    fn flag(mut self, flag: &str, key: &str, value: &str) -> Self {
        self.inputs.flags.push(Override::flag(flag, key, value));
        self
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        config::load(&self.inputs)
    }

    fn loaded(&self) -> Loaded {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The message, without the directory that differs from run to run.
    fn error(&self) -> String {
        let directory = format!("{}/", self.directory.path().display());
        self.load().unwrap_err().to_string().replace(&directory, "")
    }
}

/// The shipped file with every key switched on.
fn switched_on() -> String {
    let is_key = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase());
    config::SHIPPED
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if is_key(rest) => rest,
            _ => line,
        })
        .fold(String::new(), |text, line| text + line + "\n")
}

fn keys_of(table: &toml::Table) -> BTreeSet<String> {
    table
        .iter()
        .filter_map(|(section, value)| Some((section, value.as_table()?)))
        .flat_map(|(section, inner)| inner.keys().map(move |key| format!("{section}.{key}")))
        .collect()
}

mod the_queue {
    use super::*;

    #[test]
    fn holds_the_largest_bulk_that_may_come_and_need_not_hold_one_that_cannot() {
        let passes = |limits: &str| World::new(&format!("[limits]\n{limits}")).load().is_ok();
        let body = "body = '1 MiB'\nbulk_body = '1 MiB'\n";
        assert!(!passes(&format!(
            "{body}bulk_entries = 1000\nqueue_bytes = '1 MiB'"
        )));
        assert!(passes(&format!(
            "{body}bulk_entries = 1000\nqueue_bytes = '2 MiB'"
        )));
        // No more entries stand in a body than have room in it.
        let many = "bulk_entries = 1000000\nqueue_entries = 1000000\n";
        assert!(passes(&format!("{body}{many}queue_bytes = '24 MiB'")));
        assert!(!passes("bulk_body = '100 MiB'"));
    }
}

mod a_warning {
    use super::*;

    #[test]
    fn comes_of_listening_in_the_open_without_tls() {
        let loaded = World::new("[server]\nlisten = '0.0.0.0:7480'\n").loaded();
        assert_eq!(loaded.warnings.len(), 1);
        assert!(loaded.warnings[0].starts_with("server.listen: 0.0.0.0:7480 "));
    }

    #[test]
    fn comes_of_what_has_no_effect_yet() {
        let loaded = World::new("[[ingest.github]]\nname = 'a'\nworkspace = 'w'\n").loaded();
        assert_eq!(loaded.settings.ingest.github[0].name(), "a");
        assert_eq!(
            loaded.settings.ingest.github[0].rest["workspace"].as_str(),
            Some("w")
        );
        assert_eq!(
            loaded.warnings,
            ["ingest.github: this version cannot do that yet; it has no effect"]
        );
    }
}

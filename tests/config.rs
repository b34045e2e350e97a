//! What the owner can rely on when setting things: the shipped file, the order of what wins, and that an error
//! points at its place.

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

mod the_shipped_file {
    use super::*;

    #[test]
    fn sets_nothing_as_it_is() {
        let loaded = World::new(config::SHIPPED).loaded();
        assert_eq!(loaded.settings, Settings::default());
        assert_eq!(*loaded.origins.source_of("server.listen"), Source::Default);
        assert_eq!(loaded.warnings, Vec::<String>::new());
    }

    #[test]
    fn shows_every_key_with_its_default() {
        let text = switched_on();
        let loaded = World::new(&text).loaded();
        assert_eq!(loaded.settings, Settings::default());
        let shown = keys_of(&text.parse().unwrap());
        let all = keys_of(&toml::Table::try_from(Settings::default()).unwrap());
        assert_eq!(shown, all);
    }

    #[test]
    fn says_something_of_every_section_and_table() {
        let table = toml::Table::try_from(Settings::default()).unwrap();
        for (section, value) in &table {
            let heading = if value.is_table() {
                format!("\n[{section}]")
            } else {
                format!("[[{section}]]")
            };
            assert!(config::SHIPPED.contains(&heading), "{section}");
        }
    }

    #[test]
    fn explains_every_group_of_keys() {
        let lines: Vec<&str> = config::SHIPPED.lines().collect();
        for pair in lines.windows(2) {
            let first_of_group = pair[1].starts_with('#')
                && pair[1][1..].starts_with(|c: char| c.is_ascii_lowercase());
            assert!(!(first_of_group && pair[0].is_empty()), "{}", pair[1]);
        }
    }
}

mod what_wins {
    use super::*;

    #[test]
    fn a_flag_over_the_environment_over_the_file_over_the_default() {
        let file =
            "[retention]\nmax_days = 1\nmax_entries = 200\n[server]\nlisten = '127.0.0.1:1'\n";
        let loaded = World::new(file)
            .variable("DAYBOOK_RETENTION__MAX_DAYS", "2")
            .variable("DAYBOOK_SERVER__LISTEN", "127.0.0.1:2")
            .flag("--listen", "server.listen", "127.0.0.1:3")
            .loaded();
        assert_eq!(loaded.settings.server.listen.to_string(), "127.0.0.1:3");
        assert_eq!(loaded.settings.retention.max_days, 2);
        assert_eq!(loaded.settings.retention.max_entries, 200);
        assert!(loaded.settings.retention.enabled);
        let source = |key: &str| loaded.origins.source_of(key).to_string();
        assert_eq!(source("server.listen"), "flag");
        assert_eq!(source("retention.max_days"), "environment");
        assert_eq!(source("retention.max_entries"), "file");
        assert!(loaded.is_locked("retention.max_days"));
        assert!(!loaded.is_locked("retention.max_entries"));
    }

    #[test]
    fn a_locked_file_locks_what_it_does_not_name_too() {
        let loaded = World::new("[retention]\nlocked = true\n").loaded();
        assert!(loaded.is_locked("retention.max_days"));
    }

    #[test]
    fn the_first_file_of_the_search_path_and_none_is_fine() {
        let world = World::new("[retention]\nmax_days = 7\n");
        let there = world.inputs.file.clone().unwrap();
        let search = vec![PathBuf::from("/nowhere/daybook.toml"), there.clone()];
        let loaded = config::load(&Inputs {
            search,
            ..Inputs::default()
        });
        let loaded = loaded.unwrap();
        assert_eq!(loaded.file, Some(there));
        assert_eq!(loaded.settings.retention.max_days, 7);
        let loaded = config::load(&Inputs::default()).unwrap();
        assert_eq!(loaded.settings, Settings::default());
        assert_eq!(loaded.file, None);
    }

    #[test]
    fn a_named_file_must_be_there() {
        let mut world = World::new("");
        world.inputs.file = Some("/nowhere/daybook.toml".into());
        assert!(world.error().starts_with("/nowhere/daybook.toml: "));
    }

    #[test]
    fn what_is_read_again_is_the_file_that_was_found_and_nothing_in_its_place() {
        let world = World::new("[retention]\nmax_days = 7\n");
        let there = world.inputs.file.clone().unwrap();
        let other = world.directory.path().join("other.toml");
        std::fs::write(&other, "").unwrap();
        let inputs = Inputs {
            search: vec![there.clone(), other],
            ..Inputs::default()
        };
        let loaded = config::load(&inputs).unwrap();
        let mut again = Again::after(&inputs, &loaded);
        std::fs::remove_file(&there).unwrap();
        let error = again.load().unwrap_err().to_string();
        assert!(error.starts_with(&there.display().to_string()), "{error}");
        std::fs::write(&there, "[retention]\nmax_days = 8\n").unwrap();
        assert_eq!(again.load().unwrap().settings.retention.max_days, 8);
    }

    #[test]
    fn a_file_that_comes_later_is_read_again_and_must_stay() {
        let world = World::new("");
        let later = world.directory.path().join("later.toml");
        let inputs = Inputs {
            search: vec![later.clone()],
            ..Inputs::default()
        };
        let mut again = Again::after(&inputs, &config::load(&inputs).unwrap());
        assert_eq!(again.load().unwrap().file, None);
        std::fs::write(&later, "[retention]\nmax_days = 7\n").unwrap();
        assert_eq!(again.load().unwrap().settings.retention.max_days, 7);
        std::fs::remove_file(&later).unwrap();
        assert!(again.load().is_err());
    }

    #[test]
    fn the_book_of_a_service_is_in_its_state_directory() {
        let url = |world: World| world.loaded().settings.storage.url.as_str().to_owned();
        let service =
            || World::new("").variable("STATE_DIRECTORY", "/var/lib/daybook:/var/lib/other");
        assert_eq!(url(service()), "sqlite:///var/lib/daybook/daybook.db");
        let said = service().variable("DAYBOOK_STORAGE__URL", "sqlite:///srv/book.db");
        assert_eq!(url(said), "sqlite:///srv/book.db");
        assert_eq!(url(World::new("")), "sqlite://data/daybook.db");
    }
}

mod an_error {
    use super::*;

    #[test]
    fn in_the_file_shows_line_and_caret() {
        let world =
            World::new("[server]\nworkers = 2\n\n[retention]\n  max_days = 99999 # years\n");
        assert_eq!(
            world.error(),
            "daybook.toml:5:14: retention.max_days: must be 0 (no limit) or 1 to 36500\n  \
             |\n5 |   max_days = 99999 # years\n  |              ^^^^^"
        );
    }

    /// The text, where in it, and what is said.
    const WRONG: [(&str, &str, &str); 38] = [
        ("[server", "1:8", ""),
        ("a = = 1", "1:5", ""),
        ("server = 1", "1:10", "invalid type"),
        (
            "[sever]\nlisten = ''",
            "1:2",
            "unknown section sever; did you mean server?",
        ),
        (
            "[retention]\nmax_day = 1",
            "2:1",
            "did you mean retention.max_days?",
        ),
        ("colour = 'red'", "1:1", "unknown section colour"),
        (
            "[retention]\ninterval = '1s'",
            "2:12",
            "retention.interval: must be 1m to 1d",
        ),
        (
            "[retention]\ninterval = 60",
            "2:12",
            "expected a duration in words",
        ),
        (
            "[retention]\ninterval = 'soon'",
            "2:12",
            "\"soon\" is not a duration",
        ),
        (
            "[retention]\nmax_entries = 99",
            "2:15",
            "must be 0 (no limit) or 100 to 1000000000",
        ),
        ("[retention]\nmax_entries = -1", "2:15", "must be 0"),
        ("[retention]\nenabled = 'yes'", "2:11", "expected a boolean"),
        (
            "[server]\nlisten = 'example.com:80'",
            "2:10",
            "server.listen: \"example.com:80\" is not an address",
        ),
        ("[server]\nlisten = []", "2:10", "at least one address"),
        (
            "[server]\ntrusted_proxies = ['10.0.0.0/8', 'x']",
            "2:19",
            "\"x\" is not a network",
        ),
        (
            "[server]\ntls_cert = 'a.pem'",
            "2:12",
            "needs server.tls_key beside it",
        ),
        (
            "[storage]\nurl = 'daybook.db'",
            "2:7",
            "storage.url: must be",
        ),
        ("[limits]\nbody = '1 banana'", "2:8", "is not a size"),
        (
            "[auth]\ntrusted_header = 'Remote-User'",
            "2:18",
            "needs server.trusted_proxies",
        ),
        (
            "[auth]\ntrusted_header = 'Cookie'",
            "2:18",
            "says something else",
        ),
        (
            "[auth]\ntrusted_header = 'Remote User'",
            "2:18",
            "is not the name of a header",
        ),
        (
            "[auth]\ntrusted_scopes = ['root']",
            "2:18",
            "must be of write, read, admin",
        ),
        ("[auth]\ntrusted_workspace = 'a b'", "2:21", "must be"),
        (
            "[limits]\nbody = '30 MiB'\nbulk_body = '20 MiB'",
            "3:13",
            "must not be smaller than limits.body",
        ),
        (
            "[limits]\nqueue_bytes = '1 MiB'",
            "2:15",
            "limits.queue_bytes: must be at least 29855 KiB: limits.bulk_body, and 960 bytes for each entry",
        ),
        (
            "[limits]\nbulk_entries = 1000\nqueue_entries = 999",
            "3:17",
            "limits.queue_entries: must not be smaller than limits.bulk_entries",
        ),
        (
            "[activity]\nextra_categories = ['auth']",
            "2:20",
            "is a category already",
        ),
        (
            "[activity]\nextra_categories = ['Bad One']",
            "2:20",
            "is not a category",
        ),
        (
            "[activity]\nrecord_requests = 'some'",
            "2:19",
            "unknown variant",
        ),
        (
            "[[captures]]\nkind = 'syslog'",
            "1:1",
            "missing field `name`",
        ),
        (
            "[[captures]]\nname = 'a b'",
            "2:8",
            "captures.name: a name must be",
        ),
        (
            "[[captures]]\nname = 'a'\nkind = 'file'",
            "1:1",
            "\"a\": path is needed by this kind",
        ),
        (
            "[[captures]]\nname = 'a'\nkind = 'file'\npath = 'log'",
            "4:8",
            "captures.path: must be an absolute path",
        ),
        (
            "[[captures]]\nname = 'a'\nkind = 'syslog'\nlisten = '127.0.0.1:5514'\ncolour = 1",
            "5:1",
            "unknown field `colour`",
        ),
        (
            "[[captures]]\nname = 'a'\nkind = 'syslog'\nlisten = 'here'",
            "4:10",
            "captures.listen: ",
        ),
        (
            "[[captures]]\nname = 'a'\nkind = 'file'\npath = '/a'\nformat = 'json'\nmap = { workspace_id = 'x' }",
            "6:7",
            "captures.map: \"workspace_id\" is not one of",
        ),
        (
            "[[captures]]\nname = 'a'\nkind = 'file'\npath = '/a'\ncategory = 'billing'",
            "1:1",
            "captures: one has a category",
        ),
        ("[[automations]]\nkind = 'x'", "1:1", "needs a `name`"),
    ];

    #[test]
    fn points_at_what_is_wrong() {
        for (text, place, reason) in WRONG {
            let error = World::new(text).error();
            assert!(
                error.starts_with(&format!("daybook.toml:{place}: ")),
                "{error}"
            );
            assert!(error.contains(reason), "{error}");
            assert!(error.contains('^'), "{error}");
        }
    }

    #[test]
    fn of_a_name_that_stands_twice_names_it() {
        let error =
            World::new("[[automations]]\nname = 'a'\n[[automations]]\nname = 'a'\n").error();
        assert!(error.contains("\"a\" stands here twice"), "{error}");
    }

    #[test]
    fn in_the_environment_names_the_variable() {
        let error = |name: &str, value: &str| World::new("").variable(name, value).error();
        assert_eq!(
            error("DAYBOOK_RETENTION__MAX_DAYS", "99999"),
            "environment variable DAYBOOK_RETENTION__MAX_DAYS: must be 0 (no limit) or 1 to 36500"
        );
        assert_eq!(
            error("DAYBOOK_RETENTION__MAX_DAY", "1"),
            "environment variable DAYBOOK_RETENTION__MAX_DAY: sets no key; did you mean \
             DAYBOOK_RETENTION__MAX_DAYS?"
        );
        assert!(error("DAYBOOK_retention__max_days", "1").contains("did you mean"));
        // Nobody believes to have set what is not heard.
        for tables in ["captures", "automations"] {
            let name = format!("DAYBOOK_{}", tables.to_ascii_uppercase());
            assert_eq!(
                error(&name, "x"),
                format!(
                    "environment variable {name}: sets no key; tables of [[{tables}]] stand in the file alone"
                )
            );
        }
        assert_eq!(
            error("DAYBOOK_RETENTION", "{max_days = 1}"),
            "environment variable DAYBOOK_RETENTION: sets no key; a key of [retention] is set by \
             DAYBOOK_RETENTION__KEY"
        );
        assert!(
            error("DAYBOOK_SERVER__TLS_KEY", "k.pem").contains("DAYBOOK_SERVER__TLS_KEY: needs")
        );
    }

    #[test]
    fn on_the_command_line_names_the_flag() {
        let error = World::new("")
            .flag("--listen", "server.listen", "nowhere")
            .error();
        assert!(
            error.starts_with("--listen: \"nowhere\" is not an address"),
            "{error}"
        );
    }

    #[test]
    fn is_none_for_a_variable_that_is_not_a_setting() {
        let world = World::new("")
            .variable("DAYBOOK_URL", "http://x")
            .variable("PATH__X", "y");
        assert_eq!(world.loaded().settings, Settings::default());
    }

    #[test]
    fn comes_of_a_promise_that_this_version_cannot_keep() {
        let error = World::new("[limits]\nentries_per_minute = 5\n").error();
        assert!(
            error.contains("2:22: limits.entries_per_minute: this version cannot"),
            "{error}"
        );
    }
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

mod automations {
    use super::*;

    const RULE: &str = "[[automations]]\nname = \"tell\"\n";

    fn error(rest: &str) -> String {
        let told = World::new(&format!("{RULE}{rest}")).error();
        told.lines().next().unwrap().to_owned()
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_named_with_its_line_and_key() {
        let hook = "webhook = { url = \"http://a/\" }\n";
        assert_eq!(
            error("times = 0\nwithin = \"1m\"\nwebhook = { url = \"http://a/\" }"),
            "daybook.toml:3:9: automations.tell.times: must be a whole number from 1 to 1000"
        );
        assert_eq!(
            error("[automations.webhook]\nurl = \"a\""),
            "daybook.toml:4:7: automations.tell.webhook.url: must begin with http:// or https://"
        );
        let told = error(&format!("{hook}filters = {{ category = \"nope\" }}"));
        let begins = "daybook.toml:4:24: automations.tell.filters.category: must be one of auth,";
        assert!(told.starts_with(begins), "{told}");
        let told = error("");
        assert!(told.starts_with("daybook.toml:1:"), "{told}");
        assert!(
            told.contains("automations.tell.webhook: is missing"),
            "{told}"
        );
        let told = error(&format!("{hook}{RULE}{hook}"));
        assert!(told.contains("twice"), "{told}");
    }

    #[test]
    fn a_secret_comes_from_a_file_or_the_environment_and_is_never_printed() {
        let rule = |more: &str| format!("{RULE}webhook = {{ url = \"http://a/\", {more} }}\n");
        let world = World::new(&rule("secret_env = \"HOOK\"")).variable("HOOK", "hush-1");
        let loaded = world.loaded();
        assert!(!format!("{loaded:?}").contains("hush-1"));
        let told = World::new(&rule("secret_env = \"HOOK\"")).error();
        assert!(
            told.contains("automations.tell.webhook.secret_env: the environment has no HOOK"),
            "{told}"
        );
        let told = World::new(&rule("secret_file = \"/no/such\"")).error();
        assert!(
            told.contains("automations.tell.webhook.secret_file: /no/such: "),
            "{told}"
        );
        let told = World::new(&rule("secret_file = 7")).error();
        assert!(
            told.contains("automations.tell.webhook.secret_file: must be"),
            "{told}"
        );
    }

    #[test]
    fn a_category_of_the_owners_is_known_to_rules() {
        let text = format!(
            "{RULE}filters = {{ category = \"billing\" }}\nwebhook = {{ url = \"http://a/\" }}\n\
             [activity]\nextra_categories = [\"billing\"]\n"
        );
        assert_eq!(World::new(&text).loaded().settings.automations.len(), 1);
    }
}

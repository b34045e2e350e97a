//! What is refused, and how it is said: with its line, its key and its place.

use super::*;

#[test]
fn in_the_file_shows_line_and_caret() {
    let world = World::new("[server]\nworkers = 2\n\n[retention]\n  max_days = 99999 # years\n");
    assert_eq!(
        world.error(),
        "daybook.toml:5:14: retention.max_days: must be 0 (no limit) or 1 to 36500\n  \
             |\n5 |   max_days = 99999 # years\n  |              ^^^^^"
    );
}

/// The text, where in it, and what is said.
const WRONG: [(&str, &str, &str); 49] = [
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
    (
        "[storage]\nurl = 'sqlite://:memory:'",
        "2:7",
        "storage.url: must name a file",
    ),
    (
        "[storage]\nurl = 'sqlite://data/'",
        "2:7",
        "storage.url: names a folder",
    ),
    (
        "[storage]\nurl = 'postgres://daybook@db/book'",
        "2:7",
        "storage.url: this version cannot keep the book in PostgreSQL yet",
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
        "[limits]\nbody = '30 MiB'",
        "2:8",
        "limits.body: must not be larger than limits.bulk_body, 20 MiB",
    ),
    (
        "[limits]\nbulk_body = '30 MiB'",
        "2:13",
        "limits.bulk_body: must be a third of limits.body_memory, 64 MiB, or less",
    ),
    (
        "[limits]\nbulk_entries = 20001",
        "2:16",
        "limits.bulk_entries: must not be larger than limits.queue_entries, 20000,",
    ),
    (
        "[limits]\nbulk_body = '21 MiB'\nbulk_entries = 20000\nqueue_bytes = '32 MiB'",
        "4:15",
        "limits.queue_bytes: must be at least",
    ),
    (
        "[limits]\nqueue_entries = 100000\nbulk_entries = 60000",
        "3:16",
        "limits.bulk_entries: makes a full bulk weigh up to",
    ),
    (
        "[live]\nping_interval = '2m'",
        "2:17",
        "live.ping_interval: must be shorter than live.idle_timeout, 1m",
    ),
    (
        "[live]\nidle_timeout = '20s'",
        "2:16",
        "live.idle_timeout: must be longer than live.ping_interval, 20s",
    ),
    (
        "[auth]\nsession_idle = '31d'",
        "2:16",
        "auth.session_idle: must not be longer than auth.session_absolute, ",
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

/// A contradiction is pointed at where somebody made it, in the file before anywhere else.
#[test]
fn of_two_keys_points_at_the_one_that_was_set() {
    let variable = |text: &str| World::new(text).variable("DAYBOOK_LIMITS__BODY", "30 MiB");
    assert_eq!(
        variable("").error(),
        "environment variable DAYBOOK_LIMITS__BODY: must not be larger than limits.bulk_body, 20 MiB"
    );
    let error = variable("[limits]\nbulk_body = '10 MiB'").error();
    let told =
        "daybook.toml:2:13: limits.bulk_body: must not be smaller than limits.body, 30 MiB\n";
    assert!(error.starts_with(told), "{error}");
}

#[test]
fn of_a_file_that_is_not_utf8_points_at_the_first_byte_that_is_not() {
    let world = World::new("");
    let file = world.inputs.file.as_ref().unwrap();
    std::fs::write(file, b"[server]\n# caf\xe9\nworkers = 2\n").unwrap();
    let error = world.error();
    assert!(
        error.starts_with("daybook.toml:2:6: is not UTF-8"),
        "{error}"
    );
    assert!(error.ends_with("2 | # caf\u{fffd}\n  |      ^"), "{error}");
}

#[test]
fn of_a_name_that_stands_twice_names_it() {
    let error = World::new("[[automations]]\nname = 'a'\n[[automations]]\nname = 'a'\n").error();
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
    assert!(error("DAYBOOK_SERVER__TLS_KEY", "k.pem").contains("DAYBOOK_SERVER__TLS_KEY: needs"));
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

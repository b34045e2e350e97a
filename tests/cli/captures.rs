//! `daybook capture`, with a daemon and without.

use super::support::daemon::{Daemon, PATIENCE, Place};
use super::support::eventually;
use super::told;
use serde_json::Value;

fn capture(place: &Place, arguments: &[&str]) -> (i32, String, String) {
    let mut command = place.daybook(&["capture"]);
    told(&command.args(arguments).output().unwrap())
}

fn state(place: &Place, name: &str) -> String {
    let (code, out, err) = capture(place, &["list", "--json"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let items: Value = serde_json::from_str(&out).unwrap();
    let item = items
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["name"] == name);
    item.unwrap()["state"].as_str().unwrap().to_owned()
}

#[test]
fn captures_are_listed_stopped_and_started_by_name_or_all() {
    let place = Place::new();
    let listener = |name: &str| {
        format!("[[captures]]\nname = \"{name}\"\nkind = \"syslog\"\nlisten = \"127.0.0.1:0\"\n")
    };
    let file = place.aside().join("daybook.toml");
    std::fs::write(file, [listener("a"), listener("b")].concat()).unwrap();
    let (code, _, err) = capture(&place, &["list"]);
    assert_eq!(code, 75, "{err}");
    assert!(err.contains("no daemon keeps"), "{err}");
    let daemon = Daemon::start(&place);
    eventually("both run", PATIENCE, || {
        (state(&place, "a") == "running" && state(&place, "b") == "running").then_some(())
    });
    let (code, out, _) = capture(&place, &["list"]);
    assert_eq!(code, 0);
    let row = out.lines().find(|line| line.starts_with("a ")).unwrap();
    assert!(
        row.contains("running") && row.contains("udp://127.0.0.1:"),
        "{out}"
    );
    let (code, _, err) = capture(&place, &["stop", "a"]);
    assert_eq!(
        (code, err.as_str()),
        (0, "daybook: the capture a: stopped\n")
    );
    assert_eq!(
        (state(&place, "a"), state(&place, "b")),
        ("stopped".into(), "running".into())
    );
    let (code, _, err) = capture(&place, &["start"]);
    assert_eq!(code, 0);
    assert_eq!(
        err,
        "daybook: the capture a: running\ndaybook: the capture b: running\n"
    );
    let (code, _, err) = capture(&place, &["start", "nope"]);
    assert_eq!(
        (code, err.contains("there is no capture")),
        (1, true),
        "{err}"
    );
    assert!(daemon.stop().success());
}

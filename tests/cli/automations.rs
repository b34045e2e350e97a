//! `daybook automation`: what is said of automations, and what is done with them, by the daemon.

use super::support::daemon::{Daemon, Place};
use super::told;
use crate::receiver::Receiver;
use serde_json::Value;

fn automation(place: &Place, arguments: &[&str]) -> (i32, String, String) {
    let mut command = place.daybook(&["automation"]);
    told(&command.args(arguments).output().unwrap())
}

#[test]
fn automations_are_listed_tried_switched_and_removed() {
    let place = Place::new();
    let (code, _, err) = automation(&place, &["list"]);
    assert_eq!(code, 75, "{err}");
    assert!(err.contains("no daemon serves this book"), "{err}");

    let receiver = Receiver::start();
    let rule = format!(
        "[[automations]]\nname = \"filed\"\nfilters = {{ actor = \"nobody\" }}\nntfy = {{ url = \"{}\" }}\n",
        receiver.url()
    );
    std::fs::write(place.aside().join("daybook.toml"), rule).unwrap();
    let daemon = Daemon::start(&place);
    let mut client = daemon.client();
    let body = format!(
        r#"{{"name":"made","filters":{{"actor":"nobody"}},"webhook":{{"url":"{}"}}}}"#,
        receiver.url()
    );
    let length = body.len();
    let made = format!(
        "POST /api/v1/automations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    client.send(&made).unwrap();
    assert_eq!(client.answer().unwrap().status, 201);

    let (code, out, _) = automation(&place, &["list"]);
    assert_eq!(code, 0);
    let row = |name: &str| out.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(
        row("filed").contains("ntfy") && row("filed").ends_with("file"),
        "{out}"
    );
    assert!(
        row("made").contains("webhook") && row("made").ends_with("http"),
        "{out}"
    );
    let (_, out, _) = automation(&place, &["list", "--json"]);
    let items: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(items.as_array().unwrap().len(), 2);

    let (code, out, err) = automation(&place, &["test", "filed"]);
    assert_eq!((code, out.as_str()), (0, "note\n"), "{err}");
    assert!(err.contains("answered 200"), "{err}");
    receiver.answers(500);
    assert_eq!(automation(&place, &["test", "made"]).0, 1);
    for (arguments, code, said) in [
        (["disable", "made"], 0, "is off"),
        (["enable", "made"], 0, "is on"),
        (["disable", "filed"], 73, "daybook.toml"),
        (["remove", "filed"], 73, "daybook.toml"),
        (["remove", "made"], 0, "is removed"),
        (["remove", "made"], 1, "no automation"),
        (["test", "made"], 1, "no automation"),
    ] {
        let (ended, out, err) = automation(&place, &arguments);
        assert_eq!((ended, out.as_str()), (code, ""), "{arguments:?}: {err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
    assert_eq!(daemon.stop().code(), Some(0));
}

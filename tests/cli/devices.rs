//! `daybook device`, through the daemon that keeps the book.

use super::support::daemon::{Daemon, Place};
use super::told;
use serde_json::Value;
use std::net::TcpListener;

fn device(place: &Place, arguments: &[&str]) -> (i32, String, String) {
    let mut command = place.daybook(&["device"]);
    told(&command.args(arguments).output().unwrap())
}

#[test]
fn devices_are_added_listed_named_checked_and_removed() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let (code, out, err) = device(
        &place,
        &[
            "add",
            "127.0.0.1",
            "--name",
            "Lamp",
            "--type",
            "_ssh._tcp",
            "--port",
            &port,
        ],
    );
    assert_eq!((code, err.as_str()), (0, ""));
    let id = out.trim_end();
    let (code, _, err) = device(&place, &["check", id]);
    assert_eq!((code, err.contains(" answers, in ")), (0, true), "{err}");
    drop(listener);
    for (arguments, code, said) in [
        (
            &["check", id][..],
            1,
            "does not answer: it refused the connection",
        ),
        (&["rename", id, "Desk lamp"], 0, "is called “Desk lamp”"),
        (&["rename", id, "a\u{7}"], 64, "given_name"),
        (
            &["rename", "nowhere", "x"],
            1,
            "there is no device of this id",
        ),
        (&["add", "not an address"], 64, "address"),
        (&["check", "a/b"], 64, "id"),
    ] {
        let (ended, out, err) = device(&place, arguments);
        assert_eq!((ended, out.as_str()), (code, ""), "{arguments:?}: {err}");
        assert!(err.contains(said), "{arguments:?}: {err}");
    }
    let (code, out, _) = device(&place, &["list"]);
    assert_eq!(code, 0);
    let row = out.lines().find(|line| line.starts_with(id)).unwrap();
    assert!(
        row.contains("online") && row.ends_with("Desk lamp"),
        "{out}"
    );
    let (code, out, _) = device(&place, &["list", "--json"]);
    let items: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &items[0]["name"]), (0, &Value::from("Lamp")));
    let (code, _, err) = device(&place, &["remove", id]);
    assert_eq!((code, err.contains("is removed")), (0, true), "{err}");
    assert_eq!(device(&place, &["remove", id]).0, 1);
    assert!(daemon.stop().success());
    let (code, _, err) = device(&place, &["list"]);
    assert_eq!(
        (code, err.as_str()),
        (75, "daybook: no daemon serves this book\n")
    );
}

//! SIGHUP: what can be taken of a changed file is in force, and a broken one changes nothing.

use crate::support::daemon::{Daemon, PATIENCE, Place};
use crate::support::eventually;
use rustix::process::Signal;
use serde_json::{Value, json};

fn write(place: &Place, text: &str) {
    std::fs::write(place.aside().join("daybook.toml"), text).unwrap();
}

fn get(daemon: &Daemon<'_>, path: &str) -> Value {
    daemon.client().get(path).unwrap().json()
}

/// What the newest of so many reloads said of itself.
fn reloaded(daemon: &Daemon<'_>, times: usize) -> Value {
    daemon.signal(Signal::HUP);
    eventually("the entry of the reload", PATIENCE, || {
        let page = get(daemon, "/api/v1/activity?action=server.reloaded");
        let items = page["items"].as_array()?;
        (items.len() == times).then(|| items[0].clone())
    })
}

fn max_days(daemon: &Daemon<'_>) -> Value {
    get(daemon, "/api/v1/activity/settings")["max_days"].clone()
}

#[test]
fn a_reload_takes_what_it_can_and_a_broken_file_leaves_the_old_one_in_force() {
    let place = Place::new();
    write(&place, "[retention]\nmax_days = 60\n");
    let daemon = Daemon::start(&place);
    assert_eq!(max_days(&daemon), 60);

    write(
        &place,
        "[retention]\nmax_days = 30\n\n[server]\nworkers = 3\n",
    );
    let entry = reloaded(&daemon, 1);
    assert_eq!(entry["severity"], "info");
    assert_eq!(entry["metadata"]["changed"], json!(["retention.max_days"]));
    assert_eq!(
        entry["metadata"]["needs_restart"],
        json!(["server.workers"])
    );
    eventually("the new rule", PATIENCE, || {
        (max_days(&daemon) == 30).then_some(())
    });

    write(&place, "[retention]\nmax_days = -3\n");
    let entry = reloaded(&daemon, 2);
    assert_eq!(
        (&entry["severity"], &entry["actor"]),
        (&json!("error"), &json!("system"))
    );
    let refused = entry["metadata"]["refused"].as_str().unwrap();
    assert!(refused.contains(":2:12: retention.max_days"), "{refused}");
    assert_eq!(max_days(&daemon), 30);
    assert!(
        place.told().contains("the configuration stays as it was"),
        "{}",
        place.told()
    );

    // What did not change is not said to have.
    write(
        &place,
        "[retention]\nmax_days = 30\n\n[server]\nworkers = 3\n",
    );
    let entry = reloaded(&daemon, 3);
    assert_eq!(entry["metadata"]["changed"], json!([]));
    assert_eq!(entry["metadata"]["needs_restart"], json!([]));
    assert_eq!(daemon.stop().code(), Some(0));
}

#[test]
fn a_key_of_the_file_is_in_force_after_a_reload_and_none_when_it_went() {
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let declared = |id: &str| {
        format!(
            "[[auth.keys]]\nlabel = \"{id}\"\nid = \"{id}\"\nsha256 = \"{hash}\"\n\
             scopes = [\"write\", \"read\", \"admin\"]\nworkspace = \"*\"\n"
        )
    };
    let place = Place::new();
    write(&place, &declared("f1"));
    let daemon = Daemon::start(&place);
    let status = |id: &str| {
        let mut client = daemon.client();
        let line = "GET /api/v1/activity HTTP/1.1\r\nHost: localhost\r\n";
        client
            .send(&format!("{line}Authorization: Bearer dbk_{id}_abc\r\n\r\n"))
            .unwrap();
        client.answer().unwrap().status
    };
    assert_eq!((status("f1"), status("f2")), (200, 401));
    write(&place, &(declared("f1") + &declared("f2")));
    daemon.signal(Signal::HUP);
    eventually("the key that came", PATIENCE, || {
        (status("f2") == 200).then_some(())
    });
    write(&place, &declared("f2"));
    daemon.signal(Signal::HUP);
    eventually("the key that went", PATIENCE, || {
        (status("f1") == 401).then_some(())
    });
    assert_eq!(status("f2"), 200);
    assert_eq!(daemon.stop().code(), Some(0));
}

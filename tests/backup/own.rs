//! What only the daemon itself kept may be replaced; an entry of anybody else, whatever it is called, may not.

use crate::harness::{Daemon, Place, actions, entry_of, eventually, whole};
use daybook::domain::{Draft, Emitted};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use tungstenite::WebSocket;
use tungstenite::client::IntoClientRequest;

/// Lines to import and a backup to restore; both bring one entry.
fn offered(place: &Place) {
    let source = Place::with(1);
    fs::write(place.path("all.ndjson"), source.exported()).unwrap();
    fs::copy(source.book(), place.path("copy.db")).unwrap();
}

fn follow(daemon: &Daemon, bearer: &str) -> WebSocket<TcpStream> {
    let address = daemon.url.trim_start_matches("http://");
    let address = address.trim_end_matches('/');
    let asked = format!("ws://{address}/api/v1/events/ws");
    let mut asked = asked.into_client_request().unwrap();
    let headers = asked.headers_mut();
    headers.insert("Authorization", bearer.parse().unwrap());
    let stream = TcpStream::connect(address).unwrap();
    tungstenite::client(asked, stream).unwrap().0
}

/// A book in which the daemon said all that it says of who comes in.
fn kept_by_its_daemon() -> Place {
    let place = Place::new();
    let daemon = place.serve(&[]);
    let add = |label: &str, scopes: &str| {
        let made = place.ok(&[
            "key",
            "add",
            "--label",
            label,
            "--scope",
            scopes,
            "--workspace",
            "*",
        ]);
        let key = made
            .split_whitespace()
            .find(|word| word.starts_with("dbk_"));
        key.expect("the key is shown").to_owned()
    };
    let anna = add("anna", "write,read,admin");
    let bearer = format!("Bearer {}", add("reader", "read"));
    drop(follow(&daemon, &bearer));
    eventually(|| {
        let (_, entries) = whole(&place.book());
        actions(&entries)
            .contains(&"auth.ws_disconnected")
            .then_some(())
    });
    let entry = json!({"category": "entity", "action": "a.b", "message": "m"});
    let post = |headers: &[(&str, &str)], path: &str, body: &Value| {
        let (status, headers) = daemon.send(headers, path, body);
        let cookie = headers.get("set-cookie");
        let cookie = cookie.and_then(|held| held.to_str().ok()?.split(';').next());
        (status, cookie.unwrap_or_default().to_owned())
    };
    let refused = post(&[("Authorization", &bearer)], "/api/v1/activity", &entry);
    assert_eq!(refused.0, 403);
    let wrong = [("Authorization", "Bearer dbk_no_key")];
    assert_eq!(post(&wrong, "/api/v1/activity", &entry).0, 401);
    let (status, cookie) = post(&[], "/api/v1/auth/login", &json!({"key": anna}));
    assert_eq!(status, 200);
    let own = [("Cookie", cookie.as_str()), ("Origin", &daemon.url)];
    let signed_out = post(&own, "/api/v1/auth/logout", &json!({}));
    assert_eq!(signed_out.0, 200);
    place.ok(&["key", "rotate", "reader"]);
    place.ok(&["key", "revoke", "reader"]);
    daemon.stop();
    place
}

#[test]
fn all_that_the_daemon_says_of_itself_is_replaced_by_a_backup_and_by_lines() {
    let place = kept_by_its_daemon();
    let (_, entries) = whole(&place.book());
    let said: BTreeSet<&str> = actions(&entries).into_iter().collect();
    let emitted = Emitted::ALL.iter().map(|own| own.action());
    let auth: Vec<&str> = emitted.filter(|own| own.starts_with("auth.")).collect();
    let unsaid: Vec<_> = auth.iter().filter(|own| !said.contains(*own)).collect();
    assert_eq!(unsaid, [&""; 0], "the test has all of them said");
    offered(&place);
    let own = fs::read(place.book()).unwrap();
    place.ok(&["import", "all.ndjson"]);
    fs::write(place.book(), own).unwrap();
    place.ok(&["restore", "copy.db"]);
}

#[test]
fn an_entry_of_an_application_is_not_replaced_whatever_it_is_called() {
    let client = |category: &str, action: &str, actor: &str, message: &str| Draft {
        category: Some(category.to_owned()),
        action: Some(action.to_owned()),
        actor: Some(actor.to_owned()),
        message: Some(message.to_owned()),
        ..Draft::default()
    };
    for draft in [
        client("auth", "auth.token_refreshed", "anna", "A token"),
        client("auth", "auth.login", "anna", "anna signed in"),
        client("auth", "auth.login", "system", "Somebody signed in"),
        client("auth", "auth.failed", "anna", "A wrong password"),
        client("auth", "auth.key_created", "anna", "The key ci was created"),
        client("system", "server.started", "web", "Started"),
        client("system", "server.rebooted", "system", "Rebooted"),
        client("system", "backup.created", "cron", "A dump"),
    ] {
        let place = Place::new();
        place.serve(&[]).stop();
        place.put(vec![entry_of(draft.clone())]);
        offered(&place);
        let before = whole(&place.book());
        for arguments in [["import", "all.ndjson"], ["restore", "copy.db"]] {
            let refused = place.run(&arguments);
            assert_eq!(refused.code, 73, "{draft:?}: {refused:?}");
        }
        assert_eq!(whole(&place.book()), before);
    }
}

//! Who is signed in stays so through stops and kills of the daemon, and what he shows is in no file of it.

use crate::support::daemon::{Daemon, PATIENCE, Place};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

/// Status, headers and body as they came. One a connection.
fn ask(daemon: &Daemon<'_>, line: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (address, length) = (daemon.address, body.len());
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         {headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn signed_in(daemon: &Daemon<'_>, key: &str) -> String {
    let body = format!("{{\"key\":\"{key}\"}}");
    let answer = ask(daemon, "POST /api/v1/auth/login", "", &body);
    let (_, cookie) = answer.split_once("daybook_session=").expect(&answer);
    let (token, _) = cookie.split_once(';').unwrap();
    token.to_owned()
}

fn status_of(daemon: &Daemon<'_>, line: &str, token: &str) -> String {
    let address = daemon.address;
    let headers = format!("Cookie: daybook_session={token}\r\nOrigin: http://{address}\r\n");
    let answer = ask(daemon, line, &headers, "");
    answer.split(' ').nth(1).unwrap().to_owned()
}

fn me(daemon: &Daemon<'_>, token: &str) -> String {
    status_of(daemon, "GET /api/v1/auth/me", token)
}

fn key(place: &Place, label: &str) -> String {
    let scopes = ["--scope", "write,read,admin", "--workspace", "*"];
    let mut add = place.daybook(&["key", "add", "--label", label]);
    let added = add.args(scopes).output().unwrap();
    assert!(added.status.success(), "{added:?}");
    String::from_utf8(added.stdout).unwrap().trim().to_owned()
}

fn assert_in_no_file(folder: &Path, secret: &str) {
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            assert_in_no_file(&path, secret);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let held = memchr::memmem::find(&bytes, secret.as_bytes());
            assert!(held.is_none(), "{} holds {secret}", path.display());
        }
    }
}

#[test]
fn a_sign_in_survives_a_stop_and_a_kill_and_a_signed_out_one_neither() {
    let place = Place::new();
    let key = key(&place, "anna");
    let daemon = Daemon::start(&place);
    let (stays, goes) = (signed_in(&daemon, &key), signed_in(&daemon, &key));
    assert_eq!(status_of(&daemon, "POST /api/v1/auth/logout", &goes), "200");
    assert!(daemon.stop().success());
    let daemon = Daemon::start(&place);
    assert_eq!(
        (me(&daemon, &stays), me(&daemon, &goes)),
        ("200".into(), "401".into())
    );
    let another = signed_in(&daemon, &key);
    daemon.kill();
    let daemon = Daemon::start(&place);
    assert_eq!(
        (me(&daemon, &stays), me(&daemon, &another)),
        ("200".into(), "200".into())
    );
}

#[test]
fn a_key_that_is_revoked_while_no_daemon_runs_leaves_nobody_signed_in() {
    let place = Place::new();
    let (anna, olga) = (key(&place, "anna"), key(&place, "olga"));
    let daemon = Daemon::start(&place);
    let (of_anna, of_olga) = (signed_in(&daemon, &anna), signed_in(&daemon, &olga));
    assert!(daemon.stop().success());
    let revoked = place.daybook(&["key", "revoke", "anna"]).status().unwrap();
    assert!(revoked.success());
    let daemon = Daemon::start(&place);
    assert_eq!(
        (me(&daemon, &of_anna), me(&daemon, &of_olga)),
        ("401".into(), "200".into())
    );
    let revoked = place.daybook(&["key", "revoke", "olga"]).status().unwrap();
    assert!(revoked.success());
    assert_eq!(me(&daemon, &of_olga), "401");
}

#[test]
fn neither_the_key_nor_the_token_is_in_any_file() {
    let place = Place::new();
    let key = key(&place, "anna");
    let mut command = place.serve();
    command
        .args(["--log", "trace"])
        .env("DAYBOOK_ACTIVITY__RECORD_REQUESTS", "all");
    let daemon = Daemon::start_as(&place, command).unwrap();
    let token = signed_in(&daemon, &key);
    assert_eq!(me(&daemon, &token), "200");
    let agent = format!("User-Agent: curl {token}\r\nCookie: daybook_session={token}\r\n");
    ask(
        &daemon,
        &format!("GET /api/v1/activity?q={token}"),
        &agent,
        "",
    );
    ask(
        &daemon,
        "POST /api/v1/auth/login",
        &agent,
        &format!("{{\"{key}\":1,\"key\":\"{key}x\"}}"),
    );
    ask(
        &daemon,
        "POST /api/v1/auth/login",
        &agent,
        &format!("{{\"key\":\"{token}\"}}"),
    );
    assert_eq!(
        status_of(&daemon, "POST /api/v1/auth/logout", &token),
        "200"
    );
    for _ in 0..2 {
        for secret in [token.as_str(), key.rsplit('_').next().unwrap()] {
            assert_in_no_file(place.aside(), secret);
        }
        daemon.signal(rustix::process::Signal::HUP);
    }
    assert!(daemon.stop().success());
    assert_in_no_file(place.aside(), &token);
}

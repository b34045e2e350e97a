//! A page of another origin changes nothing here.

use crate::client::{ACTIVITY, Answer, JSON, entry};
use crate::harness::TestDaybook;
use crate::raw::{self, Raw};
use ureq::http::Method;

fn posted_from(daybook: &TestDaybook, origin: &str) -> Answer {
    daybook.post(&[JSON, ("Origin", origin)], entry().to_string())
}

#[test]
fn what_a_foreign_page_posts_is_refused() {
    let daybook = TestDaybook::start();
    let port = daybook.address.port();
    for foreign in [
        "https://evil.example".into(),
        "null".into(),
        String::new(),
        "http://localhost".into(),
        "http://127.0.0.1".into(),
        "http://127.0.0.1:1".into(),
        format!("http://127.0.0.1.evil:{port}"),
        format!("http://localhost:{port}"),
        "*".into(),
        "file://".into(),
        format!("127.0.0.1:{port}"),
    ] {
        posted_from(&daybook, &foreign).problem(403);
        let path = format!("{ACTIVITY}/x");
        daybook
            .ask(Method::DELETE, &path, &[("Origin", &foreign)], b"")
            .problem(403);
    }
    assert_eq!(daybook.count(), 0);
}

#[test]
fn what_a_page_of_its_own_posts_is_taken() {
    let daybook = TestDaybook::start();
    for own in [
        format!("http://{}", daybook.address),
        format!("https://{}", daybook.address),
    ] {
        assert_eq!(posted_from(&daybook, &own).status, 201, "{own}");
    }
    let mut raw = Raw::to(daybook.address);
    for (host, origin) in [
        ("LocalHost:7480", "http://localhost:7480"),
        ("127.0.0.1", "https://127.0.0.1"),
    ] {
        let head = format!("Content-Type: application/json\r\nOrigin: {origin}\r\n");
        let request = String::from_utf8(raw::post(&head, entry().to_string().as_bytes())).unwrap();
        let request = request.replace("Host: localhost", &format!("Host: {host}"));
        assert_eq!(raw.exchange(request).status, 201, "{origin}");
    }
}

#[test]
fn a_foreign_page_may_ask_but_its_browser_is_not_told_to_show_it_the_answer() {
    let daybook = TestDaybook::start();
    let foreign = [("Origin", "https://evil.example")];
    let answer = daybook.ask(Method::GET, ACTIVITY, &foreign, b"");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "");
    let preflight = [foreign[0], ("Access-Control-Request-Method", "POST")];
    let answer = daybook.ask(Method::OPTIONS, ACTIVITY, &preflight, b"");
    assert_eq!(answer.header("access-control-allow-origin"), "");
    assert_eq!(answer.header("access-control-allow-methods"), "");
}

#[test]
fn a_name_that_does_not_mean_this_machine_is_not_answered() {
    let daybook = TestDaybook::start();
    let mut raw = Raw::to(daybook.address);
    for host in ["book.example", "localhost.book.example:7480", "192.0.2.7"] {
        let answer = raw.exchange(format!(
            "GET /api/v1/activity HTTP/1.1\r\nHost: {host}\r\n\r\n"
        ));
        assert_eq!(answer.status, 421, "{host}");
    }
}

//! The page's files, as a browser asks for them.

use super::client::Headers;
use super::harness::TestDaybook;
use ureq::http::Method;

const PAGES: [&str; 6] = [
    "/",
    "/activity",
    "/entity/task/1",
    "/devices",
    "/settings",
    "/sign-in",
];

#[test]
fn every_address_of_the_page_is_the_same_page() {
    let daybook = TestDaybook::start();
    let page = daybook.get("/").text();
    assert!(page.contains("<daybook-app>"), "{page}");
    for path in PAGES {
        let answer = daybook.get(path);
        assert_eq!(
            (answer.status, answer.text()),
            (200, page.clone()),
            "{path}"
        );
        assert!(answer.header("content-type").starts_with("text/html"));
    }
    daybook.get("/assets/index.html").problem(404);
    daybook.get("/assets/../Cargo.toml").problem(404);
}

#[test]
fn every_file_that_a_file_names_is_there_and_none_is_elsewhere() {
    let daybook = TestDaybook::start();
    for name in daybook::dashboard::names() {
        let bytes = daybook::dashboard::asset(&name).unwrap().bytes;
        let text = String::from_utf8(bytes.into_owned()).unwrap();
        for quoted in text.split(['"', '\'', '(', ')']) {
            let begins = ["http://", "https://", "//"]
                .iter()
                .any(|start| quoted.starts_with(start));
            // A comment has spaces, an address none; the name of a namespace is fetched by nobody.
            let is_elsewhere = begins && !quoted.contains(char::is_whitespace) && quoted.len() > 8;
            assert!(
                !is_elsewhere || quoted.contains("www.w3.org"),
                "{name}: {quoted}"
            );
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let path = match quoted.strip_prefix("./") {
                Some(file) if file.ends_with(".js") => {
                    format!("/assets/{folder}/{file}").replace("//", "/")
                }
                _ if quoted.starts_with("/assets/") => quoted.to_owned(),
                _ => continue,
            };
            assert_eq!(daybook.get(&path).status, 200, "{name}: {path}");
        }
    }
}

#[test]
fn a_file_says_what_it_is_and_that_nothing_else_may_run() {
    let daybook = TestDaybook::start();
    for (path, kind) in [
        ("/", "text/html"),
        ("/assets/app.js", "text/javascript"),
        ("/assets/base.css", "text/css"),
        ("/assets/icon.svg", "image/svg+xml"),
    ] {
        let answer = daybook.get(path);
        assert!(answer.header("content-type").starts_with(kind), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}

#[test]
fn what_a_browser_has_already_is_not_sent_again() {
    let daybook = TestDaybook::start();
    let tag = daybook.get("/assets/app.js").header("etag").to_owned();
    let ask = |headers: Headers, method| daybook.ask(method, "/assets/app.js", headers, b"");
    let again = ask(&[("If-None-Match", &tag)], Method::GET);
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(
        ask(&[("If-None-Match", "W/\"other\"")], Method::GET).status,
        200
    );
    let head = ask(&[], Method::HEAD);
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn the_types_of_events_that_the_page_knows_are_those_that_there_are() {
    let live = daybook::dashboard::asset("live.js").unwrap().bytes;
    let text = String::from_utf8(live.into_owned()).unwrap();
    let (_, list) = text.split_once("export const EVENTS = [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    let known: Vec<&str> = list.split('\'').skip(1).step_by(2).collect();
    assert_eq!(known, daybook::domain::live::EVENT_TYPES);
}

#[test]
fn all_of_the_page_is_small() {
    use std::io::Write;
    let compressed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().len()
    };
    let sizes = daybook::dashboard::names()
        .map(|name| compressed(&daybook::dashboard::asset(&name).unwrap().bytes));
    let all: usize = sizes.sum();
    assert!(all > 10_000 && all < 100_000, "{all} bytes");
}

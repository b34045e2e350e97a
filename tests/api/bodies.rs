//! What a body may be: its type, its encoding, its size, its JSON.

use crate::client::{self, ACTIVITY, JSON, NDJSON, entry};
use crate::harness::TestDaybook;
use crate::spawned::Spawned;
use serde_json::json;
use std::io::Write;
use std::time::{Duration, Instant};
use ureq::http::Method;

const GZIP: (&str, &str) = ("Content-Encoding", "gzip");
const ZSTD: (&str, &str) = ("Content-Encoding", "zstd");
const MIB: usize = 1 << 20;

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    zstd::encode_all(bytes.as_ref(), 1).unwrap()
}

#[test]
fn a_body_may_be_compressed() {
    let daybook = TestDaybook::start();
    let body = entry().to_string();
    assert_eq!(daybook.post(&[JSON, GZIP], gzip(&body)).status, 201);
    assert_eq!(daybook.post(&[JSON, ZSTD], zstd(&body)).status, 201);
    for named in ["GZIP", "x-gzip", " gzip "] {
        let headers = [JSON, ("Content-Encoding", named)];
        assert_eq!(daybook.post(&headers, gzip(&body)).status, 201, "{named}");
    }
    assert_eq!(
        daybook
            .post(&[JSON, ("Content-Encoding", "identity")], &body)
            .status,
        201
    );
    assert_eq!(
        daybook
            .post(&[NDJSON, GZIP], gzip([body.as_str(); 3].join("\n")))
            .ok()["accepted"],
        3
    );
    assert_eq!(daybook.count(), 9);
}

#[test]
fn a_compressed_body_may_come_in_several_members() {
    let daybook = TestDaybook::start();
    let line = format!("{}\n", entry());
    let (one, two) = line.split_at(10);
    let members = [gzip(one), gzip(two), gzip(""), gzip(&line)].concat();
    assert_eq!(daybook.post(&[NDJSON, GZIP], members).ok()["accepted"], 2);
    let frames = [zstd(one), zstd(two), zstd(&line)].concat();
    assert_eq!(daybook.post(&[NDJSON, ZSTD], frames).ok()["accepted"], 2);
}

#[test]
fn a_compressed_body_that_is_cut_or_damaged_records_nothing() {
    let daybook = TestDaybook::start();
    let lines = vec![entry().to_string(); 50].join("\n");
    for (encoding, whole) in [(GZIP, gzip(&lines)), (ZSTD, zstd(&lines))] {
        for cut in [0, 1, 5, whole.len() / 2, whole.len() - 4, whole.len() - 1] {
            let answer = daybook.post(&[NDJSON, encoding], &whole[..cut]);
            answer.problem(400);
            let told = answer.json()["detail"].as_str().unwrap().to_owned();
            let ends = format!("the body ends before its {} stream does", encoding.1);
            assert!(told.starts_with(&ends), "{cut} of {}: {told}", whole.len());
        }
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0xff;
        daybook.post(&[NDJSON, encoding], damaged).problem(400);
        daybook
            .post(&[NDJSON, encoding], [&whole[..], b"garbage"].concat())
            .problem(400);
        daybook.post(&[NDJSON, encoding], &lines).problem(400);
        daybook.post(&[NDJSON, encoding], "").problem(400);
    }
    assert_eq!(daybook.count(), 0);
}

#[test]
fn another_encoding_is_refused_and_it_is_said_which_are_taken() {
    let daybook = TestDaybook::start();
    for other in [
        "br",
        "deflate",
        "gzip, gzip",
        "zstd,gzip",
        "x",
        "gzip;q=1",
        "compress",
    ] {
        let answer = daybook.post(&[JSON, ("Content-Encoding", other)], entry().to_string());
        answer.problem(415);
        assert_eq!(answer.header("accept-encoding"), "gzip, zstd");
    }
    daybook
        .post(&[JSON, GZIP, GZIP], gzip(gzip(entry().to_string())))
        .problem(415);
    assert_eq!(daybook.count(), 0);
}

#[test]
fn another_content_type_is_refused_and_it_is_said_which_are_taken() {
    let daybook = TestDaybook::start();
    let body = entry().to_string();
    let others = [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "text/json",
        "application/json+x",
        "json",
        "application/",
        "*/*",
    ];
    for other in others {
        let problem = daybook.post(&[("Content-Type", other)], &body).problem(415);
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("application/json or application/x-ndjson"),
            "{detail}"
        );
    }
    daybook.post(&[], &body).problem(415);
    assert_eq!(daybook.count(), 0);
    for one in [
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/json;x=\"y\"",
    ] {
        assert_eq!(
            daybook.post(&[("Content-Type", one)], &body).status,
            201,
            "{one}"
        );
    }
}

#[test]
fn a_body_beyond_its_limit_is_refused_plain_and_compressed() {
    let daybook = TestDaybook::with("[limits]\nbulk_body = '2 MiB'");
    let one = |n: usize| format!("{{\"message\":\"{}", "x".repeat(n - 12));
    let lines = |n: usize| format!("{}\n", entry()).repeat(n / 74);
    // Within its limit a body is read, and what is wrong with it is told.
    daybook.post(&[JSON], one(MIB)).problem(400);
    assert_eq!(daybook.post(&[NDJSON], lines(MIB / 2)).status, 200);
    for (kind, over) in [
        (JSON, one(MIB + 1)),
        (JSON, " ".repeat(MIB + 1)),
        (JSON, format!("[{}", " ".repeat(2 * MIB))),
        (NDJSON, "\n".repeat(2 * MIB + 1)),
        (NDJSON, one(3 * MIB)),
    ] {
        let problem = daybook.post(&[kind], &over).problem(413);
        assert!(problem["detail"].as_str().unwrap().contains("larger than"));
        daybook.post(&[kind, GZIP], gzip(&over)).problem(413);
        daybook.post(&[kind, ZSTD], zstd(&over)).problem(413);
    }
}

#[test]
fn a_small_body_that_unpacks_to_much_is_stopped_at_its_limit() {
    let daybook = Spawned::start(&[]);
    let url = format!("http://{}{ACTIVITY}", daybook.address);
    let post = |encoding, body: &[u8]| {
        client::ask(
            &daybook.agent,
            Method::POST,
            &url,
            &[NDJSON, encoding],
            body,
        )
    };
    let a_gibibyte = gzip(vec![b' '; 1 << 30]);
    let bombs = [
        ("gzip", GZIP, a_gibibyte.repeat(10)),
        ("gzip of gzip", GZIP, gzip(&a_gibibyte)),
        ("zstd", ZSTD, zstd(vec![b' '; 1 << 30])),
        (
            "zstd members",
            ZSTD,
            zstd(vec![b'\n'; 64 << 20]).repeat(100),
        ),
    ];
    daybook.forget_peak();
    let before = daybook.peak();
    for (name, encoding, bomb) in bombs {
        let began = Instant::now();
        let status = post(encoding, &bomb).status;
        let expected = if name == "gzip of gzip" { 200 } else { 413 };
        assert_eq!(status, expected, "{name}");
        println!(
            "{name}: {} KiB took {:?}",
            bomb.len() / 1024,
            began.elapsed()
        );
        assert!(began.elapsed() < Duration::from_secs(10), "{name}");
    }
    let grown = daybook.peak().saturating_sub(before);
    println!("the bombs grew the memory by {} KiB", grown / 1024);
    assert!(grown < 64 << 20, "{grown}");
}

#[test]
fn a_zstd_body_may_not_ask_for_a_great_window() {
    let daybook = TestDaybook::start();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(&vec![b'x'; 9 * MIB]).unwrap();
    let body = encoder.finish().unwrap();
    daybook.post(&[NDJSON, ZSTD], body).problem(400);
}

#[test]
fn deep_nesting_is_an_error_and_not_a_crash() {
    let daybook = TestDaybook::start();
    for (open, close) in [
        ("[", "]"),
        ("{\"a\":", "}"),
        ("{\"metadata\":", "}"),
        ("[{\"message\":", "}]"),
    ] {
        for depth in [33, 128, 129, 10_000, MIB / open.len() - 1] {
            for body in [
                open.repeat(depth),
                open.repeat(depth) + &close.repeat(depth),
            ] {
                for kind in [JSON, NDJSON] {
                    let status = daybook.post(&[kind], &body).status;
                    assert!(
                        matches!(status, 200 | 400 | 413),
                        "{status} for {depth} of {open}"
                    );
                }
            }
        }
    }
    assert_eq!(daybook.count(), 0);
}

#[test]
fn what_is_no_text_or_no_number_is_refused_by_its_field() {
    let daybook = TestDaybook::start();
    let with = |field: &str, value: &[u8]| {
        let head = format!(r#"{{"category":"auth","action":"a","message":"m","{field}":"#);
        [head.as_bytes(), value, b"}"].concat()
    };
    for bad in [
        &b"\"\xff\""[..],
        b"\"\xc3\x28\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf5\x80\x80\x80\"",
        b"\"\xc0\x80\"",
        br#""\ud800""#,
        br#""\udc00\ud800""#,
        br#""\ud800x""#,
        br#""\x""#,
        br#""\u12""#,
        b"\"a\nb\"",
        b"\"\0\"",
    ] {
        daybook
            .post(&[JSON], with("actor", bad))
            .refuses(&["actor"]);
        let inside = [b"{\"a\":", bad, b"}"].concat();
        daybook
            .post(&[JSON], with("metadata", &inside))
            .refuses(&["metadata"]);
    }
    let digits = "9".repeat(401);
    for number in [
        "1e999", "-1e999", "01", "1.", ".5", "+1", "0x1", "NaN", "Infinity", "1e", "--1", "١",
    ] {
        let inside = format!("{{\"a\":{number}}}");
        daybook
            .post(&[JSON], with("metadata", inside.as_bytes()))
            .refuses(&["metadata"]);
    }
    let inside = format!("{{\"a\":{digits}}}");
    daybook
        .post(&[JSON], with("metadata", inside.as_bytes()))
        .refuses(&["metadata"]);
    assert_eq!(daybook.count(), 0);
}

#[test]
fn absurd_but_right_numbers_are_kept_as_numbers() {
    let daybook = TestDaybook::start();
    for (n, number) in [
        "1e308",
        "-0.0",
        "1e-400",
        "18446744073709551616",
        "0.1",
        "-9223372036854775808",
    ]
    .iter()
    .enumerate()
    {
        let body = format!(
            r#"{{"id":"n{n}","category":"auth","action":"a","message":"m","metadata":{{"a":{number}}}}}"#
        );
        assert_eq!(daybook.post(&[JSON], &body).status, 201, "{number}");
        assert!(daybook.entry(&format!("n{n}"))["metadata"]["a"].is_number());
    }
}

#[test]
fn other_encodings_of_text_are_refused() {
    let daybook = TestDaybook::start();
    let text = entry().to_string();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    daybook.post(&[JSON], &wide).problem(400);
    daybook
        .post(&[JSON], [b"\xff\xfe", &wide[..]].concat())
        .problem(400);
    daybook.post(&[JSON], b"\0").problem(400);
    let lines = daybook
        .post(&[NDJSON], [&wide[..], b"\n", text.as_bytes()].concat())
        .ok();
    assert_eq!(lines["rejected"][0]["index"], json!(0));
}

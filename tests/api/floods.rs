//! Many bodies at once: what they hold in memory together has a limit, and beyond it the answer is to try again.

use crate::client::{self, ACTIVITY, Answer, JSON, entry};
use crate::raw::Raw;
use crate::spawned::Spawned;
use std::io::Write;
use ureq::http::Method;

const MIB: usize = 1 << 20;
const ALL: usize = 24;

/// An array that has only begun, of 19 MiB.
fn begun() -> Vec<u8> {
    let mut body = vec![b' '; 19 * MIB];
    body[0] = b'[';
    body
}

/// All of it but for its end, which never comes.
fn gzip() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&begun()).unwrap();
    encoder.flush().unwrap();
    encoder.get_ref().clone()
}

fn zstd() -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.write_all(&begun()).unwrap();
    encoder.flush().unwrap();
    encoder.get_ref().clone()
}

fn stalls(daybook: &Spawned, encoding: &str, body: &[u8]) -> Raw {
    let mut raw = Raw::to(daybook.address);
    raw.send(format!(
        "POST {ACTIVITY} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
        body.len() + 10
    ));
    raw.send(body);
    raw
}

fn post(daybook: &Spawned, body: &[u8]) -> Answer {
    let url = format!("http://{}{ACTIVITY}", daybook.address);
    client::ask(&daybook.agent, Method::POST, &url, &[JSON], body)
}

#[test]
fn many_bodies_that_unpack_to_much_and_stall_hold_no_more_memory_than_is_set_aside() {
    let daybook = Spawned::start(&[("DAYBOOK_LIMITS__BODY_TIMEOUT", "8s")]);
    assert_eq!(post(&daybook, entry().to_string().as_bytes()).status, 201);
    daybook.forget_peak();
    let before = daybook.peak();
    let bodies = [("gzip", gzip()), ("zstd", zstd())];
    let stalled: Vec<Raw> = (0..ALL)
        .map(|n| stalls(&daybook, bodies[n % 2].0, &bodies[n % 2].1))
        .collect();
    // Large ones leave room for small ones.
    assert_eq!(post(&daybook, entry().to_string().as_bytes()).status, 201);
    let mut refused = 0;
    for mut raw in stalled {
        let answer = raw.answer();
        match answer.status {
            503 => {
                answer.problem(503);
                assert_eq!(answer.header("retry-after"), "1");
                refused += 1;
            }
            _ => drop(answer.problem(408)),
        }
    }
    let grown = daybook.peak().saturating_sub(before) as usize;
    println!(
        "{refused} of {ALL} were refused; the memory grew by {} KiB",
        grown / 1024
    );
    // 64 MiB are set aside; the rest is what the decoders and the connections take.
    assert!(grown < 100 * MIB, "{grown}");
    // What two of them hold is seen, so that more would be.
    assert!(grown > 30 * MIB, "{grown}");
    assert!((ALL - 3..ALL).contains(&refused), "{refused}");
    let url = format!("http://{}/metrics", daybook.address);
    let numbers = client::ask(&daybook.agent, Method::GET, &url, &[], b"").text();
    let told = format!("daybook_bodies_refused_total {refused}");
    assert!(numbers.contains(&told), "{told}");
    // All of it was given back.
    let mut whole = begun();
    whole.push(b']');
    for _ in 0..8 {
        assert_eq!(post(&daybook, &whole).status, 200);
    }
}

//! Bodies as they come over the wire, plain and compressed: none becomes larger than it may, and all give back
//! what they held.

use crate::dice::{Dice, mutated};
use crate::survives;
use daybook::http::body::{Decoder, Limits, Shape, Sink};
use daybook::http::budget::Budget;
use std::io::Write;
use std::time::Duration;

const SINGLE: usize = 4_000;
const BULK: usize = 20_000;
/// What the largest body and its decoder take, and a little more.
const ALL: usize = 400_000;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// The body, in pieces as the network would cut it.
fn decoded(dice: &mut Dice, encoding: &str, bytes: &[u8], budget: &Budget) -> Option<Vec<u8>> {
    let shape = [Shape::Lines, Shape::OneOrArray][dice.roll(2)];
    let limits = Limits {
        single: SINGLE,
        bulk: BULK,
        time: Duration::from_secs(1),
    };
    let mut decoder = Decoder::new(encoding, Sink::new(shape, limits, budget)).ok()?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((1 + dice.roll(200)).min(rest.len()));
        decoder.write(piece).ok()?;
        assert!(budget.held() <= ALL);
        rest = after;
    }
    let body = decoder.finish().ok()?;
    assert!(body.len() <= BULK, "{}", body.len());
    Some(body.to_vec())
}

fn survives_in(encoding: &str, encode: impl Fn(&[u8]) -> Vec<u8>) {
    let small = encode(br#"{"category":"auth","action":"auth.login","message":"in"}"#);
    let lines = encode(&b"{\"category\":\"auth\"}\n".repeat(900));
    let members = [encode(b"[1,2"), encode(b",3]"), encode(b"")].concat();
    let bomb = encode(&[b' '; 1 << 16]);
    let full = encode(&[b'['; BULK]);
    let right = [&*small, &*lines, &*members, &*bomb, &*full];
    let budget = Budget::new(ALL);
    survives(&right, |dice, tried| {
        let tried = match dice.roll(3) {
            // More of them were right, so that some pass.
            0 => dice.pick(&right).to_vec(),
            _ => mutated(dice, tried, 1),
        };
        let decoded = decoded(dice, encoding, &tried, &budget);
        assert_eq!(budget.held(), 0);
        decoded.is_some()
    })
    .unwrap();
}

#[test]
fn plain_bodies_survive_whatever_comes() {
    survives_in("identity", <[u8]>::to_vec);
}

#[test]
fn gzip_bodies_survive_whatever_comes() {
    survives_in("gzip", gzip);
}

#[test]
fn zstd_bodies_survive_whatever_comes() {
    survives_in("zstd", zstd);
}

//! What a key costs: the same requests on the same connections, with one and without.

use super::http::{POOL, Shape, served};
use super::singles;
use crate::Bench;
use crate::books::Kind;
use crate::load::Requests;
use crate::report::Quantity::CpuMicros;
use crate::report::{Promise, Report, Target};
use crate::rounds::{Contestant, contest_with};
use crate::rows::Rows;
use crate::subject;
use std::path::Path;
use std::rc::Rc;

const ANONYMOUS: &str = "anonymous, 64 connections";
const WITH_A_KEY: &str = "with a key, 64 connections";

pub fn run(bench: &Bench) -> Result<Vec<Report>, String> {
    let plan = &bench.plan;
    let book = &bench.shelf.working(Kind::Daybook, 0)?;
    let anonymous = &singles(&Rows::pool(2, POOL));
    let (table, key) = &subject::declared_key()?;
    let keyed = &presenting(key, anonymous);
    let shape = Shape::single(64);
    let contestants = vec![
        Contestant::new(ANONYMOUS, move || {
            served(plan, book, subject::start_server, shape, anonymous)
        }),
        Contestant::new(WITH_A_KEY, move || {
            let start = |book: &Path, log: &Path| subject::start_server_with(table, book, log);
            served(plan, book, start, shape, keyed)
        }),
    ];
    let promises = vec![Promise::ratio(
        WITH_A_KEY,
        ANONYMOUS,
        CpuMicros,
        Target::AtMost(1.05),
    )];
    let renew = || book.renew();
    contest_with("auth", plan, renew, contestants, promises).map(|report| vec![report])
}

/// The same requests, each with the key.
fn presenting(key: &str, requests: &Requests) -> Requests {
    let header = format!("\r\nAuthorization: Bearer {key}");
    let with = |request: &Vec<u8>| {
        let line = request.iter().position(|byte| *byte == b'\r');
        let (line, rest) = request.split_at(line.unwrap_or(0));
        [line, header.as_bytes(), rest].concat()
    };
    Rc::new(requests.iter().map(with).collect())
}

//! One file for each part of the benchmark: its contestants, and the promises that it is held to.

pub mod auth;
pub mod captures;
pub mod export;
pub mod http;
pub mod live;
pub mod page;
pub mod prune;
pub mod rollups;
pub mod search;
pub mod start;
pub mod stop;
pub mod summary;
pub mod writer;

use crate::load::{self, Expect, Requests, Sender};
use crate::process::Server;
use crate::report::number;
use crate::rows::{Row, Rows};
use std::rc::Rc;

/// So many of something.
pub fn several(count: usize, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        count => format!("{count} {thing}s"),
    }
}

/// How a book of so many entries is called.
pub fn called(entries: u64) -> String {
    match entries {
        0 => "an empty book".into(),
        count => format!("a book of {}", number(count as f64)),
    }
}

/// Records nearly as many entries as may wait before they are rolled up.
pub fn with_a_tail(server: &Server) -> Result<(), String> {
    const TOGETHER: usize = 500;
    let most = usize::try_from(crate::subject::ROLL_AT).map_err(|e| e.to_string())?;
    let requests = bulks(&Rows::pool(3, most - TOGETHER), TOGETHER);
    let count = requests.len();
    let taken = Expect {
        status: 200,
        holds: "\"rejected\":[]",
    };
    in_runtime(async {
        let mut sender = Sender::connect(server.address, requests, taken).await?;
        for _ in 0..count {
            sender.once().await.map_err(|e| e.to_string())?;
        }
        Ok(())
    })
}

/// A request for each row.
pub fn singles(rows: &[Row]) -> Requests {
    let requests = rows
        .iter()
        .map(|row| load::post("/api/v1/activity", "application/json", &row.json()));
    Rc::new(requests.collect())
}

/// A request for each so many rows.
pub fn bulks(rows: &[Row], together: usize) -> Requests {
    let bodies = rows.chunks_exact(together).map(|rows| {
        let lines: Vec<Vec<u8>> = rows.iter().map(Row::json).collect();
        lines.join(&b'\n')
    });
    let requests = bodies.map(|body| load::post("/api/v1/activity", "application/x-ndjson", &body));
    Rc::new(requests.collect())
}

/// Runs in an actor system of its own, whose threads end with it.
pub fn in_system<T>(work: impl Future<Output = T>) -> T {
    let system = actix::System::new();
    let done = system.block_on(work);
    actix::System::current().stop();
    // The only error is an exit code, and we gave none.
    let _ = system.run();
    done
}

/// Runs on this thread alone, whose tasks end with it.
pub fn in_runtime<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

//! How often a second the disk makes four kilobytes durable: the figure that durable recording hangs on, and
//! that another machine, or the same one an hour later, has differently.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

const BLOCK: [u8; 4096] = [0x5a; 4096];
/// Written before the clock starts, so that only blocks that exist are overwritten.
const BLOCKS: u64 = 1024;

pub fn fdatasync_rate(scratch: &Path, time: Duration) -> io::Result<f64> {
    let path = scratch.join("fdatasync.probe");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(&path)?;
    for _ in 0..BLOCKS {
        file.write_all(&BLOCK)?;
    }
    file.sync_all()?;
    let began = Instant::now();
    let mut syncs = 0;
    while began.elapsed() < time {
        let offset = (syncs % BLOCKS) * BLOCK.len() as u64;
        file.write_all_at(&BLOCK, offset)?;
        file.sync_data()?;
        syncs += 1;
    }
    let rate = syncs as f64 / began.elapsed().as_secs_f64();
    std::fs::remove_file(&path)?;
    Ok(rate)
}

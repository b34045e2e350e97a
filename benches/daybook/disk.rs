//! How often a second the disk makes four kilobytes durable: the figure that durable recording hangs on, and
//! that another machine, or the same one an hour later, has differently.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
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

/// Makes a block durable again and again beside what is measured, on the same disk, and remembers how long
/// the slowest took. Seldom enough not to be what the disk is busy with.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Duration>>,
    path: PathBuf,
}

impl Watch {
    const PAUSE: Duration = Duration::from_millis(5);

    pub fn start(scratch: &Path) -> io::Result<Self> {
        let path = scratch.join("fdatasync.watch");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&path)?;
        file.write_all(&BLOCK)?;
        file.sync_all()?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut worst = Duration::ZERO;
            while !told.load(Ordering::Relaxed) {
                let began = Instant::now();
                file.write_all_at(&BLOCK, 0)?;
                file.sync_data()?;
                worst = worst.max(began.elapsed());
                std::thread::sleep(Self::PAUSE);
            }
            Ok(worst)
        });
        Ok(Self { stop, thread, path })
    }

    /// The slowest one.
    pub fn worst(self) -> Result<Duration, String> {
        self.stop.store(true, Ordering::Relaxed);
        let worst = self.thread.join().map_err(|_| "the disk's watch broke")?;
        std::fs::remove_file(&self.path).map_err(|e| e.to_string())?;
        worst.map_err(|e| format!("fdatasync: {e}"))
    }
}

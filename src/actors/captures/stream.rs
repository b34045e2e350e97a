//! One connection that brings lines: read as fast as they are recorded, and no faster.

use super::intake::{Job, Line};
use crate::ingest::framing::{self, Framer};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

const CHUNK: usize = 64 * 1024;
/// When told to stop: what the kernel has acknowledged already is read, as long as more of it is there at once.
const SILENCE: Duration = Duration::from_millis(20);
const TO_DRAIN: Duration = Duration::from_millis(500);
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Some bytes; 0 at the end.
pub async fn read(stream: &mut (impl AsyncRead + Unpin), into: &mut [u8]) -> io::Result<usize> {
    let mut buffer = ReadBuf::new(into);
    poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, &mut buffer)).await?;
    Ok(buffer.filled().len())
}

/// Until it ends or the capture is told to stop.
pub async fn take_in(
    job: Job,
    mut stream: impl AsyncRead + Unpin,
    mut framer: Framer,
    peer: Option<Arc<str>>,
    queue: mpsc::Sender<Line>,
) {
    let mut buffer = vec![0; CHUNK];
    let mut lines = Vec::new();
    let mut until: Option<Instant> = None;
    loop {
        let read = match until {
            None => tokio::select! {
                biased;
                read = read(&mut stream, &mut buffer) => Some(read),
                () = job.told_to_stop() => {
                    until = Some(Instant::now() + TO_DRAIN);
                    continue;
                }
            },
            Some(until) if Instant::now() < until => {
                timeout(SILENCE, read(&mut stream, &mut buffer)).await.ok()
            }
            Some(_) => None,
        };
        match read {
            Some(Ok(n)) if n > 0 => framer.feed(&buffer[..n], |line| lines.push(line)),
            Some(Ok(_)) => {
                lines.extend(framer.end());
                // The last of it, whoever takes it.
                let _ = handed_on(&job, &mut lines, peer.as_ref(), &queue).await;
                return;
            }
            // Broken off in the middle of a line, or told to stop there.
            Some(Err(_)) | None => return,
        }
        if job.is_told_to_stop() && until.is_none() {
            until = Some(Instant::now() + TO_DRAIN);
        }
        if handed_on(&job, &mut lines, peer.as_ref(), &queue)
            .await
            .is_err()
        {
            return;
        }
    }
}

/// Waits while the queue is full. An error when nobody records any more.
async fn handed_on(
    job: &Job,
    lines: &mut Vec<framing::Line>,
    peer: Option<&Arc<str>>,
    queue: &mpsc::Sender<Line>,
) -> Result<(), ()> {
    for line in lines.drain(..) {
        job.pass().await;
        job.received(line.bytes.len());
        let line = Line {
            bytes: line.bytes,
            cut: line.cut,
            peer: peer.cloned(),
        };
        queue.send(line).await.map_err(drop)?;
    }
    Ok(())
}

/// What strangers can cause again and again is said once a while.
#[derive(Default)]
pub struct Full(Option<Instant>);

impl Full {
    pub fn tell(&mut self, job: &Job) {
        if self.0.is_none_or(|told| told.elapsed() > TOLD_EVERY) {
            self.0 = Some(Instant::now());
            let (name, most) = (&job.config.name, job.config.connections);
            log::warn!("the capture {name} has {most} connections, and takes no more");
        }
    }
}

/// After an accept that failed, of want of descriptors say.
pub async fn breathe(job: &Job, cause: &io::Error) {
    log::warn!(
        "the capture {} could not take a connection: {cause}",
        job.config.name
    );
    tokio::select! {
        () = sleep(Duration::from_millis(200)) => {}
        () = job.told_to_stop() => {}
    }
}

//! One capture's run: it is started, tried again when it breaks, ever more seldom, and stopped.

use super::intake::{Failure, Job};
use super::{file, journal, socket, syslog};
use crate::actors::context::Context as Caller;
use crate::config::captures::Kind;
use crate::domain::{Emitted, entity_event};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Before the first new try, and the longest; a run that lasted that long begins anew.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// How long a capture that is told to stop may take to record what it has read.
const TO_END: Duration = Duration::from_secs(2);

pub struct Run {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Run {
    pub fn begin(job: impl FnOnce(watch::Receiver<bool>) -> Job, by: Option<Caller>) -> Self {
        let (stop, told) = watch::channel(false);
        let task = actix::spawn(attend(job(told), by));
        Self { stop, task }
    }

    /// It has ended when this comes back.
    pub async fn end(self) {
        self.stop.send_replace(true);
        let Self { mut task, .. } = self;
        if timeout(TO_END, &mut task).await.is_err() {
            log::warn!("a capture did not come to its end in time and is cut off");
            task.abort();
        }
    }
}

async fn attend(job: Job, mut by: Option<Caller>) {
    let (mut pause, mut last) = (FIRST, None);
    loop {
        let began = Instant::now();
        let mut run = job.clone();
        run.by = by.take();
        let caller = run.by.clone();
        // A task of its own, so that a panic in it is a failure like any other.
        let ended = Ending(actix::spawn(run_as_its_kind(run))).await;
        let failure = match ended {
            Ok(Ok(())) => return,
            Ok(Err(failure)) => failure.to_string(),
            Err(_) => "it panicked; the daemon's own log says where".to_owned(),
        };
        if job.is_told_to_stop() {
            return;
        }
        if began.elapsed() >= LONGEST {
            (pause, last) = (FIRST, None);
        }
        note(
            &job,
            &failure,
            last.as_ref() == Some(&failure),
            caller.as_ref(),
        );
        last = Some(failure);
        tokio::select! {
            () = job.told_to_stop() => return,
            () = sleep(pause) => {}
        }
        pause = (2 * pause).min(LONGEST);
    }
}

async fn run_as_its_kind(job: Job) -> Result<(), Failure> {
    match job.config.kind {
        Kind::Syslog => syslog::run(job).await,
        Kind::File => file::run(job).await,
        Kind::Journal => journal::run(job).await,
        Kind::Socket => socket::run(job).await,
    }
}

/// The same failure again and again is told once.
fn note(job: &Job, failure: &str, again: bool, by: Option<&Caller>) {
    let name = &job.config.name;
    if !again {
        log::warn!("the capture {name} failed: {failure}");
        let own = entity_event("capture", Emitted::CaptureFailed, name, None)
            .saying(format!("The capture {name} failed: {failure}"))
            .with("kind", job.config.kind.as_str())
            .with("reason", failure);
        job.tools.recorder.record_event(own, by);
    }
    job.told.failed(failure);
}

/// A task that does not outlive whoever waits for it.
struct Ending<T>(JoinHandle<T>);

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Future for Ending<T> {
    type Output = Result<T, tokio::task::JoinError>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(cx)
    }
}

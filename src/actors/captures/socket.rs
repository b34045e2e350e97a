//! The Unix socket: whoever may open it writes lines into it. Nothing is lost, since it is not read on while lines
//! wait.

use super::intake::{Failure, Job};
use super::stream;
use crate::config::captures::Kind;
use crate::ingest::captured::Format;
use crate::ingest::framing::Framer;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub async fn run(job: Job) -> Result<(), Failure> {
    debug_assert_eq!(job.config.kind, Kind::Socket);
    let path = job.config.path.clone();
    let path = path.ok_or_else(|| Failure("it has no path".to_owned()))?;
    let failed = |cause: io::Error| Failure::of(path.display(), cause);
    let listener = bound(&path, job.config.mode()).map_err(failed)?;
    let named = Named(path.clone());
    let listener = tokio::net::UnixListener::from_std(listener).map_err(failed)?;
    let (queue, lines) = mpsc::channel(job.config.queue);
    let mut tasks = JoinSet::new();
    tasks.spawn_local(job.clone().record_all(lines));
    tasks.spawn_local(accept(job.clone(), listener, queue, named));
    job.begun(vec![format!("unix://{}", path.display())]);
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|cause| Failure::of("a part of it ended", cause))??;
    }
    Ok(())
}

async fn accept(
    job: Job,
    listener: tokio::net::UnixListener,
    queue: mpsc::Sender<super::intake::Line>,
    named: Named,
) -> Result<(), Failure> {
    let (mut connections, mut full) = (JoinSet::new(), stream::Full::default());
    loop {
        let accepted = tokio::select! {
            () = job.told_to_stop() => break,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok(_) if connections.len() >= job.config.connections => {
                full.tell(&job);
            }
            Ok((stream, _)) => {
                let framer = Framer::new(job.most(), job.config.format() == Format::Syslog);
                let (job, queue) = (job.clone(), queue.clone());
                connections.spawn_local(stream::take_in(job, stream, framer, None, queue));
            }
            Err(cause) => stream::breathe(&job, &cause).await,
        }
    }
    drop((queue, listener, named));
    while let Some(ended) = connections.join_next().await {
        ended.map_err(|cause| Failure::of("a connection", cause))?;
    }
    Ok(())
}

/// A socket that nobody listens on any more is what a crash left.
fn bound(path: &Path, mode: u32) -> io::Result<UnixListener> {
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(io::Error::other(
                "something that is no socket has this name",
            ));
        }
        if UnixStream::connect(path).is_ok() {
            return Err(io::Error::from(io::ErrorKind::AddrInUse));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(mode))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Whoever finds a socket thinks that somebody is behind it.
struct Named(PathBuf);

impl Drop for Named {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

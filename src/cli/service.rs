//! What the service manager is told, and what it hands over: readiness, a watchdog that the LogWriter's own
//! service of its queue feeds, sockets that were opened for us. Without systemd all of it does nothing.

use crate::actors::Writer;
use listenfd::ListenFd;
use sd_notify::NotifyState;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

/// A heartbeat that takes longer than this is none.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(cause) = sd_notify::notify(states) {
        log::debug!("the service manager was not told: {cause}");
    }
}

/// Sockets that systemd opened for us, if it did.
pub fn activated() -> io::Result<Vec<TcpListener>> {
    let mut handed = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..handed.len() {
        if let Some(listener) = handed.take_tcp_listener(index)? {
            listener.set_nonblocking(true)?;
            listeners.push(listener);
        }
    }
    Ok(listeners)
}

/// Feeds the watchdog for as long as the writer serves its queue, twice as often as systemd asks for.
pub fn feed_watchdog(writer: Writer) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    actix_web::rt::spawn(async move {
        loop {
            let alive = tokio::time::timeout(PATIENCE.min(limit / 2), writer.heartbeat()).await;
            match alive {
                Ok(Ok(())) => tell(&[NotifyState::Watchdog]),
                Ok(Err(_)) => return,
                Err(_) => {
                    log::error!("the writer does not serve its queue; the watchdog is not fed")
                }
            }
            tokio::time::sleep(limit / 2).await;
        }
    });
}

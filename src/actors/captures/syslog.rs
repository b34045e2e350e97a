//! The syslog listener: UDP and TCP on one address. Over TCP nothing is lost, since it is not read on while lines
//! wait; over UDP what is lost is counted, what the kernel drops as well.

use super::intake::{Failure, Job, Line};
use super::stream;
use crate::ingest::framing::{Framer, trimmed};
use crate::telemetry::Why;
use rustix::net::sockopt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What the kernel is asked to keep of datagrams; it gives what `net.core.rmem_max` allows.
const RECEIVE_BUFFER: usize = 8 << 20;
/// For a free port that must be free twice.
const BIND_TRIES: usize = 16;
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// What datagrams there are is read when told to stop, but no longer than this.
const TO_DRAIN: Duration = Duration::from_millis(300);

pub async fn run(job: Job) -> Result<(), Failure> {
    let wanted = job
        .config
        .listen
        .ok_or_else(|| Failure("it has no address".to_owned()))?;
    let (tcp, udp) = bound(wanted).map_err(|cause| Failure::of(wanted, cause))?;
    let at = tcp
        .local_addr()
        .map_err(|cause| Failure::of(wanted, cause))?;
    let made = |cause: io::Error| Failure::of(at, cause);
    let tcp = tokio::net::TcpListener::from_std(tcp).map_err(made)?;
    let udp = Rc::new(tokio::net::UdpSocket::from_std(udp).map_err(made)?);
    let (queue, lines) = mpsc::channel(job.config.queue);
    let mut tasks = JoinSet::new();
    tasks.spawn_local(job.clone().record_all(lines));
    tasks.spawn_local(count_drops(job.clone(), Rc::clone(&udp)));
    tasks.spawn_local(receive(job.clone(), udp, queue.clone()));
    tasks.spawn_local(accept(job.clone(), tcp, queue));
    job.begun(vec![format!("udp://{at}"), format!("tcp://{at}")]);
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|cause| Failure::of("a part of it ended", cause))??;
    }
    Ok(())
}

fn bound(wanted: SocketAddr) -> io::Result<(TcpListener, UdpSocket)> {
    let mut tries = 0;
    loop {
        let tcp = TcpListener::bind(wanted)?;
        let udp = match UdpSocket::bind(tcp.local_addr()?) {
            Ok(udp) => udp,
            Err(_) if wanted.port() == 0 && tries < BIND_TRIES => {
                tries += 1;
                continue;
            }
            Err(cause) => return Err(cause),
        };
        tcp.set_nonblocking(true)?;
        udp.set_nonblocking(true)?;
        // Less is no reason not to listen.
        let _ = sockopt::set_socket_recv_buffer_size(&udp, RECEIVE_BUFFER);
        return Ok((tcp, udp));
    }
}

// TCP

async fn accept(
    job: Job,
    listener: tokio::net::TcpListener,
    queue: mpsc::Sender<Line>,
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
            Ok((stream, peer)) => {
                // A peer that is gone without a word is noticed some day.
                let _ = sockopt::set_socket_keepalive(&stream, true);
                let peer = Arc::from(peer.ip().to_canonical().to_string());
                let framer = Framer::new(job.most(), true);
                let (job, queue) = (job.clone(), queue.clone());
                connections.spawn_local(stream::take_in(job, stream, framer, Some(peer), queue));
            }
            Err(cause) => stream::breathe(&job, &cause).await,
        }
    }
    drop(queue);
    drop(listener);
    while let Some(ended) = connections.join_next().await {
        ended.map_err(|cause| Failure::of("a connection", cause))?;
    }
    Ok(())
}

// UDP

async fn receive(
    job: Job,
    socket: Rc<tokio::net::UdpSocket>,
    queue: mpsc::Sender<Line>,
) -> Result<(), Failure> {
    // One byte more shows that there was more.
    let mut buffer = vec![0; job.most() + 1];
    let mut until: Option<Instant> = None;
    loop {
        match socket.try_recv_from(&mut buffer) {
            Ok((n, peer)) => taken(&job, &buffer[..n], peer, &queue).await?,
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                if until.is_some() {
                    return Ok(());
                }
                tokio::select! {
                    () = job.told_to_stop() => until = Some(Instant::now() + TO_DRAIN),
                    _ = socket.readable() => {}
                }
            }
            // Of a datagram that could not be delivered; the socket goes on.
            Err(cause) => stream::breathe(&job, &cause).await,
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            return Ok(());
        }
        if until.is_none() && job.is_told_to_stop() {
            until = Some(Instant::now() + TO_DRAIN);
        }
    }
}

async fn taken(
    job: &Job,
    datagram: &[u8],
    peer: SocketAddr,
    queue: &mpsc::Sender<Line>,
) -> Result<(), Failure> {
    let cut = datagram.len() > job.most();
    let text = &datagram[..datagram.len().min(job.most())];
    let bytes = trimmed(text).to_vec();
    if bytes.is_empty() {
        return Ok(());
    }
    job.received(datagram.len());
    if !job.may_pass() {
        job.told.numbers.dropped(Why::Rate).inc();
        return Ok(());
    }
    let line = Line {
        bytes,
        cut,
        peer: Some(Arc::from(peer.ip().to_canonical().to_string())),
    };
    // While this waits the kernel keeps what comes, and counts what it cannot keep.
    let sent = queue.send(line).await;
    sent.map_err(|_| Failure("nobody records any more".to_owned()))
}

/// Adds what the kernel dropped of the socket to what is counted.
async fn count_drops(job: Job, socket: Rc<tokio::net::UdpSocket>) -> Result<(), Failure> {
    let Ok(stat) = rustix::fs::fstat(socket.as_fd()) else {
        return Ok(());
    };
    let mut before = 0;
    loop {
        let stops = tokio::select! {
            () = job.told_to_stop() => true,
            () = sleep(COUNT_EVERY) => false,
        };
        let now = dropped(stat.st_ino);
        job.told
            .numbers
            .dropped(Why::Kernel)
            .inc_by(now.saturating_sub(before));
        before = now.max(before);
        if stops {
            return Ok(());
        }
    }
}

/// What the kernel dropped of the socket with this inode.
fn dropped(inode: u64) -> u64 {
    let tables = ["/proc/self/net/udp", "/proc/self/net/udp6"];
    let texts = tables
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok());
    texts
        .filter_map(|text| dropped_in(&text, inode))
        .next()
        .unwrap_or(0)
}

fn dropped_in(table: &str, inode: u64) -> Option<u64> {
    let of_socket = |line: &str| {
        let mut columns = line.split_ascii_whitespace();
        let held: u64 = columns.nth(9)?.parse().ok()?;
        let drops = columns.next_back()?.parse().ok()?;
        (held == inode).then_some(drops)
    };
    table.lines().skip(1).find_map(of_socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_dropped_is_found_by_the_socket() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n \
             1: 0100007F:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 17\n \
             2: 0100007F:158B 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 0\n";
        assert_eq!(dropped_in(table, 4711), Some(17));
        assert_eq!(dropped_in(table, 4712), Some(0));
        assert_eq!(dropped_in(table, 1), None);
    }
}

//! How the daemon makes itself known, by libmdns: two services under a host name of its own, so that it contradicts
//! no other responder of this machine.

use super::protocol::Announcement;
use libmdns::{Responder, Service};
use std::io;
use std::time::Duration;
use tokio::runtime::Handle;

const SERVICES: [&str; 2] = ["_daybook._tcp", "_http._tcp"];
const USUAL_PORT: u16 = 7480;
/// What was withdrawn is sent by a task, which must have its turn before it ends.
const FAREWELL: Duration = Duration::from_millis(250);

pub struct Announcer {
    services: Vec<Service>,
    /// Ends its task when it goes, and so goes last.
    responder: Responder,
    pub host: String,
}

impl Announcer {
    pub fn start(announcement: &Announcement) -> io::Result<Self> {
        let host = host();
        let handle = Handle::current();
        let of_ours = format!("{host}-daybook");
        let responder =
            Responder::spawn_with_ip_list_and_hostname(&handle, Vec::new(), of_ours.clone())?;
        let name = match announcement.port {
            USUAL_PORT => format!("Daybook on {host}"),
            port => format!("Daybook on {host} ({port})"),
        };
        let txt: Vec<&str> = announcement
            .txt
            .iter()
            .map(String::as_str)
            .filter(|text| text.len() <= 255)
            .collect();
        let service = |kind: &str| responder.register(kind, &name, announcement.port, &txt);
        Ok(Self {
            services: SERVICES.map(service).into(),
            responder,
            host: format!("{of_ours}.local"),
        })
    }

    /// Says goodbye, and is gone.
    pub async fn withdraw(self) {
        drop(self.services);
        tokio::time::sleep(FAREWELL).await;
        drop(self.responder);
    }
}

/// The first label of this machine's name: a dot would begin another.
fn host() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    let first = name.split('.').next().unwrap_or_default();
    let allowed = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let kept: String = first.chars().filter(allowed).take(40).collect();
    match kept.is_empty() {
        true => "localhost".to_owned(),
        false => kept,
    }
}

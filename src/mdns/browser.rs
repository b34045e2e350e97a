//! How the network is searched, by mdns-sd: what each type says is one stream of sightings.

use super::protocol::Said;
use crate::domain::device::Sighting;
use mdns_sd::{ResolvedService, ServiceDaemon, ServiceEvent};
use std::time::Duration;
use tokio::sync::mpsc;

/// What may wait for the helper's own loop.
const WAITING: usize = 256;
/// A search that ended because too much came is begun again after this.
const PAUSE: Duration = Duration::from_secs(1);

pub struct Browser {
    daemon: ServiceDaemon,
    heard: mpsc::Receiver<Said>,
}

impl Browser {
    pub fn start(types: &[String]) -> Result<Self, String> {
        let daemon = ServiceDaemon::new().map_err(|error| error.to_string())?;
        let (tell, heard) = mpsc::channel(WAITING);
        for kind in types {
            tokio::spawn(search(daemon.clone(), kind.clone(), tell.clone()));
        }
        Ok(Self { daemon, heard })
    }

    /// `None` when nothing more will come.
    pub async fn next(&mut self) -> Option<Said> {
        self.heard.recv().await
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Gone already when its thread has ended.
        let _ = self.daemon.shutdown();
    }
}

/// Until the helper or the daemon does not want it any more.
async fn search(daemon: ServiceDaemon, kind: String, tell: mpsc::Sender<Said>) {
    let domain = format!("{kind}.local.");
    while let Ok(events) = daemon.browse(&domain) {
        while let Ok(event) = events.recv_async().await {
            let said = match event {
                ServiceEvent::ServiceResolved(service) => sighting(&kind, &service),
                ServiceEvent::ServiceRemoved(_, instance) => Some(Said::Gone { instance }),
                _ => None,
            };
            if let Some(said) = said
                && tell.send(said).await.is_err()
            {
                return;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn sighting(kind: &str, service: &ResolvedService) -> Option<Said> {
    let addresses = service.addresses.iter();
    let txt = service.txt_properties.iter();
    let seen = Sighting {
        instance: service.fullname.clone(),
        kind: kind.to_owned(),
        host: service.host.clone(),
        addresses: addresses
            .map(|address| address.to_ip_addr().to_string())
            .collect(),
        port: service.port,
        txt: txt
            .map(|one| (one.key().to_owned(), one.val_str().to_owned()))
            .collect(),
    };
    seen.bounded().map(Said::Found)
}

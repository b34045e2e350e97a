//! The helper's own life: it takes orders, looks after its two libraries as the network changes, says what it
//! learned, and goes when its standard input ends.

use super::announcer::Announcer;
use super::browser::Browser;
use super::network::{self, Network};
use super::protocol::{BEAT_SECONDS, LINES_A_SECOND, LONGEST_LINE, Order, Said, Standing};
use super::{COMMAND, confinement};
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

/// Lines that wait to be written.
const UNWRITTEN: usize = 1_024;
/// After a panic, of whichever library: a helper that is half there is none.
const BROKEN: i32 = 70;

/// First it limits itself and begins anew; `is_confined` says that it has.
pub fn run(memory: u64, is_confined: bool) -> io::Result<()> {
    if !is_confined {
        let arguments = [COMMAND, "--memory", &memory.to_string(), "--confined"];
        return Err(confinement::begin_anew(
            memory,
            &arguments.map(OsString::from),
        ));
    }
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        usual(panic);
        std::process::exit(BROKEN);
    }));
    let orders = orders()?;
    let voice = Voice::new()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(Helper::new(voice).live(orders));
    Ok(())
}

/// What the daemon says, line by line; it ends when the daemon's end of the pipe does.
fn orders() -> io::Result<mpsc::Receiver<Order>> {
    let (tell, orders) = mpsc::channel(4);
    let listen = move || {
        let mut input = BufReader::new(io::stdin());
        loop {
            let mut line = Vec::new();
            let most = LONGEST_LINE as u64;
            let read = (&mut input).take(most).read_until(b'\n', &mut line);
            let is_whole = line.last() == Some(&b'\n');
            if !matches!(read, Ok(n) if n > 0) || !is_whole {
                return;
            }
            match serde_json::from_slice(&line) {
                Ok(order) => {
                    if tell.blocking_send(order).is_err() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    };
    std::thread::Builder::new()
        .name("orders".into())
        .spawn(listen)?;
    Ok(orders)
}

/// What is said goes out by a thread of its own, so that a daemon that does not read stops nothing here.
struct Voice {
    lines: SyncSender<String>,
    /// What may be said of the network in this second.
    left: u32,
    second: Instant,
    dropped: u64,
}

impl Voice {
    fn new() -> io::Result<Self> {
        let (lines, written) = sync_channel(UNWRITTEN);
        std::thread::Builder::new()
            .name("voice".into())
            .spawn(move || write_all(&written))?;
        Ok(Self {
            lines,
            left: LINES_A_SECOND,
            second: Instant::now(),
            dropped: 0,
        })
    }

    fn say(&mut self, said: &Said) {
        if matches!(said, Said::Found(_) | Said::Gone { .. }) && !self.may() {
            self.dropped += 1;
            return;
        }
        let line = serde_json::to_string(said).unwrap_or_default();
        if line.len() >= LONGEST_LINE || self.lines.try_send(line + "\n").is_err() {
            self.dropped += 1;
        }
    }

    fn may(&mut self) -> bool {
        if self.second.elapsed() >= Duration::from_secs(1) {
            (self.left, self.second) = (LINES_A_SECOND, Instant::now());
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

fn write_all(lines: &Receiver<String>) {
    let mut output = io::stdout();
    for line in lines {
        let written = output.write_all(line.as_bytes());
        if written.and_then(|()| output.flush()).is_err() {
            // Nobody listens any more.
            std::process::exit(0);
        }
    }
}

struct Helper {
    voice: Voice,
    order: Option<Order>,
    network: Network,
    browser: Option<Browser>,
    announcer: Option<Announcer>,
    trouble: Option<String>,
}

impl Helper {
    fn new(voice: Voice) -> Self {
        Self {
            voice,
            order: None,
            network: Network::default(),
            browser: None,
            announcer: None,
            trouble: None,
        }
    }

    async fn live(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut beat = tokio::time::interval(Duration::from_secs(BEAT_SECONDS));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let heard = async {
                match &mut self.browser {
                    Some(browser) => browser.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.take(order).await,
                    None => break,
                },
                _ = beat.tick() => self.look_around().await,
                said = heard => match said {
                    Some(said) => self.pass_on(&said),
                    None => self.browser = None,
                },
            }
        }
        self.browser = None;
        if let Some(announcer) = self.announcer.take() {
            announcer.withdraw().await;
        }
    }

    /// What the daemon itself announces is no news to it.
    fn pass_on(&mut self, said: &Said) {
        if let (Said::Found(seen), Some(announcer)) = (said, &self.announcer)
            && seen.host.eq_ignore_ascii_case(&announcer.host)
        {
            return;
        }
        self.voice.say(said);
    }

    async fn take(&mut self, order: Order) {
        let former = self.order.replace(order);
        let (order, former) = (self.order.as_ref(), former.as_ref());
        if former.map(|former| &former.browse) != order.map(|order| &order.browse) {
            self.browser = None;
        }
        let announces = |order: Option<&Order>| order.and_then(|order| order.announce.clone());
        if announces(former) != announces(order)
            && let Some(announcer) = self.announcer.take()
        {
            announcer.withdraw().await;
        }
        self.look_around().await;
    }

    /// Both libraries know the interfaces that there were when they began.
    async fn look_around(&mut self) {
        let Some(order) = self.order.clone() else {
            return;
        };
        self.trouble = None;
        let found = Network::survey().unwrap_or_else(|cause| {
            self.trouble = Some(format!("the interfaces cannot be listed: {cause}"));
            Network::default()
        });
        if found != self.network {
            self.network = found;
            self.browser = None;
            if let Some(announcer) = self.announcer.take() {
                announcer.withdraw().await;
            }
        }
        if self.network.is_empty() {
            let why = "there is no network interface beside loopback";
            self.trouble.get_or_insert_with(|| why.to_owned());
        } else {
            self.search(&order);
            self.announce(&order);
        }
        let standing = Standing {
            interfaces: self.network.interfaces(),
            browsing: self.browser.is_some(),
            announcing: self.announcer.is_some(),
            trouble: self.trouble.clone(),
            dropped: self.voice.dropped,
        };
        self.voice.say(&Said::Standing(standing));
    }

    fn search(&mut self, order: &Order) {
        if self.browser.is_some() || order.browse.is_empty() {
            return;
        }
        match Browser::start(&order.browse) {
            Ok(browser) => {
                self.browser = Some(browser);
                self.voice.say(&Said::Looking);
            }
            Err(error) => self.trouble = Some(format!("the network cannot be searched: {error}")),
        }
    }

    fn announce(&mut self, order: &Order) {
        let Some(announcement) = &order.announce else {
            return;
        };
        if !network::reaches_everybody() {
            let group = network::GROUP;
            self.trouble = Some(format!("there is no route for multicast ({group})"));
            return;
        }
        if self.announcer.is_none() {
            match Announcer::start(announcement) {
                Ok(announcer) => self.announcer = Some(announcer),
                Err(cause) => self.trouble = Some(format!("it cannot be announced: {cause}")),
            }
        }
    }
}

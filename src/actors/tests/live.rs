//! What subscribers are told, while not everybody is: between the LogWriter and the hub.

use super::*;
use crate::actors::event_hub::{Cut, Deliver, EventHub, Subscribe, SubscriberId, Unsubscribe};
use crate::actors::interest::Interest;
use crate::actors::messages::Recorded;
use crate::actors::teller::Listener;
use crate::domain::Seq;
use actix::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

struct Ears(UnboundedSender<Deliver>);

impl Actor for Ears {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Ears {
    type Result = ();

    fn handle(&mut self, deliver: Deliver, _: &mut Context<Self>) {
        // Nobody listens any more at the end.
        let _ = self.0.send(deliver);
    }
}

struct NoSocket;

impl Cut for NoSocket {
    fn cut(&self) {}
}

struct Heard {
    id: SubscriberId,
    from: UnboundedReceiver<Deliver>,
}

impl Heard {
    async fn by(hub: &Addr<EventHub>) -> Self {
        let (to, from) = unbounded_channel();
        let subscribe = Subscribe {
            deliver: Ears(to).start().recipient(),
            socket: Arc::new(NoSocket),
        };
        let id = hub.send(subscribe).await.unwrap();
        Self { id, from }
    }

    async fn welcomed_at(&mut self) -> Seq {
        match self.from.recv().await {
            Some(Deliver::Welcome { last_seq, .. }) => last_seq,
            _ => panic!("no welcome comes first"),
        }
    }

    /// The numbers of the next group.
    async fn next(&mut self) -> (Seq, Seq) {
        match self.from.recv().await {
            Some(Deliver::Recorded(batch)) => (batch.first_seq, batch.last_seq),
            _ => panic!("no group follows"),
        }
    }
}

#[test]
fn who_comes_while_entries_pour_in_is_told_of_each_after_its_welcome() {
    law(|folder, hands| async move {
        let Kept { writer, reader, .. } = Kept::open(&folder, &hands, base(0, 0)).await;
        writer.close().await;
        let head = reader.head().unwrap();
        let interest = Arc::new(Interest::default());
        let hub =
            EventHub::new(&head, Duration::from_secs(60), Arc::clone(&interest)).start_alone();
        let listener = Listener {
            recorded: hub.clone().recipient(),
            replaced: hub.clone().recipient(),
            interest: Arc::clone(&interest),
        };
        let address = format!("sqlite://{}", folder.join("daybook.db").display());
        let store = Address::parse(&address).unwrap().open_writer().unwrap();
        let wall = Arc::new(move || hands.now().wall);
        let metrics = Metrics::new("0", SystemTime::now());
        let writer = Writer::start(store, wall, ROOM, metrics, Some(listener))
            .await
            .unwrap();
        let pouring = {
            let writer = writer.clone();
            actix::spawn(async move {
                loop {
                    writer.record_one(entry("default")).await.unwrap();
                }
            })
        };
        for round in 0..400 {
            // As the feed does, and not only sessions.
            let _wish = (round % 2 == 0).then(|| interest.wish());
            let answered = writer.record_one(entry("default")).await.unwrap();
            let mut heard = Heard::by(&hub).await;
            let mut upto = heard.welcomed_at().await;
            assert!(upto >= answered.seq, "it was recorded before");
            for _ in 0..3 {
                let (first, last) = heard.next().await;
                assert_eq!(first, upto + 1);
                upto = last;
            }
            hub.send(Unsubscribe(heard.id)).await.unwrap();
        }
        pouring.abort();
        writer.close().await;
    });
}

#[test]
fn what_was_recorded_before_a_welcome_is_not_told_after_it() {
    law(|folder, hands| async move {
        let Kept { writer, reader, .. } = Kept::open(&folder, &hands, base(0, 0)).await;
        let head = reader.head().unwrap();
        let interest = Arc::new(Interest::default());
        let hub =
            EventHub::new(&head, Duration::from_secs(60), Arc::clone(&interest)).start_alone();
        let group = |seq: Seq| Recorded {
            first_seq: seq,
            last_seq: seq,
            entries: Vec::new(),
        };
        let seq = head.last_seq + 1;
        // Committed, and on its way because somebody else wished for it.
        interest.is_held_at(seq);
        let mut heard = Heard::by(&hub).await;
        assert_eq!(heard.welcomed_at().await, seq);
        hub.send(group(seq)).await.unwrap();
        hub.send(group(seq + 1)).await.unwrap();
        assert_eq!(heard.next().await, (seq + 1, seq + 1));
        writer.close().await;
    });
}

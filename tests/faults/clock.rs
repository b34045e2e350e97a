//! A clock that steps back: order is kept, and the wall's time is not lost.

use crate::support::book::{assert_in_order, own, rows, sent};
use crate::support::daemon::Place;
use daybook::actors::queue::Size;
use daybook::actors::{Clock, Writer};
use daybook::config::Settings;
use daybook::domain::{Draft, NewEntry, Receipt, Timestamp};
use daybook::storage::Address;
use daybook::telemetry::Metrics;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const NOON: i64 = 1_790_000_000 * SECOND;

fn entry() -> NewEntry {
    let settings = Settings::default();
    let draft = Draft {
        category: Some("system".into()),
        action: Some("clock.looked_at".into()),
        actor: Some("test".into()),
        message: Some("what time is it".into()),
        ..Draft::default()
    };
    draft
        .check(&settings.activity.rules(settings.privacy.policy()))
        .unwrap()
}

/// Records one entry at each of these times, all in one life of the writer.
fn record_at(place: &Place, times: &[i64]) -> Vec<Receipt> {
    let store = Address::parse(&place.url()).unwrap().open_writer().unwrap();
    let wall = Arc::new(AtomicI64::new(0));
    let seen = Arc::clone(&wall);
    let clock: Clock = Arc::new(move || Timestamp::from_micros(seen.load(Ordering::SeqCst)));
    let size = Size {
        entries: 100,
        bytes: 1 << 20,
    };
    let times = times.to_vec();
    actix::System::new().block_on(async move {
        let metrics = Metrics::new("0", std::time::SystemTime::now());
        let writer = Writer::start(store, clock, size, metrics, None)
            .await
            .unwrap();
        let mut receipts = Vec::new();
        for time in times {
            wall.store(time, Ordering::SeqCst);
            receipts.extend(writer.record(vec![entry()]).await.unwrap());
        }
        writer.close().await;
        receipts.into_iter().map(Result::unwrap).collect()
    })
}

#[test]
fn when_the_clock_steps_back_ts_does_not_and_the_wall_time_is_kept() {
    let place = Place::new();
    let wall = [NOON, NOON - HOUR, NOON - HOUR + SECOND, NOON + SECOND];
    let receipts = record_at(&place, &wall);
    let ts: Vec<i64> = receipts.iter().map(|receipt| receipt.ts.micros()).collect();
    // The first one behind takes an entry that says so with it, and that has a place of its own.
    assert_eq!(ts, [NOON, NOON + 1, NOON + 3, NOON + SECOND]);
    let rows = rows(&place.book());
    assert_in_order(&rows);
    assert_eq!(own(&rows), ["server.clock_behind"]);
    assert_eq!(rows[2].action, "server.clock_behind");
    let kept: Vec<&str> = sent(&rows)
        .iter()
        .map(|row| row.metadata.as_str())
        .collect();
    let wall_time = |micros| format!("{{\"occurred_at\":\"{}\"}}", Timestamp::from_micros(micros));
    let expected = ["{}", &wall_time(wall[1]), &wall_time(wall[2]), "{}"];
    assert_eq!(kept, expected);
}

#[test]
fn a_step_back_between_two_lives_is_no_other_than_one_within() {
    let place = Place::new();
    record_at(&place, &[NOON]);
    let receipts = record_at(&place, &[NOON - 24 * HOUR, 0, i64::MIN]);
    let ts: Vec<i64> = receipts.iter().map(|receipt| receipt.ts.micros()).collect();
    assert_eq!(ts, [NOON + 1, NOON + 3, NOON + 4]);
    let rows = rows(&place.book());
    assert_in_order(&rows);
    assert_eq!(own(&rows), ["server.clock_behind"], "once, however far");
    assert!(
        rows[1..]
            .iter()
            .all(|row| row.metadata.contains("occurred_at"))
    );
    assert!(place.daybook(&["check"]).status().unwrap().success());
}

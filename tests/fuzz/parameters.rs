//! What stands behind the question mark of an address.

use crate::{rules, survives};
use daybook::domain::{Filter, Timestamp};
use daybook::http::extract::Query;

const QUERIES: [&[u8]; 12] = [
    b"limit=50&before_seq=10",
    b"after_seq=0&limit=500",
    b"category=auth,device&severity=info",
    b"actor=a%20b&entity_type=t&entity_id=%2F",
    b"action=auth.*&not_action=x.*",
    b"q=%25_%27&not_category=system",
    b"since=24h&until=1s",
    b"since=2026-01-01T00:00:00Z",
    b"since=2026-01-01T00:00:00.123456%2B14:00&until=0s",
    b"severity=warning&severity=error",
    b"=&&=&a",
    b"%F0%9F%92%A1=+",
];

#[test]
fn every_query_is_read_or_refused_by_name() {
    let rules = rules();
    let now = Timestamp::from_micros(1_795_000_000_000_000);
    survives(&QUERIES, |_, tried| {
        // No address is anything but ASCII when it comes here.
        let text: String = tried.iter().map(|byte| char::from(byte & 0x7f)).collect();
        let Ok(mut query) = Query::parse(&text) else {
            return false;
        };
        let page = query.page();
        let pairs: Vec<(String, String)> = text
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let filter = Filter::from_parameters(pairs, now, &rules);
        if let Err(refused) = &filter {
            assert!(
                refused
                    .as_slice()
                    .iter()
                    .all(|error| !error.reason.is_empty())
            );
        }
        page.is_ok() && query.nothing_else().is_ok() || filter.is_ok()
    })
    .unwrap();
}

//! Values that are right each and wrong together, and which key is told. Where that stands is `load`'s.

use super::{ByteSize, Limits, Origins, Settings, Source, captures};
use crate::domain::limits::ENTRY_ADDED_BYTES;
use std::path::Path;

/// A key to change, and what is wrong with it.
type Way = (&'static str, String);

/// What does not go together and the ways out of it, that of the key which gives way first.
struct Check {
    is_wrong: bool,
    ways: Vec<Way>,
}

fn check<const N: usize>(is_wrong: bool, ways: [Way; N]) -> Check {
    let ways = ways.into();
    Check { is_wrong, ways }
}

/// The way out that is the owner's: by a key of the file, else by one that was set at all.
pub fn first_in(settings: &Settings, origins: &Origins) -> Option<(String, String)> {
    let far = |(key, _): &Way| match origins.source_of(key) {
        Source::File => 0,
        Source::Environment(_) | Source::Flag(_) => 1,
        Source::Default => 2,
    };
    let mut checks = of_limits(&settings.limits)
        .into_iter()
        .chain(of_server(settings))
        .chain(of_others(settings));
    let wrong = checks.find(|check| check.is_wrong)?;
    let (key, reason) = wrong.ways.into_iter().min_by_key(far)?;
    Some((key.to_owned(), reason))
}

fn of_limits(limits: &Limits) -> [Check; 4] {
    let (body, bulk_body, memory) = (&limits.body, &limits.bulk_body, &limits.body_memory);
    let (bulk, entries, bytes) = (
        &limits.bulk_entries,
        &limits.queue_entries,
        &limits.queue_bytes,
    );
    let weight = ByteSize::new(limits.bulk_weight());
    let fits = "so that a full bulk and its decoder fit";
    let never = "or a full bulk never has room";
    let too_heavy = format!(
        "makes a full bulk weigh up to {weight}, for which limits.queue_bytes, {bytes}, has no room"
    );
    [
        check(
            bulk_body < body,
            [
                (
                    "limits.bulk_body",
                    format!("must not be smaller than limits.body, {body}"),
                ),
                (
                    "limits.body",
                    format!("must not be larger than limits.bulk_body, {bulk_body}"),
                ),
            ],
        ),
        check(
            memory.get() < 3 * bulk_body.get(),
            [
                (
                    "limits.body_memory",
                    format!("must be three times limits.bulk_body, {bulk_body}, or more, {fits}"),
                ),
                (
                    "limits.bulk_body",
                    format!("must be a third of limits.body_memory, {memory}, or less, {fits}"),
                ),
            ],
        ),
        check(
            entries < bulk,
            [
                (
                    "limits.queue_entries",
                    format!("must not be smaller than limits.bulk_entries, {bulk}, {never}"),
                ),
                (
                    "limits.bulk_entries",
                    format!("must not be larger than limits.queue_entries, {entries}, {never}"),
                ),
            ],
        ),
        check(
            bytes.get() < weight.get(),
            [
                (
                    "limits.queue_bytes",
                    format!(
                        "must be at least {weight}: limits.bulk_body, and {ENTRY_ADDED_BYTES} bytes for each entry \
                         of a full bulk, or that bulk never has room"
                    ),
                ),
                ("limits.bulk_body", too_heavy.clone()),
                ("limits.bulk_entries", too_heavy),
            ],
        ),
    ]
}

fn of_server(settings: &Settings) -> [Check; 3] {
    let server = &settings.server;
    let given = |path: &Path| !path.as_os_str().is_empty();
    let (cert, key) = (given(&server.tls_cert), given(&server.tls_key));
    let is_trusting = !settings.auth.trusted_header.is_empty();
    let nobody = "needs server.trusted_proxies, or anybody could name himself";
    [
        check(
            cert && !key,
            [("server.tls_cert", "needs server.tls_key beside it".into())],
        ),
        check(
            key && !cert,
            [("server.tls_key", "needs server.tls_cert beside it".into())],
        ),
        check(
            is_trusting && server.trusted_proxies.is_empty(),
            [("auth.trusted_header", nobody.into())],
        ),
    ]
}

fn of_others(settings: &Settings) -> [Check; 3] {
    let (ping, idle) = (&settings.live.ping_interval, &settings.live.idle_timeout);
    let (signed, most) = (&settings.auth.session_idle, &settings.auth.session_absolute);
    let extra = &settings.activity.extra_categories;
    let unknown = "one has a category that is neither of the five nor in activity.extra_categories";
    [
        check(
            idle <= ping,
            [
                (
                    "live.idle_timeout",
                    format!("must be longer than live.ping_interval, {ping}"),
                ),
                (
                    "live.ping_interval",
                    format!("must be shorter than live.idle_timeout, {idle}"),
                ),
            ],
        ),
        check(
            most < signed,
            [
                (
                    "auth.session_absolute",
                    format!("must not be shorter than auth.session_idle, {signed}"),
                ),
                (
                    "auth.session_idle",
                    format!("must not be longer than auth.session_absolute, {most}"),
                ),
            ],
        ),
        check(
            captures::of_an_unknown_category(&settings.captures, extra).is_some(),
            [("captures", unknown.into())],
        ),
    ]
}

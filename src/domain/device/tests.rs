//! What becomes of devices, whatever is heard of them.

use super::*;
use crate::domain::clock::Moment;
use crate::domain::{Act, Emitted};
use proptest::prelude::*;
use std::time::Duration;

fn tuning() -> Tuning {
    Tuning {
        timing: Timing {
            interval: Some(Duration::from_secs(60)),
            timeout: Duration::from_secs(5),
            failures: 3,
        },
        flapping: Rule {
            most: 6,
            window: Duration::from_secs(600),
        },
        sweep: Duration::from_secs(3),
        forget_after: Some(Duration::from_secs(30 * 86_400)),
    }
}

fn at(seconds: u64) -> Moment {
    let micros = i64::try_from(seconds).unwrap() * 1_000_000;
    Moment {
        wall: Timestamp::from_micros(1_700_000_000_000_000 + micros),
        passed: Duration::from_secs(seconds),
    }
}

fn sighting(name: &str, address: &str) -> Sighting {
    Sighting {
        instance: format!("{name}._wled._tcp.local."),
        kind: "_wled._tcp".into(),
        host: format!("{name}.local."),
        addresses: vec![address.into()],
        port: 80,
        txt: BTreeMap::new(),
    }
}

/// One that has looked at its network before.
fn seasoned() -> Registry {
    Registry::new(Vec::new(), tuning(), at(0))
}

fn actions(changes: &[Change]) -> Vec<&'static str> {
    let owns = changes.iter().filter_map(Change::own);
    owns.map(|own| own.action()).collect()
}

fn fails() -> Outcome {
    Outcome {
        ok: false,
        millis: 3,
        error: Some("refused".into()),
    }
}

fn answers() -> Outcome {
    Outcome {
        ok: true,
        millis: 3,
        error: None,
    }
}

#[test]
fn the_first_look_is_one_entry_with_the_list_and_later_ones_are_one_each() {
    let mut registry = seasoned();
    registry.begin_look(at(0));
    for name in ["a", "b", "c"] {
        assert_eq!(registry.saw(sighting(name, "10.0.0.1"), at(1)), []);
    }
    assert_eq!(registry.gone("b._wled._tcp.local.", at(1)), None);
    assert_eq!(registry.tick(at(2)), []);
    let swept = registry.tick(at(3));
    assert_eq!(actions(&swept), ["device.discovered"]);
    assert_eq!(swept[0].devices.len(), 2);
    assert_eq!(swept[0].acts().count(), 2);
    assert_eq!(swept[0].events().len(), 2);
    let later = registry.saw(sighting("d", "10.0.0.1"), at(4));
    assert_eq!(actions(&later), ["device.discovered"]);
    // One that knows its network is not at its first look.
    registry.begin_look(at(5));
    assert_eq!(registry.saw(sighting("e", "10.0.0.1"), at(6)).len(), 1);
}

#[test]
fn what_is_said_again_is_no_news() {
    let mut registry = seasoned();
    registry.saw(sighting("a", "10.0.0.1"), at(1));
    for second in 2..100 {
        assert_eq!(registry.saw(sighting("a", "10.0.0.1"), at(second)), []);
    }
    let id = sighting("a", "").id();
    assert_eq!(
        registry.get(&id).unwrap().device.last_seen,
        Some(at(99).wall)
    );
}

#[test]
fn one_more_address_is_no_move_and_another_one_is() {
    let mut registry = seasoned();
    registry.saw(sighting("a", "10.0.0.1"), at(1));
    let mut more = sighting("a", "10.0.0.1");
    more.addresses.push("fe80::1".into());
    assert_eq!(registry.saw(more, at(2)), []);
    let moved = registry.saw(sighting("a", "10.0.0.9"), at(3));
    assert_eq!(moved[0].what, What::Changed(vec!["addresses"]));
    assert_eq!(moved[0].devices[0].addresses, ["10.0.0.9"]);
}

#[test]
fn a_device_is_offline_after_so_many_failures_in_a_row_and_online_after_one_answer() {
    let mut registry = seasoned();
    registry.saw(sighting("a", "10.0.0.1"), at(1));
    let id = sighting("a", "").id();
    let mut heard = Vec::new();
    for (second, outcome) in [
        fails(),
        fails(),
        answers(),
        fails(),
        fails(),
        fails(),
        fails(),
        answers(),
    ]
    .into_iter()
    .enumerate()
    {
        let change = registry.checked(&id, outcome, at(second as u64 * 60));
        heard.extend(change.into_iter().map(|change| (second, change.what)));
    }
    assert_eq!(heard, [(5, What::Offline), (7, What::Online)]);
}

#[test]
fn a_goodbye_is_a_loss_and_the_next_announcement_takes_it_back() {
    let mut registry = seasoned();
    registry.saw(sighting("a", "10.0.0.1"), at(1));
    let lost = registry.gone("A._WLED._tcp.local.", at(2)).unwrap();
    assert_eq!(actions(&[lost]), ["device.lost"]);
    assert_eq!(registry.gone("a._wled._tcp.local.", at(3)), None);
    // What is lost is not checked: it withdrew.
    assert_eq!(registry.due(at(1_000), 9), []);
    let back = registry.saw(sighting("a", "10.0.0.1"), at(1_001));
    assert_eq!(actions(&back), ["device.online"]);
}

#[test]
fn what_does_not_answer_a_search_is_lost_once_that_was_long_enough() {
    let mut registry = seasoned();
    registry.saw(sighting("a", "10.0.0.1"), at(1));
    registry.saw(sighting("b", "10.0.0.2"), at(1));
    registry.begin_look(at(100));
    registry.saw(sighting("a", "10.0.0.1"), at(101));
    assert_eq!(registry.tick(at(129)), []);
    let lost = registry.tick(at(130));
    assert_eq!(actions(&lost), ["device.lost"]);
    assert_eq!(lost[0].devices[0].name, "b");
    // A search that was broken off says nothing.
    registry.begin_look(at(200));
    registry.end_look();
    assert_eq!(registry.tick(at(300)), []);
}

#[test]
fn of_many_that_are_lost_at_once_there_is_one_entry() {
    let mut registry = seasoned();
    for n in 0..20 {
        registry.saw(sighting(&format!("x{n}"), "10.0.0.1"), at(1));
    }
    registry.begin_look(at(2));
    let lost = registry.tick(at(40));
    assert_eq!(actions(&lost), ["device.lost"]);
    assert_eq!((lost[0].devices.len(), lost[0].acts().count()), (20, 20));
}

#[test]
fn a_full_book_makes_room_by_those_that_are_lost_and_nobody_cares_for() {
    let mut registry = seasoned();
    registry.begin_look(at(0));
    for n in 0..MOST_DEVICES {
        registry.saw(sighting(&format!("x{n}"), "10.0.0.1"), at(1));
    }
    registry.tick(at(10));
    assert_eq!(registry.saw(sighting("new", "10.0.0.1"), at(11)), []);
    registry.gone("x7._wled._tcp.local.", at(12));
    let done = registry.saw(sighting("new", "10.0.0.1"), at(13));
    assert_eq!(actions(&done), ["device.removed", "device.discovered"]);
    assert_eq!(done[0].devices[0].name, "x7");
    assert_eq!(registry.len(), MOST_DEVICES);
}

#[test]
fn a_flood_of_names_is_bounded_counted_and_told_once() {
    let mut registry = seasoned();
    let mut told = Vec::new();
    for n in 0..10_000u64 {
        let second = 1 + n / 1_000;
        told.extend(registry.saw(sighting(&format!("x{n}"), "10.0.0.1"), at(second)));
        told.extend(registry.tick(at(second)));
    }
    told.extend(registry.tick(at(3_700)));
    assert!(registry.len() < 60, "{}", registry.len());
    let dropped = |change: &&Change| matches!(change.what, What::Dropped(_));
    let dropped: Vec<&Change> = told.iter().filter(dropped).collect();
    assert_eq!(dropped.len(), 2, "at once, and after an hour");
    assert_eq!(told.len(), registry.len() + 2);
    let counted: u64 = dropped
        .iter()
        .map(|change| match change.what {
            What::Dropped(count) => count,
            _ => 0,
        })
        .sum();
    assert_eq!(counted + registry.len() as u64, 10_000);
    assert_eq!(registry.dropped_in_all, counted);
}

#[test]
fn the_first_look_takes_no_more_than_a_book_holds() {
    let mut registry = seasoned();
    registry.begin_look(at(0));
    for n in 0..3_000 {
        registry.saw(sighting(&format!("x{n}"), "10.0.0.1"), at(1));
    }
    assert_eq!(registry.len(), MOST_DEVICES);
    let told = registry.tick(at(3));
    assert_eq!(actions(&told), ["device.discovered", "device.dropped"]);
    let entry = told[0].own().unwrap().by_system();
    assert!(entry.weight() < 16 * 1024, "{}", entry.weight());
}

#[test]
fn of_an_ignored_device_nothing_is_told_and_its_state_is_kept() {
    let mut registry = seasoned();
    registry.saw(sighting("a", "10.0.0.1"), at(1));
    let id = sighting("a", "").id();
    let ignore = Alter {
        ignored: Some(true),
        ..Alter::default()
    };
    let done = registry.alter(&id, ignore.clone(), at(2)).unwrap();
    assert_eq!(actions(&done), ["device.ignored"]);
    assert_eq!(registry.alter(&id, ignore, at(2)).unwrap(), []);
    let gone = registry.gone("a._wled._tcp.local.", at(3)).unwrap();
    assert_eq!((gone.own(), gone.events()), (None, Vec::new()));
    assert_eq!(gone.devices[0].state, State::Lost);
    assert_eq!(gone.acts().count(), 1);
    assert_eq!(registry.due(at(1_000), 9), []);
}

#[test]
fn checks_go_by_type_and_by_what_somebody_says() {
    let timing = tuning().timing;
    let of = |kind: Option<&str>, check: Option<Check>| {
        let mut registry = seasoned();
        let asked = NewDevice {
            address: "10.0.0.1".into(),
            name: None,
            kind: kind.map(str::to_owned),
            port: Some(8_080),
            check,
        };
        let id = DeviceId::trusted("x");
        registry.add(asked, id.clone(), at(0)).unwrap();
        Plan::of(&registry.get(&id).unwrap().device, timing)
    };
    let path = |plan: Option<Plan>| plan.map(|plan| plan.probe.path);
    assert_eq!(path(of(Some("_http._tcp"), None)), Some(Some("/".into())));
    assert_eq!(path(of(Some("_ssh._tcp"), None)), Some(None));
    assert_eq!(path(of(None, None)), Some(None));
    assert_eq!(path(of(Some("_sleep-proxy._udp"), None)), None);
    let said = Check {
        kind: Some(CheckKind::Http),
        port: Some(81),
        path: Some("/health".into()),
        interval_seconds: Some(7),
        timeout_seconds: Some(2),
        failures: Some(1),
    };
    let plan = of(Some("_ssh._tcp"), Some(said)).unwrap();
    assert_eq!((plan.probe.port, plan.interval.as_secs()), (81, 7));
    assert_eq!((plan.timeout.as_secs(), plan.failures), (2, 1));
    assert_eq!(plan.probe.path.as_deref(), Some("/health"));
    let mut odd = sighting("odd", "127.0.0.1");
    odd.addresses
        .extend(["224.0.0.1".into(), "0.0.0.0".into(), "::1".into()]);
    let mut own = seasoned();
    assert_eq!(own.saw(odd, at(1))[0].devices[0].addresses, [""; 0]);
    let mut far = seasoned();
    far.saw(sighting("far", "fe80::1"), at(1));
    let nowhere = &far.get(&sighting("far", "").id()).unwrap().device;
    assert_eq!(Plan::of(nowhere, timing), None, "of no known interface");
    let none = Check {
        kind: Some(CheckKind::None),
        ..Check::default()
    };
    assert_eq!(of(Some("_ssh._tcp"), Some(none)), None);
}

#[test]
fn no_more_checks_are_due_than_there_is_room_for_and_none_twice() {
    let mut registry = seasoned();
    for n in 0..10 {
        registry.saw(sighting(&format!("x{n}"), "10.0.0.1"), at(1));
    }
    assert_eq!(registry.due(at(2), 4), [], "not before its interval");
    let first = registry.due(at(61), 4);
    let rest = registry.due(at(61), 40);
    assert_eq!((first.len(), rest.len()), (4, 6));
    assert_eq!(registry.due(at(500), 40), []);
    for (id, _) in first {
        registry.checked(&id, answers(), at(500));
    }
    assert_eq!(registry.due(at(559), 40), []);
    assert_eq!(registry.due(at(560), 40).len(), 4);
}

#[test]
fn what_other_software_reports_is_told_on_transitions_alone() {
    let mut registry = seasoned();
    let id = DeviceId::parse("strip-7").unwrap();
    let mut told = Vec::new();
    for is_connected in [true, true, false, false, true] {
        let said = Report {
            name: Some("Strip".into()),
            ..Report::default()
        };
        told.extend(registry.report(&id, is_connected, said, at(1)).unwrap());
    }
    assert_eq!(
        actions(&told),
        [
            "device.connected",
            "device.disconnected",
            "device.connected"
        ]
    );
    assert_eq!(told[0].devices[0].source, Source::Reported);
    let ours = DeviceId::of_instance("a._wled._tcp.local.");
    let unknown = registry.report(&ours, true, Report::default(), at(1));
    assert_eq!(unknown, Err(NotDone::NoSuchDevice));
}

#[test]
fn what_is_lost_for_long_is_forgotten_unless_somebody_cares_for_it() {
    let mut registry = seasoned();
    for name in ["a", "b"] {
        registry.saw(sighting(name, "10.0.0.1"), at(1));
        registry.gone(&format!("{name}._wled._tcp.local."), at(2));
    }
    let named = Alter {
        given_name: Some(Some("Kitchen".into())),
        ..Alter::default()
    };
    registry
        .alter(&sighting("b", "").id(), named, at(3))
        .unwrap();
    assert_eq!(registry.forget(at(29 * 86_400)), []);
    let forgotten = registry.forget(at(31 * 86_400));
    assert_eq!(actions(&forgotten), ["device.removed"]);
    let act = forgotten[0].acts().next();
    assert!(matches!(act, Some(Act::RemoveDevice { .. })));
    assert_eq!(registry.len(), 1);
}

#[test]
fn a_stranger_names_itself_within_limits() {
    let mut wild = sighting("a\u{7}\n", "10.0.0.1");
    wild.instance = format!("{}._wled._tcp.local.", "\u{7}x".repeat(200));
    wild.txt = (0..100)
        .map(|n| (format!("k{n}"), "v".repeat(999)))
        .collect();
    wild.addresses = (0..100).map(|n| format!("10.0.0.{n}")).collect();
    let told = seasoned().saw(wild, at(1));
    let device = &told[0].devices[0];
    assert_eq!(device.name.chars().count(), NAME_CHARS);
    assert!(!device.name.contains(char::is_control));
    assert_eq!(
        (device.txt.len(), device.addresses.len()),
        (MOST_TXT, MOST_ADDRESSES)
    );
    assert!(device.weight() < 32 * 1024);
    let key = sighting(
        &format!("dbk_{}_{}", "a".repeat(9), "b".repeat(9)),
        "10.0.0.1",
    );
    assert_eq!(seasoned().saw(key, at(1))[0].devices[0].name, "[redacted]");
}

#[test]
fn an_id_is_safe_in_an_address_and_the_same_tomorrow() {
    let id = DeviceId::of_instance("Küche._wled._tcp.local.");
    assert_eq!(id, DeviceId::of_instance("KüCHE._wled._tcp.LOCAL."));
    assert_eq!(DeviceId::parse(id.as_str()), Ok(id.clone()));
    assert_eq!(id.as_str().len(), 20);
    for wrong in ["", ".", "..", "a/b", "a b", "ä", "dbk_a_b", &"a".repeat(65)] {
        assert!(DeviceId::parse(wrong).is_err(), "{wrong}");
    }
}

#[derive(Debug, Clone)]
enum Heard {
    Saw(u8, u8),
    Gone(u8),
    Checked(u8, bool),
    Look,
    Time(u16),
}

fn heard() -> impl Strategy<Value = Heard> {
    prop_oneof![
        4 => (0u8..4, 0u8..3).prop_map(|(name, address)| Heard::Saw(name, address)),
        3 => (0u8..4).prop_map(Heard::Gone),
        4 => (0u8..4, any::<bool>()).prop_map(|(name, ok)| Heard::Checked(name, ok)),
        1 => Just(Heard::Look),
        3 => (1u16..400).prop_map(Heard::Time),
    ]
}

proptest! {
    /// Whatever comes: what was told last of a device is how it is once it has been quiet, nothing is told that
    /// changes nothing, and no window holds more than it may.
    #[test]
    fn the_book_ends_up_right_and_short(heard in prop::collection::vec(heard(), 0..300)) {
        let mut registry = seasoned();
        let mut now = 0u64;
        let mut told: Vec<(u64, Change)> = Vec::new();
        let name = |n: u8| format!("d{n}");
        for one in heard {
            let changes: Vec<Change> = match one {
                Heard::Saw(n, a) => registry.saw(sighting(&name(n), &format!("10.0.0.{a}")), at(now)),
                Heard::Gone(n) => {
                    let gone = registry.gone(&format!("{}._wled._tcp.local.", name(n)), at(now));
                    gone.into_iter().collect()
                }
                Heard::Checked(n, ok) => {
                    let outcome = if ok { answers() } else { fails() };
                    let id = sighting(&name(n), "").id();
                    registry.checked(&id, outcome, at(now)).into_iter().collect()
                }
                Heard::Look => {
                    registry.begin_look(at(now));
                    Vec::new()
                }
                Heard::Time(seconds) => {
                    now += u64::from(seconds);
                    registry.tick(at(now))
                }
            };
            told.extend(changes.into_iter().map(|change| (now, change)));
        }
        // The end of a search, and then quiet.
        for seconds in [100, 10_000] {
            now += seconds;
            told.extend(registry.tick(at(now)).into_iter().map(|change| (now, change)));
        }
        for one in registry.after(None) {
            let id = &one.device.id;
            let of = |change: &Change| change.devices.iter().find(|held| held.id == *id).cloned();
            let own: Vec<(u64, Device, Emitted)> = told
                .iter()
                .filter_map(|(when, change)| {
                    let emitted = match change.what {
                        What::Discovered => Emitted::DeviceDiscovered,
                        What::Online => Emitted::DeviceOnline,
                        What::Offline => Emitted::DeviceOffline,
                        What::Lost => Emitted::DeviceLost,
                        What::Changed(_) => Emitted::DeviceChanged,
                        What::Flapping => Emitted::DeviceFlapping,
                        _ => return None,
                    };
                    Some((*when, of(change)?, emitted))
                })
                .collect();
            let states: Vec<&(u64, Device, Emitted)> = own
                .iter()
                .filter(|(_, _, e)| !matches!(e, Emitted::DeviceChanged | Emitted::DeviceFlapping))
                .collect();
            prop_assert_eq!(states.last().unwrap().1.state, one.device.state);
            for pair in states.windows(2) {
                prop_assert_ne!(pair[0].1.state, pair[1].1.state, "told twice");
            }
            let window = tuning().flapping.window.as_secs();
            for (from, ..) in &own {
                let within = own.iter().filter(|(when, ..)| (*from..from + window).contains(when));
                // The rule, that it flaps, how it came out; and that it was found.
                prop_assert!(within.count() <= tuning().flapping.most + 3);
            }
        }
    }
}

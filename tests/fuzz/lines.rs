//! Entries as text: our own JSON, one, many and in lines; lines of captures, and the streams that they are cut from.

use crate::dice::Dice;
use crate::{is_within_limits, rules, survives};
use daybook::domain::Draft;
use daybook::ingest::captured::{Format, Reading};
use daybook::ingest::framing::Framer;
use daybook::ingest::native::{self, Bulk, looks_like_array};
use std::collections::BTreeMap;

const ENTRIES: [&[u8]; 6] = [
    br#"{"category":"auth","action":"auth.login","message":"in","metadata":{"a":[1,2.5e3,{"b":null}]}}"#,
    br#"{"id":"y","category":"system","action":"s","message":"m","ip_address":"::1","entity_type":"t"}"#,
    br#"[{"category":"device","action":"d","message":"\u00fc"},{"id":"x","category":"entity","action":"e","message":"m"}]"#,
    b"{\"category\":\"auth\",\"action\":\"a\",\"message\":\"1\"}\n{\"category\":\"auth\",\"action\":\"a\",\"message\":\"2\"}\n",
    br#"{"metadata":{"$serde_json::private::RawValue":"}"},"category":"auth","action":"a","message":"m"}"#,
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]",
];
const LINES: [&[u8]; 7] = [
    b"<165>1 2026-11-21T08:00:00.003Z host app 8710 ID47 [ex@1 iut=\"3\" eventSource=\"App\\\"]\"] \xef\xbb\xbfsaid",
    b"<34>Nov 21 08:00:00 host su[77]: 'su root' failed",
    b"<0>x",
    br#"{"message":"m","severity":"warn","actor":"a","nested":{"a":[1,2]}}"#,
    b"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1\nMESSAGE=hello\nPRIORITY=3\n_SYSTEMD_UNIT=x.service\n",
    b"just a line",
    b"",
];
const MOST: usize = 64;

/// As its principal would.
fn said_by_somebody(mut draft: Draft) -> Draft {
    draft.actor.get_or_insert_with(|| "somebody".to_owned());
    draft
}

fn many(bulk: Result<Bulk, daybook::domain::FieldErrors>, most: usize) -> bool {
    let Ok(bulk) = bulk else {
        return false;
    };
    assert!(bulk.len() <= most, "{} of {most}", bulk.len());
    let rules = rules();
    let checked = bulk
        .drafts()
        .map(|draft| draft.and_then(|draft| said_by_somebody(draft).check(&rules)));
    let right = checked.flatten().inspect(is_within_limits).count();
    right > 0
}

#[test]
fn our_own_json_survives_whatever_comes() {
    let rules = rules();
    survives(&ENTRIES, |dice, tried| {
        let most = 1 + dice.roll(3);
        match looks_like_array(tried) {
            _ if dice.roll(2) == 0 => many(Bulk::lines(tried, most), most),
            Some(true) => many(Bulk::array(tried, most), most),
            _ => {
                let checked =
                    native::one(tried).and_then(|draft| said_by_somebody(draft).check(&rules));
                checked
                    .as_ref()
                    .ok()
                    .inspect(|entry| is_within_limits(entry))
                    .is_some()
            }
        }
    })
    .unwrap();
}

fn reading(dice: &mut Dice) -> Reading {
    let formats = [Format::Text, Format::Json, Format::Syslog, Format::Journal];
    let map = [
        ("actor", "ex@1.iut"),
        ("message", "nested.a"),
        ("x", "message"),
    ];
    let some = |text: &str| Some(text.to_owned());
    Reading {
        format: formats[dice.roll(formats.len())],
        map: map[..dice.roll(map.len() + 1)]
            .iter()
            .map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        defaults: Draft {
            category: some("capture"),
            action: some("line.read"),
            actor: some("a-capture"),
            ..Draft::default()
        },
    }
}

#[test]
fn every_line_of_a_capture_becomes_an_entry_within_the_limits() {
    let rules = rules();
    survives(&LINES, |dice, tried| {
        let fitted = reading(dice).read(tried, dice.roll(2) == 0, Some("192.0.2.1"), &rules);
        let entry = fitted.draft.check(&rules).expect("it was made to fit");
        is_within_limits(&entry);
        // None is refused; so many were right already.
        !fitted.cut
    })
    .unwrap();
}

/// What comes out of a stream that comes in such pieces.
fn cut(dice: &mut Dice, stream: &[u8], counts: bool, largest: usize) -> Vec<(Vec<u8>, bool, u64)> {
    let mut framer = Framer::new(MOST, counts);
    let mut out = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((1 + dice.roll(largest)).min(rest.len()));
        framer.feed(piece, |line| out.push((line.bytes, line.cut, line.end)));
        rest = after;
    }
    out.extend(framer.end().map(|line| (line.bytes, line.cut, line.end)));
    out
}

#[test]
fn a_stream_is_cut_into_lines_that_do_not_depend_on_how_it_came() {
    const STREAMS: [&[u8]; 4] = [
        b"10 <34>1 - a\n11 <34>1 - ab\n<34>1 plain\n",
        b"one\ntwo\r\nthree\n\n\nfour",
        b"0000012 <34>1 - - - 99999999 x",
        b"200 <1>a line that is longer than any line may be, so that it is cut and what is left of it passed over, to its end\nafter\n",
    ];
    survives(&STREAMS, |dice, tried| {
        let counts = dice.roll(2) == 0;
        let lines = cut(dice, tried, counts, 7);
        assert_eq!(lines, cut(dice, tried, counts, 1 << 16));
        let mut before = 0;
        for (bytes, _, end) in &lines {
            assert!(bytes.len() <= MOST, "{}", bytes.len());
            assert!(*end >= before && *end <= tried.len() as u64, "{end}");
            before = *end;
        }
        lines.iter().all(|(_, cut, _)| !cut)
    })
    .unwrap();
}

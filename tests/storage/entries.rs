//! What goes in comes out again, byte for byte.

use crate::harness::*;
use daybook::domain::{Draft, EntryId, Position, Stored};
use serde_json::json;

fn full() -> Line {
    let some = |text: &str| Some(text.to_owned());
    let metadata = json!({
        "z": [1, -0.0, 1e300, null, "tab\tquote\" \u{1f4d6}"], "a": {"b": {}}, "nul\0": "x\0y", "n": 18446744073709551615u64
    });
    Line(Draft {
        id: some("chosen-by_the-client"),
        category: some("device"),
        action: some("device.renamed:a/b-c"),
        severity: some("warning"),
        actor: some("Änne \u{1f600}"),
        entity_type: some("lamp"),
        entity_id: some("'; DROP TABLE activity_log; --"),
        entity_name: some("<b>über</b> %_\\"),
        message: some("line one\nline two"),
        metadata: metadata.as_object().cloned(),
        workspace_id: some("default"),
        ip_address: some("2001:db8::1"),
        user_agent: some("curl/8 \"quoted\""),
    })
}

#[test]
fn an_entry_comes_back_as_it_was_recorded() {
    every_backend(|book| {
        for sent in [full(), line("nothing but what is required")] {
            let receipt = book.record([sent.clone()]).remove(0);
            let expected = Stored {
                seq: receipt.seq,
                entry: sent.checked().recorded(&receipt),
            };
            let page = book.page(&own(), &everything(), Position::Newest, 1);
            assert_eq!(page.items, std::slice::from_ref(&expected));
            let found = book.reader().entry(&own(), &receipt.id).unwrap();
            assert_eq!(found, Some(expected.clone()));
            assert_eq!(
                book.export(&own(), &everything(), 10).last(),
                Some(&expected)
            );
        }
    });
}

#[test]
fn metadata_comes_back_in_its_canonical_bytes() {
    every_backend(|book| {
        book.record([full()]);
        let page = book.page(&own(), &everything(), Position::Newest, 1);
        assert_eq!(
            page.items[0].entry.metadata.as_str(),
            "{\"a\":{\"b\":{}},\"n\":18446744073709551615,\"nul\u{fffd}\":\"x\u{fffd}y\",\
             \"z\":[1,0.0,1e+300,null,\"tab\\tquote\\\" \u{1f4d6}\"]}"
        );
    });
}

#[test]
fn what_was_not_said_stays_unsaid() {
    every_backend(|book| {
        book.record([line("bare")]);
        let entry = book
            .page(&own(), &everything(), Position::Newest, 1)
            .items
            .remove(0)
            .entry;
        let unsaid = [
            entry.entity_type,
            entry.entity_id,
            entry.entity_name,
            entry.ip_address,
            entry.user_agent,
        ];
        assert_eq!(unsaid, [const { None }; 5]);
        assert_eq!(entry.metadata.as_str(), "{}");
    });
}

#[test]
fn an_entry_without_an_id_gets_one_of_its_own() {
    every_backend(|book| {
        let receipts = book.record(lines(100));
        let mut ids: Vec<&str> = receipts.iter().map(|receipt| receipt.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 100);
        assert!(ids.iter().all(|id| id.starts_with("al_") && id.len() == 35));
    });
}

#[test]
fn an_id_that_is_not_in_the_book_finds_nothing() {
    every_backend(|book| {
        book.record(lines(3));
        let found = book.reader().entry(&own(), &EntryId::trusted("nobody"));
        assert_eq!(found, Ok(None));
    });
}

#[test]
fn an_empty_book_answers_with_nothing() {
    every_backend(|book| {
        for scope in [own(), all()] {
            assert!(book.seen(&scope).is_empty());
            let page = book.page(
                &scope,
                &filter(&[("q", "x"), ("since", "1h")]),
                Position::After(7),
                5,
            );
            assert_eq!(
                (page.next_before_seq, page.next_after_seq, page.newest_seq),
                (None, None, None)
            );
        }
        let info = book.reader().info().unwrap();
        assert_eq!((info.head.last_seq, info.first_seq), (0, None));
        assert_eq!(info.head, *book.writer().head());
    });
}

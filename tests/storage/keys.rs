//! Keys are kept whole, and change together with the entries that say so.

use crate::harness::*;
use daybook::domain::key::{FormerSecret, LastUse};
use daybook::domain::{Act, Key, KeyLabel, Reach, Rights, SecretHash, WorkspaceId};
use daybook::storage::Request;

fn key(label: &str, id: &str) -> Key {
    Key {
        label: KeyLabel::parse(label).unwrap(),
        id: id.to_owned(),
        secret: SecretHash([7; 32]),
        former: None,
        rights: Rights::parse(["write"]).unwrap(),
        reach: Reach::All,
        speaks_for_others: false,
        created: at(1),
        expires: None,
        revoked: None,
        last_used: None,
    }
}

fn commit(book: &mut Book, acts: Vec<Act>) {
    let entries = Vec::new();
    let (now, group) = (book.now, [Request { acts, entries }]);
    book.writer().commit(now, &group).unwrap();
}

fn put(key: &Key) -> Act {
    Act::PutKey(Box::new(key.clone()))
}

#[test]
fn a_key_comes_back_as_it_was_put_and_after_a_restart() {
    every_backend(|book| {
        let plain = key("b", "id1");
        let full = Key {
            former: Some(FormerSecret {
                hash: SecretHash([9; 32]),
                until: at(5),
            }),
            rights: Rights::ALL,
            reach: Reach::One(WorkspaceId::trusted("a")),
            speaks_for_others: true,
            expires: Some(at(9)),
            revoked: Some(at(3)),
            ..key("a", "id2")
        };
        commit(book, vec![put(&plain), put(&full)]);
        let both = vec![full, plain];
        assert_eq!(book.reader().keys().unwrap(), both);
        book.reopen();
        assert_eq!(book.reader().keys().unwrap(), both);
    });
}

#[test]
fn a_key_that_is_put_again_changes_and_its_last_use_stays() {
    every_backend(|book| {
        let mut ci = key("ci", "id1");
        ci.former = Some(FormerSecret {
            hash: SecretHash([1; 32]),
            until: at(2),
        });
        let used = LastUse {
            at: at(4),
            from: Some("192.0.2.1".into()),
        };
        let id = ci.id.clone();
        commit(
            book,
            vec![
                put(&ci),
                Act::KeyUsed {
                    id,
                    used: used.clone(),
                },
            ],
        );
        ci.secret = SecretHash([8; 32]);
        ci.former = None;
        commit(book, vec![put(&ci)]);
        ci.last_used = Some(used);
        assert_eq!(book.reader().keys().unwrap(), [ci]);
    });
}

#[test]
fn a_workspace_comes_into_being_with_its_first_key() {
    every_backend(|book| {
        let one = WorkspaceId::trusted("one");
        let reach = Reach::One(one.clone());
        commit(
            book,
            vec![put(&Key {
                reach,
                ..key("ci", "id1")
            })],
        );
        assert_eq!(book.reader().workspaces().unwrap(), [one]);
    });
}

#[test]
fn an_entry_that_cannot_be_committed_takes_its_key_with_it() {
    every_backend(|book| {
        book.backend().fail_at("fails");
        let mut request = request([line("fails")]);
        request.acts.push(put(&key("ci", "id1")));
        let now = book.now;
        assert!(book.writer().commit(now, &[request]).is_err());
        assert_eq!(book.reader().keys().unwrap(), []);
    });
}

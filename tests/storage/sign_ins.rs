//! Who is signed in is kept, and changes together with the entries that say so.

use crate::harness::*;
use daybook::domain::{Act, SecretHash, SignIn};
use daybook::storage::Request;

fn sign_in(number: u8) -> SignIn {
    SignIn {
        token: SecretHash([number; 32]),
        key_id: "id1".into(),
        key_secret: SecretHash([7; 32]),
        created: at(1),
        last_used: at(2),
    }
}

fn commit(book: &mut Book, acts: Vec<Act>) {
    let entries = Vec::new();
    let (now, group) = (book.now, [Request { acts, entries }]);
    book.writer().commit(now, &group).unwrap();
}

fn put(number: u8) -> Act {
    Act::PutSignIn(Box::new(sign_in(number)))
}

#[test]
fn a_sign_in_comes_back_as_it_was_put_and_used_and_after_a_restart() {
    every_backend(|book| {
        let used = Act::SignInUsed {
            token: sign_in(2).token,
            at: at(9),
        };
        commit(book, vec![put(1), put(2), used]);
        let second = SignIn {
            last_used: at(9),
            ..sign_in(2)
        };
        let both = vec![sign_in(1), second];
        assert_eq!(book.reader().sign_ins().unwrap(), both);
        book.reopen();
        assert_eq!(book.reader().sign_ins().unwrap(), both);
    });
}

#[test]
fn what_is_ended_is_gone_and_is_not_brought_back_by_a_late_use() {
    every_backend(|book| {
        commit(book, vec![put(1), put(2), put(3)]);
        let tokens = [1, 3, 9].map(|number| sign_in(number).token);
        commit(book, vec![Act::EndSignIns(tokens.to_vec())]);
        let used = Act::SignInUsed {
            token: tokens[0],
            at: at(9),
        };
        commit(book, vec![used]);
        assert_eq!(book.reader().sign_ins().unwrap(), [sign_in(2)]);
    });
}

#[test]
fn an_entry_that_cannot_be_committed_takes_its_sign_in_with_it() {
    every_backend(|book| {
        book.backend().fail_at("fails");
        let mut request = request([line("fails")]);
        request.acts.push(put(1));
        let now = book.now;
        assert!(book.writer().commit(now, &[request]).is_err());
        assert_eq!(book.reader().sign_ins().unwrap(), []);
    });
}

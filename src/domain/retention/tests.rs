//! Which of the rules wins, and what each may say.

use super::*;

#[test]
fn a_rule_outside_its_bounds_names_the_field() {
    let rule = |max_days, max_entries| {
        Rule {
            max_days,
            max_entries,
        }
        .check()
        .map_err(|e| e.field)
    };
    assert!(rule(0, 0).is_ok());
    assert!(rule(1, 100).is_ok());
    assert!(rule(36_500, 1_000_000_000).is_ok());
    assert_eq!(rule(36_501, 0).unwrap_err(), "max_days");
    assert_eq!(rule(0, 99).unwrap_err(), "max_entries");
    assert_eq!(rule(0, 1_000_000_001).unwrap_err(), "max_entries");
}

fn base(locked: bool, sources: [Source; 3]) -> Base {
    Base {
        enabled: true,
        rule: Rule {
            max_days: 90,
            max_entries: 20_000,
        },
        locked,
        sources,
    }
}

fn put(text: &str) -> Override {
    serde_json::from_str(text).unwrap()
}

fn name(text: &str) -> WorkspaceId {
    WorkspaceId::trusted(text)
}

#[test]
fn what_wins_is_environment_then_a_locked_file_then_what_was_put_then_the_file() {
    let days = |base: Base, put: Override| {
        let mut retention = Retention::new(base);
        retention.put(None, put);
        let held = retention.in_force(None);
        (held.rule.max_days, held.source(), held.is_locked())
    };
    let of_file = [Source::File; 3];
    let of_env = [Source::File, Source::Environment, Source::File];
    let seven = put(r#"{"max_days":7}"#);
    assert_eq!(
        days(base(false, of_file), Override::default()),
        (90, Source::File, false)
    );
    assert_eq!(
        days(base(false, of_file), seven),
        (7, Source::Override, false)
    );
    assert_eq!(days(base(true, of_file), seven), (90, Source::File, true));
    assert_eq!(
        days(base(false, of_env), seven),
        (90, Source::Environment, true)
    );
}

#[test]
fn a_workspace_has_its_own_and_follows_the_book_in_the_rest() {
    let mut retention = Retention::new(base(false, [Source::File; 3]));
    retention.put(None, put(r#"{"enabled":false,"max_days":30}"#));
    retention.put(Some(&name("a")), put(r#"{"max_days":7}"#));
    let a = retention.in_force(Some(&name("a")));
    assert_eq!(
        (a.enabled, a.rule.max_days, a.rule.max_entries),
        (false, 7, 20_000)
    );
    assert_eq!(retention.in_force(Some(&name("b"))).rule.max_days, 30);
    assert!(!retention.records(&name("a")));
    retention.put(Some(&name("a")), Override::default());
    assert!(retention.workspaces.is_empty());
}

#[test]
fn what_the_book_kept_is_remembered_and_what_cannot_be_read_is_named() {
    let mut retention = Retention::new(base(false, [Source::File; 3]));
    let kept = [
        ("retention".to_owned(), r#"{"max_days":30}"#.to_owned()),
        (
            "retention/a".to_owned(),
            r#"{"max_entries":100}"#.to_owned(),
        ),
        ("retention/b".to_owned(), "[".to_owned()),
    ];
    assert_eq!(retention.remember(&kept), ["retention/b"]);
    let a = retention.in_force(Some(&name("a")));
    assert_eq!((a.rule.max_days, a.rule.max_entries), (30, 100));
}

#[test]
fn what_is_put_is_checked_and_null_takes_it_back() {
    let with = |text: &str| {
        let object: Map<String, Value> = serde_json::from_str(text).unwrap();
        put(r#"{"max_days":30}"#).with(&object)
    };
    assert_eq!(with(r#"{"max_days":null}"#).unwrap(), Override::default());
    assert_eq!(
        with(r#"{"enabled":false}"#).unwrap(),
        put(r#"{"enabled":false,"max_days":30}"#)
    );
    let wrong = |text: &str| -> Vec<String> {
        let errors = with(text).unwrap_err().into_vec();
        errors.into_iter().map(|e| e.field.into_owned()).collect()
    };
    assert_eq!(
        wrong(r#"{"max_days":36501,"max_entries":99}"#),
        ["max_days", "max_entries"]
    );
    assert_eq!(wrong(r#"{"max_days":-1}"#), ["max_days"]);
    assert_eq!(wrong(r#"{"max_days":"7"}"#), ["max_days"]);
    assert_eq!(wrong(r#"{"max_entries":1.5}"#), ["max_entries"]);
    assert_eq!(
        wrong(r#"{"enabled":1,"interval":"1h"}"#),
        ["enabled", "interval"]
    );
    assert_eq!(wrong("{}"), ["body"]);
}

#[test]
fn a_change_concerns_everybody_or_those_for_whom_something_else_holds() {
    let before = Retention::new(base(false, [Source::File; 3]));
    assert_eq!(before.whose_differ(&before), []);
    let with = |whose: Option<&str>, text: &str| {
        let mut after = before.clone();
        after.put(whose.map(name).as_ref(), put(text));
        after
    };
    let of_a = with(Some("a"), r#"{"max_days":7}"#);
    assert_eq!(of_a.whose_differ(&before), [Some(name("a"))]);
    assert_eq!(before.whose_differ(&of_a), [Some(name("a"))]);
    let of_all = with(None, r#"{"max_days":30}"#);
    assert_eq!(of_all.whose_differ(&of_a), [None]);
    // Another rule in the file is everybody's, and so is that it is locked.
    let mut locked = before.clone();
    locked.base.locked = true;
    assert_eq!(locked.whose_differ(&before), [None]);
}

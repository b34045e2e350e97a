//! Which rule is in force, and when a change takes effect.

use super::*;
use crate::actors::event_hub::Publish;
use crate::actors::lifecycle;
use crate::actors::messages::BookReplaced;
use crate::actors::pruner::{Pruner, Reload, Retain, Stop};
use crate::actors::supervisor::{Opened, Start, Supervisor};
use crate::config::{ByteSize, Changes, Inputs, Loaded};
use crate::domain::live::Event;
use crate::domain::retention::Retention;
use crate::domain::{Act, Own, Severity};

#[test]
fn switching_off_is_recorded_before_it_takes_effect_and_survives_a_restart() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        let record = |kept: &Kept| kept.recorder.record(Entity::task("1").created());
        record(&kept);
        kept.put(None, r#"{"enabled":false}"#).await.unwrap();
        record(&kept);
        kept.close().await;
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        record(&kept);
        let exported = crate::domain::Emitted::ActivityLogExported.says("An export began");
        kept.recorder.record(exported.draft());
        kept.put(None, r#"{"enabled":null}"#).await.unwrap();
        record(&kept);
        kept.writer.heartbeat().await.unwrap();
        kept.writer.commit(Request::default()).await.unwrap();
        let actions: Vec<String> = kept
            .entries()
            .iter()
            .map(|e| e.action.to_string())
            .collect();
        let expected = [
            "task.created",
            "activity_log.disabled",
            "activity_log.exported",
            "activity_log.enabled",
            "task.created",
        ];
        assert_eq!(actions, expected);
        kept.close().await;
    });
}

#[test]
fn a_change_that_cannot_be_recorded_does_not_take_effect() {
    law(|folder, hands| async move {
        let no_room = Size {
            entries: 1,
            bytes: 10,
        };
        let kept = Kept::open_with(&folder, &hands, base(90, 0), no_room).await;
        let refused = kept.put(None, r#"{"enabled":false}"#).await.unwrap_err();
        assert!(matches!(refused, NotChanged::Refused(_)), "{refused:?}");
        assert!(kept.keeper.view().retention.borrow().in_force(None).enabled);
        kept.close().await;
    });
}

#[test]
fn what_is_locked_is_not_put_and_nothing_of_it_is_recorded() {
    law(|folder, hands| async move {
        let locked = Base {
            locked: true,
            ..base(90, 0)
        };
        let kept = Kept::open(&folder, &hands, locked).await;
        let refused = kept.put(None, r#"{"max_days":7}"#).await.unwrap_err();
        assert!(matches!(refused, NotChanged::Locked(_)), "{refused:?}");
        assert_eq!(kept.own(), [""; 0]);
        kept.close().await;
        let pinned = Base {
            sources: [Source::File, Source::Environment, Source::File],
            ..base(90, 0)
        };
        let kept = Kept::open(&folder, &hands, pinned).await;
        let refused = kept.put(None, r#"{"max_days":7}"#).await.unwrap_err();
        assert!(refused.to_string().contains("environment"), "{refused}");
        assert_eq!(kept.put(None, r#"{"max_entries":100}"#).await, Ok(90));
        assert_eq!(kept.own(), ["activity_log.settings_changed"]);
        kept.close().await;
    });
}

#[test]
fn what_is_locked_is_not_taken_back_either() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        kept.put(None, r#"{"max_days":7}"#).await.unwrap();
        let a = WorkspaceId::trusted("a");
        kept.put(Some("a"), r#"{"max_entries":100}"#).await.unwrap();
        kept.close().await;
        let locked = Base {
            locked: true,
            ..base(90, 0)
        };
        let pinned = Base {
            sources: [Source::File, Source::Environment, Source::File],
            ..base(90, 0)
        };
        for (base, whose) in [(locked, None), (locked, Some(a.clone())), (pinned, None)] {
            let kept = Kept::open(&folder, &hands, base).await;
            let refused = kept.keeper.change(whose, Change::Forget, None).await;
            assert!(matches!(refused, Err(NotChanged::Locked(_))), "{refused:?}");
            assert_eq!(kept.own().len(), 2, "nothing of it is recorded");
            let put = kept.reader.settings(Retention::setting_key(None).as_str());
            assert_eq!(put.unwrap().len(), 2, "what was put stays put");
            kept.close().await;
        }
        // Of what this workspace has put, nothing is pinned.
        let kept = Kept::open(&folder, &hands, pinned).await;
        let forgotten = kept.keeper.change(Some(a), Change::Forget, None).await;
        assert_eq!(forgotten.unwrap().rule.max_entries, 0);
        kept.close().await;
    });
}

#[test]
fn a_reload_changes_the_file_under_an_override_and_not_the_override() {
    law(|folder, hands| async move {
        let kept = Kept::open(&folder, &hands, base(90, 0)).await;
        kept.put(None, r#"{"max_days":30}"#).await.unwrap();
        kept.keeper.reload(base(60, 500)).await.unwrap();
        let held = kept.keeper.view().retention.borrow().in_force(None);
        assert_eq!((held.rule.max_days, held.rule.max_entries), (30, 500));
        let off = Base {
            enabled: false,
            ..base(60, 500)
        };
        kept.keeper.reload(off).await.unwrap();
        assert_eq!(kept.own().pop().unwrap(), "activity_log.disabled");
        kept.close().await;
    });
}

#[test]
fn a_reload_says_what_changed_and_a_broken_file_why_it_was_refused() {
    let said = |own: Own| {
        let entry = own.by_system();
        (entry.severity(), entry.metadata().to_object())
    };
    let mut new = Settings::default();
    new.retention.max_days = 7;
    new.server.workers = 3;
    let mut changes = Changes::between(&Settings::default(), &new);
    let (severity, metadata) = said(lifecycle::reloaded(&changes));
    assert_eq!(severity, Severity::Info);
    assert!(!metadata.contains_key("not_applied"));
    assert_eq!(
        metadata["changed"],
        serde_json::json!(["retention.max_days"])
    );
    assert_eq!(
        metadata["needs_restart"],
        serde_json::json!(["server.workers"])
    );
    changes.not_applied("retention", "the disk is full");
    let (severity, metadata) = said(lifecycle::reloaded(&changes));
    assert_eq!(severity, Severity::Warning);
    assert_eq!(metadata["changed"], serde_json::json!([]));
    let why = serde_json::json!({"retention.max_days": "the disk is full"});
    assert_eq!(metadata["not_applied"], why);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daybook.toml");
    std::fs::write(&file, "[retention]\nmax_days = -3\n").unwrap();
    let inputs = Inputs {
        file: Some(file),
        ..Inputs::default()
    };
    let broken = crate::config::load(&inputs).unwrap_err();
    let (severity, metadata) = said(lifecycle::reload_refused(&broken.into()));
    assert_eq!(severity, Severity::Error);
    let refused = metadata["refused"].as_str().unwrap();
    assert!(refused.contains(":2:12: retention.max_days"), "{refused}");
}

#[test]
fn what_of_a_reload_could_not_be_put_in_force_is_said_and_tried_by_the_next() {
    law(|folder, hands| async move {
        let address = format!("sqlite://{}", folder.join("daybook.db").display());
        let mut running = Settings::default();
        // No entry has room, so that switching recording off cannot be recorded and is not done.
        running.limits.queue_bytes = ByteSize::new(100);
        let actors = Supervisor::start(Start {
            book: Opened::at(Address::parse(&address).unwrap(), 1).unwrap(),
            settings: &running,
            base: base(90, 0),
            clocks: Arc::new(move || hands.now()),
            metrics: Metrics::new("0", SystemTime::now()),
        });
        let actors = actors.await.unwrap();
        let mut settings = running.clone();
        settings.retention.enabled = false;
        settings.discovery.announce = false;
        for applied in [&["discovery.announce"][..], &[]] {
            let read = Loaded {
                settings: settings.clone(),
                origins: Default::default(),
                file: None,
                warnings: Vec::new(),
            };
            let changes = actors.reload(&mut running, Ok(read)).await.unwrap();
            assert_eq!(changes.applied, applied);
            let kept: Vec<&String> = changes.not_applied.keys().collect();
            assert_eq!(kept, ["retention.enabled"]);
            assert!(actors.kept.retention.borrow().in_force(None).enabled);
        }
        actors.stop().await;
    });
}

/// What leans on categories that wait for a restart, and a rule that is not right under the rules that run.
const LEANING: &str = "
    [activity]\nextra_categories = ['billing']
    [[captures]]\nname = 'new'\nkind = 'socket'\npath = '/FOLDER/a'\ncategory = 'billing'
    [[captures]]\nname = 'kept'\nkind = 'socket'\npath = '/FOLDER/b'\ncategory = 'billing'
    [[captures]]\nname = 'moved'\nkind = 'socket'\npath = '/FOLDER/d'
    [[captures]]\nname = 'free'\nkind = 'socket'\npath = '/FOLDER/e'
    [[automations]]\nname = 'changed'\nwebhook = { url = 'http://a/' }\nfilters = { since = '1h' }
    [[automations]]\nname = 'came'\nwebhook = { url = 'http://a/' }";

const BEFORE: &str = "
    [[captures]]\nname = 'kept'\nkind = 'socket'\npath = '/FOLDER/b'
    [[captures]]\nname = 'moved'\nkind = 'socket'\npath = '/FOLDER/a'
    [[captures]]\nname = 'went'\nkind = 'socket'\npath = '/FOLDER/f'
    [[automations]]\nname = 'changed'\nwebhook = { url = 'http://a/' }
    [[automations]]\nname = 'went'\nwebhook = { url = 'http://a/' }";

#[test]
fn what_leans_on_what_waits_for_a_restart_waits_too_and_what_it_would_change_goes_on() {
    law(|folder, hands| async move {
        let address = format!("sqlite://{}", folder.join("daybook.db").display());
        let place = folder.display().to_string();
        let settings_of =
            |text: &str| toml::from_str::<Settings>(&text.replace("/FOLDER", &place)).unwrap();
        let mut running = settings_of(BEFORE);
        let actors = Supervisor::start(Start {
            book: Opened::at(Address::parse(&address).unwrap(), 1).unwrap(),
            settings: &running,
            base: base(90, 0),
            clocks: Arc::new(move || hands.now()),
            metrics: Metrics::new("0", SystemTime::now()),
        });
        let actors = actors.await.unwrap();
        let before = actors.automations.list(None).await.unwrap();
        for applied in [&["automations", "captures"][..], &[]] {
            let read = Loaded {
                settings: settings_of(LEANING),
                origins: Default::default(),
                file: None,
                warnings: Vec::new(),
            };
            let changes = actors.reload(&mut running, Ok(read)).await.unwrap();
            assert_eq!(changes.applied, applied);
            assert_eq!(changes.needs_restart, ["activity.extra_categories"]);
            let waiting: Vec<&str> = changes.not_applied.keys().map(String::as_str).collect();
            let expected = [
                "automations.changed",
                "captures.kept",
                "captures.moved",
                "captures.new",
            ];
            assert_eq!(waiting, expected);
            let why = &changes.not_applied["captures.kept"];
            assert!(why.starts_with("category: \"billing\" is none of auth,"));
            let listed = actors.captures.list();
            let path = |name: &str| {
                let one = listed.iter().find(|one| one.config.name == name)?;
                let path = one.config.path.as_ref()?.file_name()?.to_str()?;
                Some((path.to_owned(), one.config.category.clone()))
            };
            let at = |place: &str| Some((place.to_owned(), None));
            assert_eq!(
                ["kept", "moved", "free", "new", "went"].map(path),
                [at("b"), at("a"), at("e"), None, None]
            );
            let rules = actors.automations.list(None).await.unwrap();
            let names: Vec<&str> = rules.iter().map(|one| one.rule.name.as_str()).collect();
            assert_eq!(names, ["came", "changed"]);
            assert_eq!(rules[1].rule, before[0].rule);
        }
        actors.stop().await;
    });
}

/// Whoever follows live, and keeps what is published.
struct Following(tokio::sync::mpsc::UnboundedSender<Publish>);

impl actix::Actor for Following {
    type Context = actix::Context<Self>;
}

impl actix::Handler<Publish> for Following {
    type Result = ();

    fn handle(&mut self, publish: Publish, _: &mut Self::Context) {
        self.0.send(publish).unwrap();
    }
}

#[test]
fn whatever_changes_what_is_in_force_it_is_told_once() {
    law(|folder, hands| async move {
        let Kept {
            keeper,
            writer,
            reader,
            ..
        } = Kept::open(&folder, &hands, base(90, 0)).await;
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let hub = actix::Actor::start(Following(tell)).recipient();
        let clocks: Clocks = Arc::new(move || hands.now());
        let pruner = Pruner::new(keeper, hub, clocks, Duration::from_secs(3_600)).start();
        let mut whose = async || {
            let next = tokio::time::timeout(Duration::from_secs(20), told.recv());
            let published = next.await.expect("it is told").unwrap();
            assert_eq!(published.event, Event::SettingsChanged);
            published.workspace
        };
        let a = WorkspaceId::trusted("a");
        let put = |days: u32| {
            let text = format!(r#"{{"max_days":{days}}}"#);
            Change::Put(serde_json::from_str(&text).unwrap())
        };
        for (workspace, change) in [
            (Some(a.clone()), put(7)),
            (None, put(8)),
            (Some(a.clone()), Change::Forget),
        ] {
            let retain = Retain {
                workspace: workspace.clone(),
                change,
                by: None,
            };
            pruner.send(retain).await.unwrap().unwrap();
            assert_eq!(whose().await, workspace);
        }
        let reload = || Reload {
            base: base(60, 500),
            interval: Duration::from_secs(60),
        };
        pruner.send(reload()).await.unwrap().unwrap();
        assert_eq!(whose().await, None);
        pruner.send(reload()).await.unwrap().unwrap();
        // As a restore does it: other settings are in the book, and nobody said so.
        let key = Retention::setting_key(Some(&a));
        let value = r#"{"max_days":1}"#.to_owned();
        let request = Request {
            acts: vec![Act::PutSetting { key, value }],
            entries: Vec::new(),
        };
        writer.commit(request).await.unwrap();
        let head = reader.head().unwrap();
        let replaced = BookReplaced {
            last_seq: head.last_seq,
            epoch: head.epoch,
        };
        pruner.send(replaced).await.unwrap();
        assert_eq!(whose().await, Some(a));
        assert!(told.try_recv().is_err(), "and nothing else");
        pruner.send(Stop).await.unwrap();
        writer.close().await;
    });
}

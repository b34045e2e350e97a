//! `/api/v1/backups`, and the daemon's own schedule.

use crate::harness::{Over, Place, actions, eventually, messages, whole};
use serde_json::json;
use std::fs;

#[test]
fn a_backup_is_made_listed_downloaded_and_deleted_and_each_is_recorded() {
    let place = Place::with(20);
    let daemon = place.serve(&[]);
    assert_eq!(daemon.get("/api/v1/backups").1, json!({"items": []}));
    let name = daemon.back_up();
    let (_, list) = daemon.get("/api/v1/backups");
    assert_eq!(list["items"][0]["name"], json!(name));
    let (status, headers, bytes) = daemon.download(&format!("/api/v1/backups/{name}"));
    assert_eq!(status, 200);
    assert_eq!(headers["content-length"], bytes.len().to_string().as_str());
    assert_eq!(list["items"][0]["bytes"], json!(bytes.len()));
    let disposition = headers["content-disposition"].to_str().unwrap();
    assert_eq!(disposition, format!("attachment; filename=\"{name}\""));
    fs::write(place.path("download.db"), bytes).unwrap();
    assert!(messages(&whole(&place.path("download.db")).1).contains(&"entry 19"));
    let deleted = daemon.delete(&format!("/api/v1/backups/{name}"));
    assert_eq!(deleted, (200, json!({"deleted": name})));
    assert_eq!(daemon.delete(&format!("/api/v1/backups/{name}")).0, 404);
    assert_eq!(daemon.download(&format!("/api/v1/backups/{name}")).0, 404);
    let (_, page) = daemon.get("/api/v1/activity?action=activity_log.exported");
    let [download] = page["items"].as_array().unwrap().as_slice() else {
        panic!("one download, and none of what is not there: {page}");
    };
    assert_eq!(download["entity_id"], json!(name));
    assert_eq!(download["metadata"]["format"], "db");
    let (_, page) = daemon.get("/api/v1/activity?action=backup.*");
    let recorded: Vec<_> = page["items"].as_array().unwrap().iter().collect();
    assert_eq!(recorded[0]["action"], "backup.deleted");
    assert_eq!(recorded[1]["action"], "backup.created");
    assert!(
        recorded
            .iter()
            .all(|entry| entry["entity_id"] == json!(name))
    );
    daemon.stop();
}

#[test]
fn a_download_is_recorded_while_recording_is_off() {
    let place = Place::with(1);
    let daemon = place.serve(&[("DAYBOOK_RETENTION__ENABLED", "false")]);
    let name = daemon.back_up();
    assert_eq!(daemon.download(&format!("/api/v1/backups/{name}")).0, 200);
    eventually(|| {
        let (_, page) = daemon.get("/api/v1/activity?action=activity_log.exported");
        (page["items"][0]["entity_id"] == json!(name)).then_some(())
    });
    daemon.stop();
}

#[test]
fn no_name_leads_out_of_the_directory() {
    let place = Place::with(1);
    let daemon = place.serve(&[]);
    daemon.back_up();
    fs::write(place.path("secret.db"), "secret").unwrap();
    std::os::unix::fs::symlink(place.path("secret.db"), place.path("backups/link.db")).unwrap();
    fs::hard_link(place.book(), place.path("backups/book.db")).unwrap();
    for (name, expected) in [
        ("..%2Fsecret.db", 400),
        ("%2e%2e%2fdaybook.db", 400),
        ("x", 400),
        (".hidden.db", 400),
        ("a%00.db", 400),
        ("link.db", 404),
        ("book.db", 404),
        ("none.db", 404),
    ] {
        let path = format!("/api/v1/backups/{name}");
        assert_eq!(daemon.download(&path).0, expected, "GET {name}");
        assert_eq!(
            daemon.delete(&path).0,
            if expected == 404 && name == ".." {
                404
            } else {
                expected
            }
        );
        let (status, problem) = daemon.post(&format!("{path}/restore"), &json!({}));
        assert_eq!(status, expected, "restore {name}: {problem}");
    }
    fs::remove_file(place.path("backups/book.db")).unwrap();
    assert_eq!(fs::read(place.path("secret.db")).unwrap(), b"secret");
    daemon.stop();
}

#[test]
fn a_running_daemon_restores_in_place_and_goes_on_recording() {
    let place = Place::with(20);
    let daemon = place.serve(&[]);
    let name = daemon.back_up();
    assert_eq!(daemon.record("after the backup").0, 201);
    let before = daemon.info();
    let (status, done) = daemon.post(&format!("/api/v1/backups/{name}/restore"), &json!({}));
    assert_eq!(status, 200, "{done}");
    let after = daemon.info();
    assert_ne!(after["epoch"], before["epoch"]);
    assert_eq!(after["epoch"], done["epoch"]);
    let last = before["book"]["last_seq"].as_i64().unwrap();
    assert_eq!(after["book"]["last_seq"], json!(last + 1));
    let (_, recorded) = daemon.record("after the restore");
    assert_eq!(recorded["seq"], json!(last + 2));
    let (_, page) = daemon.get("/api/v1/activity?limit=3");
    assert_eq!(page["epoch"], after["epoch"]);
    assert_eq!(page["items"][1]["action"], "backup.restored");
    assert_eq!(page["items"][1]["actor"], "anonymous");
    daemon.stop();
    let (_, entries) = whole(&place.book());
    assert!(!messages(&entries).contains(&"after the backup"));
    let kept = place.former_books();
    assert!(messages(&whole(&place.path(&kept[0])).1).contains(&"after the backup"));
    // Another daemon finds it as it was left.
    let daemon = place.serve(&[]);
    assert_eq!(daemon.info()["epoch"], after["epoch"]);
    daemon.stop();
}

#[test]
fn a_restore_of_a_damaged_backup_is_refused_and_the_daemon_goes_on() {
    let place = Place::with(50);
    let daemon = place.serve(&[]);
    let name = daemon.back_up();
    let file = place.path("backups").join(&name);
    let whole_file = fs::read(&file).unwrap();
    fs::write(&file, &whole_file[..whole_file.len() - 6000]).unwrap();
    let before = daemon.info();
    let (status, problem) = daemon.post(&format!("/api/v1/backups/{name}/restore"), &json!({}));
    assert_eq!(
        (status, &problem["title"]),
        (422, &json!("Not restored")),
        "{problem}"
    );
    assert_eq!(daemon.info()["epoch"], before["epoch"]);
    assert_eq!(daemon.record("goes on").0, 201);
    assert_eq!(place.former_books(), [""; 0]);
    daemon.stop();
}

#[test]
fn under_load_a_restore_loses_nothing_that_was_acknowledged_and_does_nothing_by_half() {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
    let place = Place::with(500);
    let daemon = place.serve(&[]);
    let name = daemon.back_up();
    let (done, next) = (AtomicBool::new(false), AtomicU64::new(0));
    let acknowledged = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    while !done.load(SeqCst) {
                        let message = format!("load {}", next.fetch_add(1, SeqCst));
                        let (status, answer) = daemon.record(&message);
                        match status {
                            201 => mine.push((message, answer["seq"].as_i64().unwrap())),
                            503 => {}
                            other => panic!("{other}: {answer}"),
                        }
                    }
                    mine
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            while !done.load(SeqCst) {
                let (status, _) = daemon.get("/api/v1/activity?limit=5");
                assert!(matches!(status, 200 | 503), "{status}");
            }
        });
        let over = Over(&done);
        for _ in 0..5 {
            let path = format!("/api/v1/backups/{name}/restore");
            let (status, answer) = daemon.post(&path, &json!({}));
            assert_eq!(status, 200, "{answer}");
        }
        drop(over);
        reader.join().unwrap();
        let all = senders
            .into_iter()
            .flat_map(|sender| sender.join().unwrap());
        all.collect::<Vec<_>>()
    });
    daemon.stop();
    // Each is in the book that was in force when it was acknowledged: the last one, or one that was kept.
    let kept = place.former_books();
    assert_eq!(kept.len(), 5);
    let books = kept
        .iter()
        .map(|name| place.path(name))
        .chain([place.book()]);
    let mut held = std::collections::HashMap::new();
    for book in books {
        for stored in whole(&book).1 {
            held.insert(stored.entry.message.clone(), stored.seq);
        }
    }
    let mut seqs = std::collections::HashSet::new();
    for (message, seq) in &acknowledged {
        assert_eq!(held.get(message), Some(seq), "{message}");
        assert!(seqs.insert(*seq), "{seq} was given twice");
    }
    assert!(acknowledged.len() > 20);
}

#[test]
fn the_daemon_makes_backups_on_schedule_and_keeps_so_many() {
    let place = Place::with(3);
    let old = |name: &str| place.path("shelf").join(name);
    fs::create_dir(place.path("shelf")).unwrap();
    for day in 1..=4 {
        let name = format!("daybook-2026010{day}T000000.000000Z-scheduled.db");
        fs::write(old(&name), "old").unwrap();
    }
    fs::write(old("daybook-20250101T000000.000000Z.db"), "asked for").unwrap();
    let shelf = place.path("shelf");
    let daemon = place.serve(&[
        ("DAYBOOK_BACKUP__DIR", shelf.to_str().unwrap()),
        ("DAYBOOK_BACKUP__EVERY", "1h"),
        ("DAYBOOK_BACKUP__KEEP", "2"),
    ]);
    let names = eventually(|| {
        let (_, list) = daemon.get("/api/v1/backups");
        let items = list["items"].as_array().unwrap().clone();
        let name = |item: &serde_json::Value| item["name"].as_str().unwrap().to_owned();
        (items.len() == 3).then(|| items.iter().map(name).collect::<Vec<_>>())
    });
    assert!(names[0].ends_with("-scheduled.db") && names[0] > names[1]);
    assert_eq!(names[1], "daybook-20260104T000000.000000Z-scheduled.db");
    assert_eq!(names[2], "daybook-20250101T000000.000000Z.db");
    assert_eq!(whole(&place.path("shelf").join(&names[0])).1.len(), 3);
    daemon.stop();
    let (_, entries) = whole(&place.book());
    let recorded = actions(&entries);
    let count = |action: &str| recorded.iter().filter(|held| **held == action).count();
    assert_eq!((count("backup.created"), count("backup.deleted")), (1, 3));
    // A restart does not begin the hour anew.
    let daemon = place.serve(&[
        ("DAYBOOK_BACKUP__DIR", shelf.to_str().unwrap()),
        ("DAYBOOK_BACKUP__EVERY", "1h"),
    ]);
    assert_eq!(daemon.record("something").0, 201);
    assert_eq!(
        daemon.get("/api/v1/backups").1["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    daemon.stop();
}

#[test]
fn a_backup_that_cannot_be_made_is_answered_with_where_and_why() {
    let place = Place::with(3);
    let daemon = place.serve(&[]);
    fs::write(place.path("backups"), "no folder").unwrap();
    let (status, problem) = daemon.post("/api/v1/backups", &json!({}));
    assert_eq!(status, 500, "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("backups: "), "{detail}");
    assert!(detail.contains("exists"), "{detail}");
    fs::remove_file(place.path("backups")).unwrap();
    assert_eq!(daemon.post("/api/v1/backups", &json!({})).0, 201);
    daemon.stop();
}

#[test]
fn after_a_restore_the_settings_of_the_restored_book_are_in_force() {
    let place = Place::with(3);
    let daemon = place.serve(&[]);
    let name = daemon.back_up();
    let (status, _) = daemon.put("/api/v1/activity/settings", &json!({"max_days": 7}));
    assert_eq!(status, 200);
    assert_eq!(daemon.get("/api/v1/activity/settings").1["max_days"], 7);
    let (status, _) = daemon.post(&format!("/api/v1/backups/{name}/restore"), &json!({}));
    assert_eq!(status, 200);
    let (_, settings) = daemon.get("/api/v1/activity/settings");
    assert_eq!(settings["max_days"], 90, "{settings}");
    daemon.stop();
}

#[test]
fn a_restore_is_no_unclean_stop() {
    let place = Place::with(3);
    let daemon = place.serve(&[]);
    let name = daemon.back_up();
    let (status, _) = daemon.post(&format!("/api/v1/backups/{name}/restore"), &json!({}));
    assert_eq!(status, 200);
    daemon.stop();
    place.ok(&["restore", "--force", &format!("backups/{name}")]);
    place.serve(&[]).stop();
    let (_, entries) = whole(&place.book());
    assert!(!actions(&entries).contains(&"server.unclean_shutdown"));
    assert!(actions(&entries).contains(&"server.started"));
}

#[test]
fn a_kill_after_a_restore_is_an_unclean_stop() {
    let place = Place::with(3);
    // Of a book that nobody runs with.
    place.ok(&["backup", "copy.db"]);
    std::fs::create_dir(place.path("backups")).unwrap();
    fs::copy(place.path("copy.db"), place.path("backups/copy.db")).unwrap();
    let daemon = place.serve(&[]);
    let (status, _) = daemon.post("/api/v1/backups/copy.db/restore", &json!({}));
    assert_eq!(status, 200);
    drop(daemon);
    place.serve(&[]).stop();
    let (_, entries) = whole(&place.book());
    assert!(actions(&entries).contains(&"server.unclean_shutdown"));
}

#[test]
fn backups_are_recorded_while_recording_is_off() {
    let place = Place::with(3);
    let daemon = place.serve(&[]);
    let off = json!({"enabled": false, "max_days": 0, "max_entries": 0});
    assert_eq!(daemon.put("/api/v1/activity/settings", &off).0, 200);
    assert_eq!(daemon.record("nobody's").1, json!({"recorded": false}));
    let name = daemon.back_up();
    let restored = daemon.post(&format!("/api/v1/backups/{name}/restore"), &json!({}));
    assert_eq!(restored.0, 200, "{restored:?}");
    // The restored book is one in which recording is off.
    assert_eq!(daemon.record("nobody's").1, json!({"recorded": false}));
    assert_eq!(daemon.delete(&format!("/api/v1/backups/{name}")).0, 200);
    let (_, page) = daemon.get("/api/v1/activity?action=backup.*");
    let items = page["items"].as_array().unwrap();
    let recorded: Vec<_> = items.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(recorded, ["backup.deleted", "backup.restored"]);
    daemon.stop();
    let (_, entries) = whole(
        &place
            .former_books()
            .first()
            .map(|name| place.path(name))
            .unwrap(),
    );
    assert!(actions(&entries).contains(&"backup.created"));
    assert!(!messages(&entries).contains(&"nobody's"));
}

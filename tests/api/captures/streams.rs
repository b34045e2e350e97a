//! Lines over TCP, UDP and Unix sockets, byte by byte as a sender may send them.

use super::{eventually, messages, syslog};
use crate::harness::TestDaybook;
use crate::writer::Held;
use serde_json::json;
use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

#[test]
fn both_framings_and_both_formats_come_over_one_connection() {
    let daybook = TestDaybook::with(&syslog(""));
    let mut stream = TcpStream::connect(daybook.syslog_address()).unwrap();
    let counted = "<38>1 2026-11-21T08:00:00Z web sshd 7 LOGIN - counted\nin two lines";
    let text = format!(
        "<13>Nov 21 08:00:00 gate app[5]: old\n{} {counted}<9>1 - - - - - - \u{feff}new\nlast",
        counted.len()
    );
    for part in text.as_bytes().chunks(7) {
        stream.write_all(part).unwrap();
    }
    drop(stream);
    let lines = daybook.brought(4);
    assert_eq!(
        messages(&lines),
        ["old", "counted\u{fffd}in two lines", "new", "last"]
    );
    assert_eq!(lines[0]["entity_type"], "host");
    assert_eq!(
        (&lines[0]["entity_id"], &lines[0]["actor"]),
        (&json!("gate"), &json!("app"))
    );
    assert_eq!(
        (&lines[1]["category"], &lines[1]["action"]),
        (&json!("auth"), &json!("LOGIN"))
    );
    assert_eq!(
        lines[1]["metadata"]["occurred_at"],
        "2026-11-21T08:00:00.000000Z"
    );
    assert_eq!(
        (&lines[2]["severity"], &lines[2]["actor"]),
        (&json!("error"), &json!("net"))
    );
    assert_eq!(
        (&lines[3]["action"], &lines[3]["ip_address"]),
        (&json!("syslog.message"), &json!("127.0.0.1"))
    );
    let counters = &daybook.capture("net")["counters"];
    assert_eq!(
        (&counters["received"], &counters["recorded"]),
        (&json!(4), &json!(4))
    );
}

#[test]
fn a_datagram_is_a_line_and_one_that_is_too_long_is_cut() {
    let daybook = TestDaybook::with(&syslog("line_bytes = \"480 B\"\nactor = \"switch\"\n"));
    let address = daybook.syslog_address();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"<13>short\n", address).unwrap();
    socket
        .send_to("x".repeat(1000).as_bytes(), address)
        .unwrap();
    let lines = daybook.brought(2);
    assert_eq!(lines[0]["message"], "short");
    assert_eq!(lines[1]["message"], "x".repeat(480));
    assert_eq!(lines[1]["metadata"]["cut"], json!(["line"]));
    assert_eq!(lines[1]["actor"], "switch");
    assert_eq!(daybook.capture("net")["counters"]["cut"], 1);
}

#[test]
fn what_cannot_be_an_entry_is_made_to_fit_and_its_neighbours_stay() {
    let daybook = TestDaybook::with(&syslog(""));
    let mut stream = TcpStream::connect(daybook.syslog_address()).unwrap();
    let long = "y".repeat(6000);
    let text = format!(
        "<13>1 - h a - - - before\n<13>1 - h a - bad\u{20ac}id [audit@1 category=\"none\"] {long}\n\
         \u{7}\u{1}\n<13>1 - h a - - - after\n"
    );
    stream.write_all(text.as_bytes()).unwrap();
    drop(stream);
    let lines = daybook.brought(4);
    assert_eq!(lines[1]["action"], "bad_id");
    assert_eq!(lines[1]["message"].as_str().unwrap().chars().count(), 4096);
    assert_eq!(
        lines[1]["metadata"]["cut"],
        json!(["category", "action", "message"])
    );
    assert_eq!(lines[2]["message"], "\u{fffd}\u{fffd}");
    assert_eq!(lines[3]["message"], "after");
}

#[test]
fn over_tcp_a_rate_slows_the_sender_and_over_udp_it_drops_and_counts() {
    let daybook = TestDaybook::with(&syslog("lines_per_second = 5\n"));
    let address = daybook.syslog_address();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for n in 0..40 {
        socket
            .send_to(format!("<13>udp {n}").as_bytes(), address)
            .unwrap();
    }
    let counters = eventually("all datagrams are counted", || {
        let counters = daybook.capture("net")["counters"].clone();
        let sum = counters["recorded"].as_u64()? + counters["dropped"].as_u64()?;
        (sum == 40).then_some(counters)
    });
    assert!(
        counters["dropped_by"]["rate"].as_u64().unwrap() > 20,
        "{counters}"
    );
    let before = counters["recorded"].as_u64().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all("<13>tcp\n".repeat(8).as_bytes()).unwrap();
    eventually("all lines are recorded", || {
        (daybook.capture("net")["counters"]["recorded"] == before + 8).then_some(())
    });
}

#[test]
fn while_the_book_takes_nothing_the_sender_waits_and_nothing_is_lost() {
    let daybook = TestDaybook::with(&format!(
        "[limits]\nqueue_entries = 4\n{}",
        syslog("queue = 2\n")
    ));
    let address = daybook.syslog_address();
    let held = Held::of(&daybook);
    let count = 300;
    let sender = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        for n in 0..count {
            stream
                .write_all(format!("<13>line {n}\n").as_bytes())
                .unwrap();
        }
    });
    eventually("some are read and not recorded", || {
        let counters = daybook.capture("net")["counters"].clone();
        (counters["received"].as_u64()? > 2 && counters["recorded"] == 0).then_some(())
    });
    held.release();
    sender.join().unwrap();
    let lines = daybook.brought(count);
    let expected: Vec<String> = (0..count).map(|n| format!("line {n}")).collect();
    assert_eq!(messages(&lines), expected);
}

#[test]
fn over_udp_what_the_kernel_had_no_room_for_is_counted() {
    let daybook = TestDaybook::with(&syslog("queue = 1\n"));
    let address = daybook.syslog_address();
    let held = Held::of(&daybook);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    // More than the kernel keeps for anybody.
    let datagram = format!("<13>{}", "x".repeat(1200));
    let count = 60_000;
    for _ in 0..count {
        socket.send_to(datagram.as_bytes(), address).unwrap();
    }
    held.release();
    let counters = eventually("each is recorded or counted", || {
        let counters = daybook.capture("net")["counters"].clone();
        let sum = counters["recorded"].as_u64()? + counters["dropped"].as_u64()?;
        (sum == count).then_some(counters)
    });
    assert!(
        counters["dropped_by"]["kernel"].as_u64().unwrap() > 0,
        "{counters}"
    );
    assert_eq!(counters["recorded"], counters["received"]);
}

#[test]
fn what_was_read_is_recorded_before_it_stops() {
    let daybook = TestDaybook::with(&syslog(""));
    let mut stream = TcpStream::connect(daybook.syslog_address()).unwrap();
    let lines: String = (0..200).map(|n| format!("<13>{n}\n")).collect();
    stream.write_all(lines.as_bytes()).unwrap();
    eventually("it is connected", || {
        let received = daybook.capture("net")["counters"]["received"].as_u64()?;
        (received > 0).then_some(())
    });
    assert_eq!(daybook.tell("net/stop", "")["state"], "stopped");
    daybook.brought(200);
}

#[test]
fn while_recording_is_off_lines_are_counted_and_not_kept() {
    let daybook = TestDaybook::with(&format!("[retention]\nenabled = false\n{}", syslog("")));
    let mut stream = TcpStream::connect(daybook.syslog_address()).unwrap();
    stream.write_all(b"<13>one\n<13>two\n").unwrap();
    eventually("both are counted", || {
        (daybook.capture("net")["counters"]["dropped_by"]["off"] == 2).then_some(())
    });
    daybook.brought(0);
}

#[test]
fn no_more_connections_are_taken_than_it_says() {
    let daybook = TestDaybook::with(&syslog("connections = 1\n"));
    let address = daybook.syslog_address();
    let mut first = TcpStream::connect(address).unwrap();
    first.write_all(b"<13>one\n").unwrap();
    daybook.brought(1);
    let mut second = TcpStream::connect(address).unwrap();
    eventually("the second is closed", || {
        second.write_all(b"<13>lost\n").is_err().then_some(())
    });
    first.write_all(b"<13>two\n").unwrap();
    daybook.brought(2);
}

#[test]
fn a_unix_socket_takes_lines_of_json_with_what_is_mapped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in.sock");
    let table = format!(
        "[[captures]]\nname = \"scripts\"\nkind = \"socket\"\nformat = \"json\"\npath = {path:?}\nmode = \"0620\"\n\
         map = {{ actor = \"user.name\", severity = \"level\" }}\n"
    );
    let daybook = TestDaybook::with(&table);
    daybook.until("scripts", "running");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o620);
    let mut stream = UnixStream::connect(&path).unwrap();
    let line = json!({"message": "backed up", "action": "job.done", "level": "warn", "user": {"name": "cron"}, "took": 3});
    stream
        .write_all(format!("{line}\nplain\n").as_bytes())
        .unwrap();
    let lines = daybook.brought(2);
    assert_eq!(
        (&lines[0]["action"], &lines[0]["actor"]),
        (&json!("job.done"), &json!("cron"))
    );
    assert_eq!(
        (&lines[0]["severity"], &lines[0]["metadata"]["took"]),
        (&json!("warning"), &json!(3))
    );
    assert_eq!(
        (&lines[1]["message"], &lines[1]["actor"]),
        (&json!("plain"), &json!("scripts"))
    );
    daybook.tell("scripts/stop", "");
    assert!(!path.exists(), "nobody thinks that somebody listens");
    daybook.tell("scripts/start", "");
    assert!(UnixStream::connect(&path).is_ok());
}

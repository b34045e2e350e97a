//! Senders that others wrote.

use super::{eventually, messages, syslog};
use crate::harness::TestDaybook;
use serde_json::json;
use std::net::SocketAddr;
use std::process::Command;

#[expect(clippy::print_stdout, reason = "a test has nobody else to tell")]
fn skipped(why: &str) {
    println!("SKIPPED: {why}");
}

/// `logger` of util-linux, with these options and this text; false where there is none.
fn logger(to: SocketAddr, options: &[&str], text: &str) -> bool {
    let (server, port) = (to.ip().to_string(), to.port().to_string());
    let ran = Command::new("logger")
        .args(["--server", &server, "--port", &port])
        .args(options)
        .args([
            "--tag",
            "unit-test",
            "--priority",
            "auth.warning",
            "--",
            text,
        ])
        .status();
    match ran {
        Ok(status) => {
            assert!(status.success(), "{status}");
            true
        }
        Err(_) => {
            skipped("there is no logger on this machine");
            false
        }
    }
}

#[test]
fn logger_is_understood_over_udp_and_tcp_in_both_formats_and_framings() {
    let daybook = TestDaybook::with(&syslog(""));
    let address = daybook.syslog_address();
    let ways: [&[&str]; 6] = [
        &["--udp", "--rfc5424"],
        &["--udp", "--rfc3164"],
        &["--tcp", "--rfc5424"],
        &["--tcp", "--rfc3164"],
        &["--tcp", "--octet-count", "--rfc5424"],
        &["--tcp", "--octet-count", "--rfc3164"],
    ];
    for (n, way) in ways.iter().enumerate() {
        if !logger(address, way, &format!("hello {n} \"quoted\"")) {
            return;
        }
        eventually("it is recorded", || {
            let recorded = daybook.capture("net")["counters"]["recorded"].as_u64()?;
            (recorded == n as u64 + 1).then_some(())
        });
    }
    let lines = daybook.brought(ways.len());
    for (n, line) in lines.iter().enumerate() {
        assert_eq!(line["message"], format!("hello {n} \"quoted\""), "{line}");
        assert_eq!(line["actor"], "unit-test", "{line}");
        assert_eq!(
            (&line["category"], &line["severity"]),
            (&json!("auth"), &json!("warning"))
        );
        assert_eq!(line["entity_type"], "host", "{line}");
        assert_eq!(line["metadata"]["facility"], "auth", "{line}");
    }
}

#[test]
fn structured_data_of_logger_speaks_of_the_entry() {
    let daybook = TestDaybook::with(&syslog("map = { entity_name = \"shop@32473.title\" }\n"));
    let options = [
        "--tcp",
        "--rfc5424",
        "--msgid",
        "ignored",
        "--sd-id",
        "audit@32473",
        "--sd-param",
        "action=\"order.paid\"",
        "--sd-param",
        "actor=\"anna\"",
        "--sd-param",
        "entity_type=\"order\"",
        "--sd-param",
        "entity_id=\"7\"",
        "--sd-id",
        "shop@32473",
        "--sd-param",
        "title=\"Tea\"",
        "--sd-param",
        "total=\"12\"",
    ];
    if !logger(daybook.syslog_address(), &options, "Paid") {
        return;
    }
    let lines = daybook.brought(1);
    let line = &lines[0];
    assert_eq!(messages(&lines), ["Paid"]);
    assert_eq!(
        (&line["action"], &line["actor"]),
        (&json!("order.paid"), &json!("anna"))
    );
    assert_eq!(
        (&line["entity_type"], &line["entity_id"]),
        (&json!("order"), &json!("7"))
    );
    assert_eq!(line["entity_name"], "Tea");
    let structured = &line["metadata"]["structured_data"];
    assert_eq!(structured["shop@32473"], json!({"total": "12"}));
}

#[test]
fn a_machine_without_a_journal_says_so_and_one_with_it_is_followed() {
    let daybook = TestDaybook::with("[[captures]]\nname = \"machine\"\nkind = \"journal\"\n");
    if Command::new("journalctl").arg("--version").output().is_ok() {
        daybook.until("machine", "running");
        assert_eq!(daybook.tell("machine/stop", "")["state"], "stopped");
        return;
    }
    skipped("there is no journalctl on this machine; only its absence is tried");
    let failed = daybook.until("machine", "failed");
    assert_eq!(failed["reason"], "there is no journalctl on this machine");
}

//! Syslog, of RFC 5424 and RFC 3164: a message to its fields under the format's own names, and what of them the
//! format itself puts into an entry. Nothing is refused; what follows no rule is a message all the same.

mod rfc3164;
mod rfc5424;

use crate::domain::{Draft, Timestamp};
use serde_json::{Map, Value};

/// Of a message that says none: user, notice.
const NO_PRIORITY: u8 = 13;
const STRUCTURED: &str = "structured_data";

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];
const SEVERITIES: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
];
/// What is about signing in: auth, authpriv, audit.
const OF_SIGNING_IN: [&str; 3] = ["auth", "authpriv", "audit"];

/// What both formats say.
#[derive(Debug, Default, PartialEq)]
struct Message<'a> {
    timestamp: Option<&'a str>,
    hostname: Option<&'a str>,
    app_name: Option<&'a str>,
    procid: Option<&'a str>,
    msgid: Option<&'a str>,
    structured: Map<String, Value>,
    message: &'a str,
}

/// The fields of one message.
pub fn fields(line: &[u8]) -> Map<String, Value> {
    let text = String::from_utf8_lossy(line);
    let (priority, rest) = priority(&text);
    let read = rfc5424::read(rest).unwrap_or_else(|| rfc3164::read(rest));
    let mut fields = Map::new();
    let mut put = |key: &str, text: Option<&str>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            fields.insert(key.to_owned(), text.into());
        }
    };
    put(
        "facility",
        FACILITIES.get(usize::from(priority / 8)).copied(),
    );
    put("severity", Some(SEVERITIES[usize::from(priority % 8)]));
    put("hostname", read.hostname);
    put("app_name", read.app_name);
    put("procid", read.procid);
    put("msgid", read.msgid);
    put("message", Some(read.message));
    match read.timestamp.map(|text| (text, Timestamp::parse(text))) {
        Some((_, Ok(time))) => put("occurred_at", Some(&time.to_string())),
        // RFC 3164 has neither a year nor a zone.
        Some((text, Err(_))) => put("timestamp", Some(text)),
        None => {}
    }
    if !read.structured.is_empty() {
        fields.insert(STRUCTURED.to_owned(), Value::Object(read.structured));
    }
    fields
}

/// What the format itself says of an entry, where nothing else has.
pub fn fill(draft: &mut Draft, fields: &mut Map<String, Value>) {
    overrides(draft, fields);
    let facility = fields.get("facility").and_then(Value::as_str);
    let category = match facility {
        Some(name) if OF_SIGNING_IN.contains(&name) => "auth",
        _ => "capture",
    };
    draft.category.get_or_insert_with(|| category.to_owned());
    if draft.severity.is_none() {
        // The word stays, since it says more than ours.
        let word = fields.get("severity").and_then(Value::as_str);
        draft.severity = word.map(str::to_owned);
    }
    let mut take = |ours: &mut Option<String>, theirs: &str| {
        if ours.is_none()
            && let Some(Value::String(text)) = fields.remove(theirs)
        {
            *ours = Some(text);
        }
    };
    take(&mut draft.action, "msgid");
    take(&mut draft.actor, "app_name");
    take(&mut draft.message, "message");
    if draft.entity_type.is_none() && draft.entity_id.is_none() {
        take(&mut draft.entity_id, "hostname");
        draft.entity_type = draft.entity_id.as_ref().map(|_| "host".to_owned());
    }
}

/// An element `audit`, or `audit@NUMBER`, speaks of the entry itself.
fn overrides(draft: &mut Draft, fields: &mut Map<String, Value>) {
    let Some(Value::Object(elements)) = fields.get_mut(STRUCTURED) else {
        return;
    };
    let is_audit = |id: &&String| *id == "audit" || id.starts_with("audit@");
    let Some(id) = elements.keys().find(is_audit).cloned() else {
        return;
    };
    let Some(Value::Object(said)) = elements.get_mut(&id) else {
        return;
    };
    let mut take = |ours: &mut Option<String>, theirs: &str| {
        if ours.is_none() && said.get(theirs).is_some_and(Value::is_string) {
            let Some(Value::String(text)) = said.remove(theirs) else {
                return;
            };
            *ours = Some(text);
        }
    };
    take(&mut draft.action, "action");
    take(&mut draft.actor, "actor");
    take(&mut draft.category, "category");
    take(&mut draft.severity, "severity");
    take(&mut draft.entity_type, "entity_type");
    take(&mut draft.entity_id, "entity_id");
    take(&mut draft.entity_name, "entity_name");
    take(&mut draft.message, "message");
    take(&mut draft.ip_address, "ip_address");
    take(&mut draft.user_agent, "user_agent");
    if said.is_empty() {
        elements.remove(&id);
    }
    if elements.is_empty() {
        fields.remove(STRUCTURED);
    }
}

/// `<PRI>` and what follows it.
fn priority(text: &str) -> (u8, &str) {
    let found = text.strip_prefix('<').and_then(|rest| {
        let (digits, rest) = rest.split_once('>')?;
        let plain = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let number: u8 = digits
            .parse()
            .ok()
            .filter(|number| plain && *number <= 191)?;
        Some((number, rest))
    });
    found.unwrap_or((NO_PRIORITY, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(line: &str) -> Value {
        Value::Object(fields(line.as_bytes()))
    }

    fn filled(line: &str) -> (Draft, Value) {
        let (mut draft, mut fields) = (Draft::default(), fields(line.as_bytes()));
        fill(&mut draft, &mut fields);
        (draft, Value::Object(fields))
    }

    #[test]
    fn a_message_of_rfc_5424_is_read_with_all_its_parts() {
        let line = "<165>1 2003-08-24T05:14:15.000003-07:00 mymachine.example.com evntslog 81 ID47 \
                    [exampleSDID@32473 iut=\"3\" eventSource=\"App\\\"x\\\\y\\]\"][b a=\"1\" a=\"2\"] \u{feff}An event";
        assert_eq!(
            read(line),
            json!({
                "facility": "local4", "severity": "notice",
                "occurred_at": "2003-08-24T12:14:15.000003Z",
                "hostname": "mymachine.example.com", "app_name": "evntslog", "procid": "81", "msgid": "ID47",
                "structured_data": {
                    "exampleSDID@32473": {"iut": "3", "eventSource": "App\"x\\y]"},
                    "b": {"a": ["1", "2"]},
                },
                "message": "An event",
            })
        );
    }

    #[test]
    fn nothing_said_is_nothing_kept() {
        assert_eq!(
            read("<0>1 - - - - - -"),
            json!({"facility": "kern", "severity": "emerg"})
        );
        let minimal = read("<34>1 2026-11-21T08:00:00Z h - - - - hello there");
        assert_eq!(minimal["message"], "hello there");
        assert_eq!(minimal.get("app_name"), None);
    }

    #[test]
    fn messages_of_rfc_3164_are_read_as_they_come() {
        let su =
            read("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8");
        assert_eq!(
            su,
            json!({"facility": "auth", "severity": "crit", "timestamp": "Oct 11 22:14:15", "hostname": "mymachine",
                   "app_name": "su", "message": "'su root' failed for lonvick on /dev/pts/8"})
        );
        let pid = read("<13>Nov  1 02:04:06 10.1.2.3 sshd[4711]: Accepted");
        assert_eq!(
            (&pid["app_name"], &pid["procid"]),
            (&json!("sshd"), &json!("4711"))
        );
        assert_eq!(pid["hostname"], "10.1.2.3");
        let local = read("<13>Nov 11 02:04:06 cron[1]: no host here");
        assert_eq!(
            (&local["app_name"], local.get("hostname")),
            (&json!("cron"), None)
        );
        let precise = read("<13>2026-11-21T09:00:00.5+01:00 web nginx: hi");
        assert_eq!(precise["occurred_at"], "2026-11-21T08:00:00.500000Z");
        assert_eq!(
            (&precise["hostname"], &precise["message"]),
            (&json!("web"), &json!("hi"))
        );
        let year = read("<13>Nov 11 2026 02:04:06 gate app: hi");
        assert_eq!(
            (&year["timestamp"], &year["hostname"]),
            (&json!("Nov 11 2026 02:04:06"), &json!("gate"))
        );
    }

    #[test]
    fn what_follows_no_rule_is_a_message_all_the_same() {
        for (line, message) in [
            ("just words", "just words"),
            ("<999>x", "<999>x"),
            ("<13>use the force", "use the force"),
            (
                "<13>123: *Mar  1 18:46:11: %SYS-5-CONFIG_I: done",
                "123: *Mar  1 18:46:11: %SYS-5-CONFIG_I: done",
            ),
            (
                "<13>1 2026-11-21T08:00:00Z h a p m [broken x] y",
                "1 2026-11-21T08:00:00Z h a p m [broken x] y",
            ),
        ] {
            assert_eq!(read(line)["message"], message);
            assert_eq!(read(line)["severity"], "notice");
        }
    }

    #[test]
    fn the_format_says_who_where_and_how_bad() {
        let (draft, rest) = filled("<38>1 - web sshd 7 LOGIN - in");
        assert_eq!(draft.category.as_deref(), Some("auth"));
        assert_eq!(draft.action.as_deref(), Some("LOGIN"));
        assert_eq!(draft.actor.as_deref(), Some("sshd"));
        assert_eq!(draft.severity.as_deref(), Some("info"));
        assert_eq!(
            (draft.entity_type.as_deref(), draft.entity_id.as_deref()),
            (Some("host"), Some("web"))
        );
        assert_eq!(
            rest,
            json!({"facility": "auth", "severity": "info", "procid": "7"})
        );
        let (draft, _) = filled("<14>1 - - - - - - x");
        assert_eq!(
            (draft.category.as_deref(), draft.entity_type),
            (Some("capture"), None)
        );
    }

    #[test]
    fn an_audit_element_speaks_of_the_entry_itself() {
        let (draft, rest) = filled(
            "<14>1 - web shop - M [audit@32473 action=\"order.paid\" actor=\"anna\" entity_type=\"order\" \
             entity_id=\"7\" total=\"12\"] Paid",
        );
        assert_eq!(draft.action.as_deref(), Some("order.paid"));
        assert_eq!(draft.actor.as_deref(), Some("anna"));
        assert_eq!(
            (draft.entity_type.as_deref(), draft.entity_id.as_deref()),
            (Some("order"), Some("7"))
        );
        assert_eq!(draft.message.as_deref(), Some("Paid"));
        assert_eq!(
            rest["structured_data"],
            json!({"audit@32473": {"total": "12"}})
        );
        assert_eq!(
            (&rest["hostname"], &rest["app_name"]),
            (&json!("web"), &json!("shop"))
        );
    }

    proptest! {
        #[test]
        fn no_bytes_at_all_are_a_crash(line in prop::collection::vec(any::<u8>(), 0..200)) {
            fields(&line);
        }

        #[test]
        fn what_is_nearly_syslog_is_no_crash_and_keeps_its_text(
            line in r#"<1[0-9]{0,3}>[12 ]{0,2}[-A-Za-z0-9:.\[\]"\\= @é]{0,80}"#
        ) {
            let (draft, _) = filled(&line);
            prop_assert!(draft.severity.is_some());
        }
    }
}

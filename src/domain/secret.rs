//! How a Daybook key, or the token of a sign-in, is known wherever it stands, so that it is stored nowhere.

pub const TOKEN_PREFIX: &str = "dbs_";
/// So much of a token is one.
const TOKEN_CHARS: usize = 24;

/// `dbk_<id>_<secret>`, or the beginning of one; or `dbs_<secret>`.
pub fn holds_key(text: &str) -> bool {
    // Of its bytes the rarest in a text that is no key.
    memchr::memchr_iter(b'_', text.as_bytes()).any(|at| {
        let (before, rest) = text.as_bytes().split_at(at);
        (before.ends_with(b"dbk") && is_rest_of_a_key(&rest[1..]))
            || (before.ends_with(b"dbs") && letters(&rest[1..]) >= TOKEN_CHARS)
    })
}

fn is_rest_of_a_key(rest: &[u8]) -> bool {
    let id = letters(rest);
    let secret = rest[id..].strip_prefix(b"_").and_then(<[u8]>::first);
    id > 0 && secret.is_some_and(u8::is_ascii_alphanumeric)
}

/// How many letters and digits it begins with.
fn letters(text: &[u8]) -> usize {
    let letters = text.iter().take_while(|b| b.is_ascii_alphanumeric());
    letters.count()
}

#[cfg(test)]
mod tests {
    use super::holds_key;

    #[test]
    fn a_key_is_known_by_its_form() {
        assert!(holds_key("use dbk_a1_s3 here") && holds_key("dbk_dbk_a_b"));
        assert!(!holds_key("dbk_ _") && !holds_key("dbk_a") && !holds_key("dbk__a"));
        let token = format!("dbs_{}", "x".repeat(43));
        assert!(holds_key(&format!("session={token}; a=b")) && holds_key(&token));
        assert!(!holds_key("dbs_backup_of_today") && !holds_key("dbs_"));
    }
}

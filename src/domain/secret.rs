//! How a Daybook key is known wherever it stands, so that it is stored nowhere.

/// `dbk_<id>_<secret>`, or the beginning of one.
pub fn holds_key(text: &str) -> bool {
    // Of its bytes the rarest in a text that is no key.
    memchr::memchr_iter(b'_', text.as_bytes()).any(|at| {
        let (before, rest) = text.as_bytes().split_at(at);
        before.ends_with(b"dbk") && is_rest_of_a_key(&rest[1..])
    })
}

fn is_rest_of_a_key(rest: &[u8]) -> bool {
    let id = rest
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    let secret = rest[id..].strip_prefix(b"_").and_then(<[u8]>::first);
    id > 0 && secret.is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::holds_key;

    #[test]
    fn a_key_is_known_by_its_form() {
        assert!(holds_key("use dbk_a1_s3 here") && holds_key("dbk_dbk_a_b"));
        assert!(!holds_key("dbk_ _") && !holds_key("dbk_a") && !holds_key("dbk__a"));
    }
}

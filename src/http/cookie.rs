//! The cookie of a sign-in: how it is given, found in a request, and taken back.

use crate::access::Token;
use actix_web::HttpRequest;
use actix_web::http::header;
use std::time::Duration;

pub const NAME: &str = "daybook_session";

/// What a request holds of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held<'a> {
    None,
    One(&'a str),
    /// Several that say different things: somebody else has put one there.
    Several,
}

pub fn held_by(request: &HttpRequest) -> Held<'_> {
    let lines = request.headers().get_all(header::COOKIE);
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut held = Held::None;
    for (name, value) in pairs.filter_map(|pair| pair.trim().split_once('=')) {
        match held {
            _ if name != NAME => {}
            Held::One(other) if other == value => {}
            Held::None => held = Held::One(value),
            _ => return Held::Several,
        }
    }
    held
}

/// For as long as it can last at most; the browser sends it to this host alone, and shows it to no script.
pub fn given(token: &Token, lasts: Duration, secure: bool) -> String {
    line(token.reveal(), lasts.as_secs(), secure)
}

pub fn taken_back(secure: bool) -> String {
    line("", 0, secure)
}

fn line(value: &str, seconds: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{NAME}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn held(lines: &[&str]) -> Option<String> {
        let mut request = TestRequest::get();
        for line in lines {
            request = request.append_header((header::COOKIE, *line));
        }
        match held_by(&request.to_http_request()) {
            Held::One(value) => Some(value.to_owned()),
            Held::None => None,
            Held::Several => Some("several".to_owned()),
        }
    }

    #[test]
    fn it_is_found_among_others_and_two_are_none() {
        assert_eq!(held(&[]), None);
        assert_eq!(held(&["a=b; daybook_sessions=x;=; daybook_session"]), None);
        assert_eq!(held(&["a=b;daybook_session=x=y; c=d"]).unwrap(), "x=y");
        assert_eq!(
            held(&["daybook_session=x", "daybook_session=x"]).unwrap(),
            "x"
        );
        assert_eq!(
            held(&["daybook_session=x; daybook_session=y"]).unwrap(),
            "several"
        );
    }

    #[test]
    fn it_is_the_hosts_alone_and_no_scripts() {
        let token = Token::fresh().unwrap();
        let given = given(&token, Duration::from_secs(60), true);
        let rest = "; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure";
        assert_eq!(given, format!("daybook_session={}{rest}", token.reveal()));
        assert!(taken_back(false).ends_with("=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"));
    }
}

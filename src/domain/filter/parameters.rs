//! How a filter is read from query parameters, and what is said of a wrong one.

use super::{ActionPattern, Filter, Text};
use crate::domain::draft::is_action_char;
use crate::domain::rules::is_category_name;
use crate::domain::{Category, FieldError, FieldErrors, Rules, Severity, Timestamp, limits};

/// The query parameters that make a filter.
pub const PARAMETERS: [&str; 15] = [
    "category",
    "severity",
    "not_category",
    "not_severity",
    "not_actor",
    "not_action",
    "not_entity_type",
    "not_entity_id",
    "actor",
    "action",
    "entity_type",
    "entity_id",
    "since",
    "until",
    "q",
];

impl Filter {
    /// Reads query parameters; `now` is what relative times count back from. Every parameter that is
    /// not one of a filter's is refused by name.
    pub fn from_parameters<'a>(
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
        now: Timestamp,
        rules: &Rules,
    ) -> Result<Self, FieldErrors> {
        let mut reader = Reader {
            filter: Self::default(),
            now,
            seen: Vec::new(),
        };
        let mut errors = Vec::new();
        for (name, value) in parameters {
            if let Err(error) = reader.read(name, value) {
                errors.push(error);
            }
        }
        FieldErrors::none_in(errors)?;
        // They stand in the book as they were kept.
        let redact = &rules.redact;
        reader.filter.actor = reader.filter.actor.map(|actor| redact.sought(actor));
        for actor in &mut reader.filter.except.actors {
            *actor = redact.sought(std::mem::take(actor));
        }
        reader.filter.categories.sort();
        reader.filter.categories.dedup();
        reader.filter.severities.sort();
        reader.filter.severities.dedup();
        Ok(reader.filter)
    }
}

struct Reader {
    filter: Filter,
    now: Timestamp,
    seen: Vec<&'static str>,
}

impl Reader {
    fn read(&mut self, name: &str, value: &str) -> Result<(), FieldError> {
        let Some(known) = PARAMETERS.into_iter().find(|known| *known == name) else {
            return Err(FieldError::new(name.to_owned(), "is not a parameter here"));
        };
        if value.is_empty() {
            return Err(FieldError::new(known, "must not be empty"));
        }
        let repeats = matches!(known, "category" | "severity") || known.starts_with("not_");
        if !repeats && self.seen.contains(&known) {
            return Err(FieldError::new(known, "must be given once"));
        }
        self.seen.push(known);
        match known {
            "category" => self.categories(value),
            "severity" => self.severities(value),
            not if not.starts_with("not_") => self.except(not, value),
            "actor" => {
                bounded(known, value, limits::ACTOR_CHARS).map(|v| self.filter.actor = Some(v))
            }
            "entity_type" => bounded(known, value, limits::ENTITY_TYPE_CHARS)
                .map(|v| self.filter.entity_type = Some(v)),
            "entity_id" => bounded(known, value, limits::ENTITY_ID_CHARS)
                .map(|v| self.filter.entity_id = Some(v)),
            "action" => action_pattern(known, value).map(|pattern| self.filter.action = pattern),
            "since" => self
                .moment(known, value)
                .map(|at| self.filter.since = Some(at)),
            "until" => self
                .moment(known, value)
                .map(|at| self.filter.until = Some(at)),
            _ => bounded("q", value, limits::QUERY_CHARS)
                .map(|text| self.filter.text = Some(Text(text))),
        }
    }

    fn categories(&mut self, value: &str) -> Result<(), FieldError> {
        let named = named_categories("category", value)?;
        room("category", self.filter.categories.len() + named.len())?;
        self.filter.categories.extend(named);
        Ok(())
    }

    fn severities(&mut self, value: &str) -> Result<(), FieldError> {
        let named = named_severities("severity", value)?;
        room("severity", self.filter.severities.len() + named.len())?;
        self.filter.severities.extend(named);
        Ok(())
    }

    fn except(&mut self, name: &'static str, value: &str) -> Result<(), FieldError> {
        let one = |most| bounded(name, value, most);
        match name {
            "not_category" => {
                let named = named_categories(name, value)?;
                self.filter.except.categories.extend(named);
            }
            "not_severity" => {
                let named = named_severities(name, value)?;
                self.filter.except.severities.extend(named);
            }
            "not_actor" => self.filter.except.actors.push(one(limits::ACTOR_CHARS)?),
            "not_entity_type" => {
                let kind = one(limits::ENTITY_TYPE_CHARS)?;
                self.filter.except.entity_types.push(kind);
            }
            "not_entity_id" => {
                let id = one(limits::ENTITY_ID_CHARS)?;
                self.filter.except.entity_ids.push(id);
            }
            _ => {
                let pattern = action_pattern(name, value)?;
                let all = FieldError::new(name, "* alone would leave out everything");
                self.filter.except.actions.push(pattern.ok_or(all)?);
            }
        }
        room(name, self.filter.except.len())
    }

    /// RFC 3339, or how long ago.
    fn moment(&self, name: &'static str, value: &str) -> Result<Timestamp, FieldError> {
        if let Ok(at) = Timestamp::parse(value) {
            return Ok(at);
        }
        let ago = humantime::parse_duration(value).map_err(|_| {
            FieldError::new(
                name,
                "must be an RFC 3339 time such as 2026-01-31T08:00:00Z (a + in it written as %2B), \
                 or how long ago, such as 24h or 7d",
            )
        })?;
        let micros = i64::try_from(ago.as_micros()).unwrap_or(i64::MAX);
        Ok(self.now.minus_micros(micros))
    }
}

/// Any that the book may hold: entries outlive the configuration that knew their category.
fn named_categories(field: &'static str, value: &str) -> Result<Vec<Category>, FieldError> {
    let named = value.split(',').map(|name| match is_category_name(name) {
        true => Ok(Category::trusted(name)),
        false => Err(FieldError::new(
            field,
            "must be names of categories, each 1 to 64 characters of a-z 0-9 _ -, with commas between them",
        )),
    });
    named.collect()
}

fn named_severities(field: &'static str, value: &str) -> Result<Vec<Severity>, FieldError> {
    let named = value.split(',').map(|name| {
        let severity = Severity::parse(name);
        severity.ok_or_else(|| FieldError::new(field, "must be info, warning or error"))
    });
    named.collect()
}

fn room(name: &'static str, holds: usize) -> Result<(), FieldError> {
    if holds <= limits::FILTER_VALUES {
        Ok(())
    } else {
        Err(FieldError::new(name, "has more than 64 values"))
    }
}

fn bounded(name: &'static str, value: &str, most: usize) -> Result<String, FieldError> {
    if value.chars().count() > most {
        return Err(FieldError::new(
            name,
            format!("is longer than {most} characters"),
        ));
    }
    Ok(value.to_owned())
}

/// An exact action, a prefix and `*`, or `*` alone, which narrows nothing.
fn action_pattern(name: &'static str, value: &str) -> Result<Option<ActionPattern>, FieldError> {
    let (text, is_prefix) = match value.strip_suffix('*') {
        Some(prefix) => (prefix, true),
        None => (value, false),
    };
    if text.len() > limits::ACTION_CHARS || !text.bytes().all(is_action_char) {
        return Err(FieldError::new(
            name,
            "must be at most 128 characters of A-Z a-z 0-9 _ . : / -, with * only at its end",
        ));
    }
    Ok(match (text, is_prefix) {
        ("", true) => None,
        (text, true) => Some(ActionPattern::Prefix(text.to_owned())),
        (text, false) => Some(ActionPattern::Exact(text.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value};

    struct Nothing;
    impl crate::domain::Redact for Nothing {
        fn metadata(&self, _: &mut Map<String, Value>) {}
        fn holds_secret(&self, _: &str) -> bool {
            false
        }
    }

    fn read(parameters: &[(&str, &str)]) -> Result<Filter, FieldErrors> {
        let rules = Rules {
            extra_categories: vec!["billing".into()],
            redact: Box::new(Nothing),
        };
        let now = Timestamp::parse("2026-01-31T08:00:00Z").unwrap();
        Filter::from_parameters(parameters.iter().copied(), now, &rules)
    }

    #[test]
    fn repeated_and_comma_separated_values_are_the_same() {
        let repeated = read(&[("category", "auth"), ("category", "billing")]).unwrap();
        let separated = read(&[("category", "billing,auth,auth")]).unwrap();
        assert_eq!(repeated, separated);
        assert_eq!(repeated.categories.len(), 2);
    }

    #[test]
    fn a_category_is_any_that_the_book_may_hold() {
        for name in ["auth", "billing", "gone-2", "_"] {
            assert_eq!(
                read(&[("category", name)]).unwrap().categories[0].as_str(),
                name
            );
            assert!(read(&[("not_category", name)]).is_ok(), "{name}");
        }
        for no_name in ["Auth", "a b", "a,", "ä", "*", &"a".repeat(65)] {
            assert!(read(&[("category", no_name)]).is_err(), "{no_name}");
        }
    }

    #[test]
    fn relative_times_count_back_from_now() {
        let filter = read(&[("since", "24h"), ("until", "2026-01-31T07:00:00+00:00")]).unwrap();
        assert_eq!(
            filter.since,
            Some(Timestamp::parse("2026-01-30T08:00:00Z").unwrap())
        );
        assert_eq!(
            filter.until,
            Some(Timestamp::parse("2026-01-31T07:00:00Z").unwrap())
        );
        assert!(filter.is_by_time_alone());
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        for (name, value) in [
            ("colour", "red"),
            ("category", "No"),
            ("category", ""),
            ("severity", "fatal"),
            ("action", "a*b"),
            ("action", "a b"),
            ("since", "soon"),
            ("until", "-3h"),
            ("not_category", "a b"),
            ("not_severity", "fatal"),
            ("not_action", "a*b"),
            ("not_action", "*"),
            ("not_actor", ""),
            ("not_until", "3h"),
        ] {
            let errors = read(&[(name, value)]).unwrap_err();
            assert_eq!(errors.as_slice()[0].field, name, "{name}={value}");
        }
        let long = "x".repeat(257);
        for name in ["q", "actor", "entity_id"] {
            assert!(read(&[(name, &long)]).is_err(), "{name}");
        }
        assert!(read(&[("actor", "a"), ("actor", "b")]).is_err());
        for (name, value) in [
            ("category", "auth"),
            ("not_actor", "a"),
            ("not_severity", "info"),
        ] {
            assert!(read(&[(name, value); 64]).is_ok(), "{name}");
            assert!(read(&[(name, value); 65]).is_err(), "{name}");
        }
    }

    #[test]
    fn an_action_is_exact_or_a_prefix() {
        let pattern = |text| read(&[("action", text)]).unwrap().action;
        assert!(pattern("task.created").unwrap().matches("task.created"));
        assert!(!pattern("task.").unwrap().matches("task.created"));
        assert!(pattern("task.*").unwrap().matches("task.created"));
        assert!(!pattern("task.*").unwrap().matches("tasks"));
        assert_eq!(pattern("*"), None);
    }
}

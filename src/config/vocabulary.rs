//! Every key there is, as `section.key`, taken from the settings themselves so that no list can fall behind.

use super::Settings;
use toml::{Table, Value};

/// The settings as a table of sections.
pub fn table_of(settings: &Settings) -> Table {
    Table::try_from(settings).expect("settings are tables of plain values")
}

/// `section.key` for every key of every section, and the bare name of every array of tables.
pub fn keys() -> Vec<String> {
    let table = table_of(&Settings::default());
    let mut keys = Vec::new();
    for (section, value) in &table {
        match value {
            Value::Table(inner) => keys.extend(inner.keys().map(|key| format!("{section}.{key}"))),
            _ => keys.push(section.clone()),
        }
    }
    keys
}

/// The value that stands at `section.key`.
pub fn value_at<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        Some((section, key)) => table.get(section)?.get(key),
        None => table.get(key),
    }
}

pub fn is_known(key: &str) -> bool {
    keys().iter().any(|known| known == key)
}

/// A section, or an array of tables.
pub fn is_section(name: &str) -> bool {
    table_of(&Settings::default()).contains_key(name)
}

/// The key that was probably meant; without a dot, the section.
pub fn nearest(wrong: &str) -> Option<String> {
    let candidates = if wrong.contains('.') {
        keys()
    } else {
        table_of(&Settings::default()).keys().cloned().collect()
    };
    let closest = candidates
        .into_iter()
        .map(|key| (distance(wrong, &key), key))
        .min()?;
    let (distance, key) = closest;
    (distance <= 1 + key.len() / 4).then_some(key)
}

/// Levenshtein's, over bytes: keys are ASCII.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_that_was_meant_is_found() {
        assert_eq!(nearest("retention.max_day").unwrap(), "retention.max_days");
        assert_eq!(nearest("sever.listen").unwrap(), "server.listen");
        assert_eq!(nearest("sever").unwrap(), "server");
        assert_eq!(nearest("nothing.like_it"), None);
    }

    #[test]
    fn the_distance_is_the_number_of_edits() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}

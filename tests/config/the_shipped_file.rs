//! The file that comes with the daemon.

use super::*;

#[test]
fn sets_nothing_as_it_is() {
    let loaded = World::new(config::SHIPPED).loaded();
    assert_eq!(loaded.settings, Settings::default());
    assert_eq!(*loaded.origins.source_of("server.listen"), Source::Default);
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

#[test]
fn shows_every_key_with_its_default() {
    let text = switched_on();
    let loaded = World::new(&text).loaded();
    assert_eq!(loaded.settings, Settings::default());
    let shown = keys_of(&text.parse().unwrap());
    let all = keys_of(&toml::Table::try_from(Settings::default()).unwrap());
    assert_eq!(shown, all);
}

#[test]
fn says_something_of_every_section_and_table() {
    let table = toml::Table::try_from(Settings::default()).unwrap();
    for (section, value) in &table {
        let heading = if value.is_table() {
            format!("\n[{section}]")
        } else {
            format!("[[{section}]]")
        };
        assert!(config::SHIPPED.contains(&heading), "{section}");
    }
}

#[test]
fn explains_every_group_of_keys() {
    let lines: Vec<&str> = config::SHIPPED.lines().collect();
    for pair in lines.windows(2) {
        let first_of_group =
            pair[1].starts_with('#') && pair[1][1..].starts_with(|c: char| c.is_ascii_lowercase());
        assert!(!(first_of_group && pair[0].is_empty()), "{}", pair[1]);
    }
}

//! Flags, the environment, files and defaults.

use super::*;

#[test]
fn a_flag_over_the_environment_over_the_file_over_the_default() {
    let file = "[retention]\nmax_days = 1\nmax_entries = 200\n[server]\nlisten = '127.0.0.1:1'\n";
    let loaded = World::new(file)
        .variable("DAYBOOK_RETENTION__MAX_DAYS", "2")
        .variable("DAYBOOK_SERVER__LISTEN", "127.0.0.1:2")
        .flag("--listen", "server.listen", "127.0.0.1:3")
        .loaded();
    assert_eq!(loaded.settings.server.listen.to_string(), "127.0.0.1:3");
    assert_eq!(loaded.settings.retention.max_days, 2);
    assert_eq!(loaded.settings.retention.max_entries, 200);
    assert!(loaded.settings.retention.enabled);
    let source = |key: &str| loaded.origins.source_of(key).to_string();
    assert_eq!(source("server.listen"), "flag");
    assert_eq!(source("retention.max_days"), "environment");
    assert_eq!(source("retention.max_entries"), "file");
    assert!(loaded.is_locked("retention.max_days"));
    assert!(!loaded.is_locked("retention.max_entries"));
}

#[test]
fn a_locked_file_locks_what_it_does_not_name_too() {
    let loaded = World::new("[retention]\nlocked = true\n").loaded();
    assert!(loaded.is_locked("retention.max_days"));
}

#[test]
fn the_first_file_of_the_search_path_and_none_is_fine() {
    let world = World::new("[retention]\nmax_days = 7\n");
    let there = world.inputs.file.clone().unwrap();
    let search = vec![PathBuf::from("/nowhere/daybook.toml"), there.clone()];
    let loaded = config::load(&Inputs {
        search,
        ..Inputs::default()
    });
    let loaded = loaded.unwrap();
    assert_eq!(loaded.file, Some(there));
    assert_eq!(loaded.settings.retention.max_days, 7);
    let loaded = config::load(&Inputs::default()).unwrap();
    assert_eq!(loaded.settings, Settings::default());
    assert_eq!(loaded.file, None);
}

#[test]
fn a_named_file_must_be_there() {
    let mut world = World::new("");
    world.inputs.file = Some("/nowhere/daybook.toml".into());
    assert!(world.error().starts_with("/nowhere/daybook.toml: "));
}

#[test]
fn what_is_read_again_is_the_file_that_was_found_and_nothing_in_its_place() {
    let world = World::new("[retention]\nmax_days = 7\n");
    let there = world.inputs.file.clone().unwrap();
    let other = world.directory.path().join("other.toml");
    std::fs::write(&other, "").unwrap();
    let inputs = Inputs {
        search: vec![there.clone(), other],
        ..Inputs::default()
    };
    let loaded = config::load(&inputs).unwrap();
    let mut again = Again::after(&inputs, &loaded);
    std::fs::remove_file(&there).unwrap();
    let error = again.load().unwrap_err().to_string();
    assert!(error.starts_with(&there.display().to_string()), "{error}");
    std::fs::write(&there, "[retention]\nmax_days = 8\n").unwrap();
    assert_eq!(again.load().unwrap().settings.retention.max_days, 8);
}

#[test]
fn a_file_that_comes_later_is_read_again_and_must_stay() {
    let world = World::new("");
    let later = world.directory.path().join("later.toml");
    let inputs = Inputs {
        search: vec![later.clone()],
        ..Inputs::default()
    };
    let mut again = Again::after(&inputs, &config::load(&inputs).unwrap());
    assert_eq!(again.load().unwrap().file, None);
    std::fs::write(&later, "[retention]\nmax_days = 7\n").unwrap();
    assert_eq!(again.load().unwrap().settings.retention.max_days, 7);
    std::fs::remove_file(&later).unwrap();
    assert!(again.load().is_err());
}

#[test]
fn the_book_of_a_service_is_in_its_state_directory() {
    let url = |world: World| world.loaded().settings.storage.url.as_str().to_owned();
    let service = || World::new("").variable("STATE_DIRECTORY", "/var/lib/daybook:/var/lib/other");
    assert_eq!(url(service()), "sqlite:///var/lib/daybook/daybook.db");
    let said = service().variable("DAYBOOK_STORAGE__URL", "sqlite:///srv/book.db");
    assert_eq!(url(said), "sqlite:///srv/book.db");
    assert_eq!(url(World::new("")), "sqlite://data/daybook.db");
}

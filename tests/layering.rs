//! The layers hold: a module names only modules of a smaller number, and the top of the tree is what it
//! was agreed to be.

use std::fs;
use std::path::{Path, PathBuf};

/// Each folder of `src` and its layer. A folder may name those of a smaller number, and itself.
const LAYERS: [(&str, u8); 13] = [
    ("domain", 1),
    ("access", 2),
    ("ingest", 2),
    ("export", 2),
    ("config", 3),
    ("telemetry", 3),
    ("client", 3),
    ("mdns", 3),
    ("storage", 4),
    ("actors", 5),
    ("dashboard", 5),
    ("http", 6),
    ("cli", 7),
];

/// Crates that one layer and those above it may name.
const KEPT_BELOW: [(&str, u8); 4] = [("diesel", 4), ("actix", 5), ("actix_web", 6), ("clap", 7)];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The first words that follow `prefix` wherever it stands as a path of its own.
fn named_after<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(prefix)
        .filter(|(at, _)| !code[..*at].ends_with(is_word))
        .map(|(at, _)| {
            let rest = &code[at + prefix.len()..];
            &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())]
        })
        .collect()
}

/// What a file says beside its comments.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// A file of layer `own` may not name what stands above it.
fn breaches(path: &Path, own_name: &str, own: u8) -> Vec<String> {
    let code = code_of(path);
    let mut breaches = Vec::new();
    for name in named_after(&code, "crate::") {
        let Some((_, layer)) = LAYERS.iter().find(|(known, _)| *known == name) else {
            breaches.push(format!("{}: crate::{name} is no layer", path.display()));
            continue;
        };
        if *layer > own || (*layer == own && name != own_name) {
            breaches.push(format!(
                "{}: layer {own} names {name}, of layer {layer}",
                path.display()
            ));
        }
    }
    for (krate, lowest) in KEPT_BELOW {
        if own < lowest && !named_after(&code, &format!("{krate}::")).is_empty() {
            breaches.push(format!("{}: layer {own} names {krate}", path.display()));
        }
    }
    breaches
}

#[test]
fn a_module_names_only_modules_of_a_smaller_number() {
    let mut found = Vec::new();
    for (name, layer) in LAYERS {
        for path in sources(&root().join("src").join(name)) {
            found.extend(breaches(&path, name, layer));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_breach_would_be_seen() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("filter.rs");
    fs::write(
        &path,
        "use crate::storage::StorageError;\nfn f() { actix::spawn(()) }\n",
    )
    .unwrap();
    assert_eq!(breaches(&path, "domain", 1).len(), 2);
    fs::write(
        &path,
        "// crate::storage is not named in a comment\nuse crate::domain::Entry;",
    )
    .unwrap();
    assert!(breaches(&path, "domain", 1).is_empty());
}

#[test]
fn every_folder_of_the_sources_has_a_layer() {
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let known = LAYERS.iter().any(|(layer, _)| *layer == name);
        assert!(
            known || name == "lib.rs" || name == "main.rs",
            "src/{name} has no layer"
        );
    }
}

#[test]
fn sql_is_spoken_in_the_backends_folder_alone() {
    let spoken = ["SELECT ", "INSERT INTO", "DELETE FROM", "PRAGMA "];
    for path in sources(&root().join("src")) {
        if path.starts_with(root().join("src/storage/sqlite")) {
            continue;
        }
        let code = code_of(&path);
        for word in spoken {
            assert!(
                !code.contains(word),
                "{} speaks SQL: {word}",
                path.display()
            );
        }
    }
}

#[test]
fn every_file_says_first_what_it_owns() {
    for path in sources(&root().join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let is_generated = text.starts_with("// @generated");
        assert!(
            text.starts_with("//! ") || is_generated,
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_top_of_the_tree_is_what_was_agreed() {
    let agreed = [
        "Cargo.toml",
        "src",
        "migrations",
        "diesel.toml",
        "config",
        "tests",
        "Makefile",
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "LICENSE",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "benches",
        "docs",
        ".ci",
        ".cargo",
        ".git",
        ".gitignore",
        "Cargo.lock",
        "clippy.toml",
        "target",
        "data",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            agreed.contains(&name.as_str()),
            "{name} stands at the top of the tree"
        );
    }
}

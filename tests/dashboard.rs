//! The dashboard in a real browser, against the real daemon. What is tried stands in `tests/dashboard/*.test.mjs`; here
//! is what gets it going, and what holds for how it is fetched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dashboard")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

#[expect(clippy::print_stdout, reason = "a test has nobody else to tell")]
fn run(command: &mut Command) {
    println!("{command:?}");
    let status = command.current_dir(folder()).status();
    let status = status.unwrap_or_else(|error| {
        panic!("{command:?}: {error}. `make test-packages` installs what the tests use.")
    });
    assert!(status.success(), "{command:?}: {status}");
}

/// What is installed is what the lock says; npm writes down what it installed, in the same words.
fn is_installed() -> bool {
    let packages = |text: &str| -> Option<serde_json::Value> {
        let mut lock: serde_json::Value = serde_json::from_str(text).ok()?;
        let packages = lock.get_mut("packages")?.as_object_mut()?;
        packages.remove("");
        Some(packages.clone().into())
    };
    let installed = fs::read_to_string(folder().join("node_modules/.package-lock.json"));
    installed.is_ok_and(|text| packages(&text) == packages(&read("package-lock.json")))
}

fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        if !is_installed() {
            run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]));
        }
    });
}

#[test]
fn what_the_page_says_of_its_types_holds() {
    install();
    run(Command::new("node").args(["node_modules/typescript/bin/tsc", "--project", "."]));
}

#[test]
fn the_page_keeps_its_laws_in_a_browser() {
    install();
    let mut files: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".test.mjs"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    run(Command::new("node")
        .args(["--test", "--test-reporter=spec"])
        .args(files)
        .env("DAYBOOK", env!("CARGO_BIN_EXE_daybook")));
}

#[test]
fn the_lock_says_what_is_fetched_and_not_from_where() {
    let lock = read("package-lock.json");
    assert!(!lock.contains("http"));
    assert!(read(".npmrc").contains("omit-lockfile-registry-resolved=true"));
    let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
    let packages = lock["packages"].as_object().unwrap();
    for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
        let hash = package["integrity"].as_str().unwrap_or_default();
        assert!(hash.starts_with("sha512-"), "{name}");
    }
}

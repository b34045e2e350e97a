//! What we depend on can be given on: every licence suits MIT and Apache-2.0, the SQLite library comes once,
//! and what the owner chose is used. Read from the lock file and the sources at hand; nothing is fetched.

use serde_json::Value;
use std::process::Command;

/// Any one of these in a licence expression is enough for a crate.
const SUITABLE: [&str; 10] = [
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "0BSD",
    "CC0-1.0",
    // Of data: the certificates that browsers trust.
    "CDLA-Permissive-2.0",
];

/// Owner's choice, or forbidden: another SQLite beside the bundled one, another TLS than rustls.
const FORBIDDEN: [&str; 6] = [
    "rusqlite",
    "sqlx",
    "openssl-sys",
    "native-tls",
    "actix-governor",
    "utoipa-swagger-ui",
];

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// `A OR B` needs one that suits, `A AND B` needs both.
fn suits(expression: &str) -> bool {
    let bare = expression.replace(['(', ')'], " ").replace('/', " OR ");
    let alternative = |part: &str| {
        let licences = part.split(" AND ").map(str::trim);
        licences.into_iter().all(|licence| {
            let plain = licence.split(" WITH ").next().unwrap_or_default().trim();
            SUITABLE.contains(&plain)
        })
    };
    bare.split(" OR ").any(alternative)
}

#[test]
fn every_licence_suits_ours() {
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(suits(licence), "{}: {licence:?}", package["name"]);
    }
}

#[test]
fn a_licence_that_does_not_suit_would_be_seen() {
    assert!(suits("MIT/Apache-2.0"));
    assert!(suits("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(suits("Apache-2.0 WITH LLVM-exception"));
    assert!(!suits("GPL-3.0-only"));
    assert!(!suits("MIT AND GPL-3.0-only"));
    assert!(!suits(""));
}

#[test]
fn the_sqlite_library_comes_once_and_nothing_forbidden_comes_at_all() {
    let packages = packages();
    let named = |name: &str| packages.iter().filter(|p| p["name"] == name).count();
    assert_eq!(named("libsqlite3-sys"), 1);
    for name in FORBIDDEN {
        assert_eq!(named(name), 0, "{name}");
    }
}

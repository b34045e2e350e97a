//! The FastAPI server of the comparison: its Python environment, made visibly and kept, its books, its start.

use crate::process::{Server, free_address};
use crate::raw::Connection;
use crate::report::say;
use crate::rows::Rows;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const REQUIREMENTS: &str = include_str!("../fastapi/requirements.txt");
pub const SCHEMA: &str = include_str!("../fastapi/schema.sql");

/// A Python that has what the server needs.
#[derive(Debug, Clone)]
pub struct Python(PathBuf);

impl Python {
    /// Installs what is missing; answers why it cannot when it cannot.
    pub fn prepare(scratch: &Path) -> Result<Self, String> {
        let home = scratch.join("venv");
        let python = Self(home.join("bin/python"));
        let done = home.join("installed.txt");
        if fs::read_to_string(&done).is_ok_and(|held| held == REQUIREMENTS) {
            return Ok(python);
        }
        let installed = install(&home, &python.0);
        installed.map_err(|e| format!("no Python environment: {e}"))?;
        fs::write(done, REQUIREMENTS).map_err(|e| e.to_string())?;
        Ok(python)
    }

    pub fn start_server(&self, book: &Path, log: &Path) -> Result<Server, String> {
        let address = free_address()?;
        let mut command = Command::new(&self.0);
        command
            .arg(source("server.py"))
            .args(["--port", &address.port().to_string()])
            .arg("--book")
            .arg(book);
        Server::start(&mut command, address, "/readyz", log)
    }
}

fn install(home: &Path, python: &Path) -> Result<(), String> {
    visibly(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(home),
    )?;
    visibly(
        Command::new(python)
            .args(["-m", "pip", "install", "--disable-pip-version-check"])
            .args(["--progress-bar", "off", "--retries", "1", "--timeout", "20"])
            .arg("--requirement")
            .arg(source("requirements.txt")),
    )
}

fn visibly(command: &mut Command) -> Result<(), String> {
    say(&format!("running {command:?}"));
    let status = command.stdin(Stdio::null()).status();
    let status = status.map_err(|e| format!("{:?}: {e}", command.get_program()))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{:?} ended with {status}", command.get_program()))
    }
}

fn source(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/fastapi");
    folder.join(name)
}

/// Makes a book of the origins' kind: the columns and the five indexes of their document, and so many rows.
pub fn fill(path: &Path, rows: Rows, count: u64) -> Result<(), String> {
    let connection = Connection::open(path)?;
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;")?;
    connection.execute("PRAGMA cache_size = -262144;")?;
    connection.execute(SCHEMA)?;
    connection.execute("BEGIN")?;
    insert(&connection, rows, count)?;
    connection.execute("COMMIT; PRAGMA wal_checkpoint(TRUNCATE);")
}

fn insert(connection: &Connection, rows: Rows, count: u64) -> Result<(), String> {
    use crate::raw::Value::Text;
    let mut insert = connection.prepare(
        "INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, entity_id,
         entity_name, message, metadata) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    let start = crate::raw_book::now().minus_micros(30 * 86_400_000_000);
    let step = 30 * 86_400_000_000 / i64::try_from(count.max(1)).unwrap_or(i64::MAX);
    for (number, row) in (0_i64..).zip(rows.take(usize::try_from(count).unwrap_or(usize::MAX))) {
        let ts = start.minus_micros(-step * number).text();
        insert.go(&[
            Text(&uuid_like(number)),
            Text(crate::raw_book::text_of(&ts)),
            Text(&row.category),
            Text(&row.action),
            Text(&row.severity),
            Text(&row.actor),
            row.entity_type.as_deref().into(),
            row.entity_id.as_deref().into(),
            row.entity_name.as_deref().into(),
            Text(&row.message),
            Text(&row.metadata),
        ])?;
    }
    Ok(())
}

/// Random like the UUIDv4 that the server makes.
fn uuid_like(number: i64) -> String {
    let mut dice = crate::rows::Dice(number.unsigned_abs());
    format!("al_{:016x}{:016x}", dice.next(), dice.next())
}

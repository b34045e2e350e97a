//! SQLite through its C API and nothing between: connections, prepared statements, values. What the other
//! figures are held against. It knows nothing of books; `raw_book` does.

#![expect(
    unsafe_code,
    reason = "the C API is what this is compared with; a safe wrapper would be another contestant"
)]

use libsqlite3_sys as ffi;
use std::ffi::{CStr, CString, c_int};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::rc::Rc;

pub type Result<T> = std::result::Result<T, String>;

pub fn version() -> &'static str {
    ffi::SQLITE_VERSION
        .to_str()
        .unwrap_or("of an unknown version")
}

#[derive(Clone, Copy)]
pub enum Value<'a> {
    Integer(i64),
    Text(&'a str),
    Null,
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Value::Null, Value::Text)
    }
}

/// Closed when the connection and its last statement are gone.
struct Handle(NonNull<ffi::sqlite3>);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: opened by `Connection::open`, and every statement that used it is finalized, since each held this handle.
        unsafe { ffi::sqlite3_close(self.0.as_ptr()) };
    }
}

impl Handle {
    fn message(&self) -> String {
        // SAFETY: the text belongs to the open connection and is copied before anything else is called.
        let text = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.0.as_ptr())) };
        text.to_string_lossy().into_owned()
    }

    fn check(&self, code: c_int) -> Result<()> {
        match code {
            ffi::SQLITE_OK | ffi::SQLITE_DONE | ffi::SQLITE_ROW => Ok(()),
            _ => Err(format!("SQLite says {code}: {}", self.message())),
        }
    }
}

pub struct Connection(Rc<Handle>);

impl Connection {
    /// Opens the file for writing, and makes it where there is none.
    pub fn open(path: &Path) -> Result<Self> {
        let name = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|e| e.to_string())?;
        let mut raw = ptr::null_mut();
        let flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE | ffi::SQLITE_OPEN_NOMUTEX;
        // SAFETY: the name ends in a NUL, and `raw` outlives the call.
        let code = unsafe { ffi::sqlite3_open_v2(name.as_ptr(), &mut raw, flags, ptr::null()) };
        let handle = NonNull::new(raw)
            .map(Handle)
            .ok_or("SQLite has no memory")?;
        handle.check(code)?;
        Ok(Self(Rc::new(handle)))
    }

    /// Any number of statements whose answers do not matter.
    pub fn execute(&self, sql: &str) -> Result<()> {
        let sql = CString::new(sql).map_err(|e| e.to_string())?;
        let none = ptr::null_mut();
        // SAFETY: the text ends in a NUL, and without a callback nothing is called back.
        let code = unsafe { ffi::sqlite3_exec(self.raw(), sql.as_ptr(), None, none, none.cast()) };
        self.0.check(code)
    }

    pub fn prepare(&self, sql: &str) -> Result<Statement> {
        let length = c_int::try_from(sql.len()).map_err(|e| e.to_string())?;
        let mut raw = ptr::null_mut();
        // SAFETY: the length is that of the text, and `raw` outlives the call.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                self.raw(),
                sql.as_ptr().cast(),
                length,
                ffi::SQLITE_PREPARE_PERSISTENT,
                &mut raw,
                ptr::null_mut(),
            )
        };
        self.0.check(code)?;
        Ok(Statement {
            raw: NonNull::new(raw).ok_or("an empty statement")?,
            handle: Rc::clone(&self.0),
        })
    }

    /// The one number that a query answers with.
    pub fn number(&self, sql: &str) -> Result<i64> {
        let mut number = 0;
        self.prepare(sql)?.run(&[], |row| number = row.integer(0))?;
        Ok(number)
    }

    fn raw(&self) -> *mut ffi::sqlite3 {
        self.0.0.as_ptr()
    }
}

pub struct Statement {
    raw: NonNull<ffi::sqlite3_stmt>,
    handle: Rc<Handle>,
}

impl Statement {
    /// Binds all values, steps to the end, and answers with the number of rows seen.
    pub fn run(&mut self, values: &[Value<'_>], mut seen: impl FnMut(&Columns<'_>)) -> Result<u64> {
        for (index, value) in (1..).zip(values) {
            self.bind(index, *value)?;
        }
        let mut rows = 0;
        let code = loop {
            // SAFETY: the statement is live, and the bound texts are borrowed until this function returns.
            let code = unsafe { ffi::sqlite3_step(self.raw.as_ptr()) };
            if code != ffi::SQLITE_ROW {
                break code;
            }
            rows += 1;
            seen(&Columns(self));
        };
        let result = self.handle.check(code);
        // SAFETY: the statement is live; after this it reads none of the texts that were bound.
        unsafe { ffi::sqlite3_reset(self.raw.as_ptr()) };
        result.map(|()| rows)
    }

    /// Runs a statement that answers nothing.
    pub fn go(&mut self, values: &[Value<'_>]) -> Result<()> {
        self.run(values, |_| ()).map(drop)
    }

    fn bind(&mut self, index: c_int, value: Value<'_>) -> Result<()> {
        let raw = self.raw.as_ptr();
        // SAFETY: the statement is live and reset. A text is not copied (no destructor means static), but
        // `run` borrows it for as long as the statement steps, and binds every place anew each time.
        let code = unsafe {
            match value {
                Value::Integer(number) => ffi::sqlite3_bind_int64(raw, index, number),
                Value::Null => ffi::sqlite3_bind_null(raw, index),
                Value::Text(text) => {
                    let length = c_int::try_from(text.len()).map_err(|e| e.to_string())?;
                    ffi::sqlite3_bind_text(raw, index, text.as_ptr().cast(), length, None)
                }
            }
        };
        self.handle.check(code)
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: prepared by `Connection::prepare` and not used after this.
        unsafe { ffi::sqlite3_finalize(self.raw.as_ptr()) };
    }
}

/// The row that a statement stands on.
pub struct Columns<'a>(&'a Statement);

impl Columns<'_> {
    pub fn integer(&self, index: c_int) -> i64 {
        // SAFETY: the statement stands on a row; a column that is not there reads as 0.
        unsafe { ffi::sqlite3_column_int64(self.0.raw.as_ptr(), index) }
    }

    /// A copy, as anyone who hands the row on must make.
    pub fn text(&self, index: c_int) -> Option<String> {
        let raw = self.0.raw.as_ptr();
        // SAFETY: the statement stands on a row; the text lives until the next step and is copied here.
        unsafe {
            let text = NonNull::new(ffi::sqlite3_column_text(raw, index).cast_mut())?;
            let length = usize::try_from(ffi::sqlite3_column_bytes(raw, index)).ok()?;
            let bytes = std::slice::from_raw_parts(text.as_ptr(), length);
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

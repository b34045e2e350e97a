//! What a command writes. A reader that went away, as `head` does, is no error and no panic.

use super::Exit;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Writes what the command was asked for to standard output.
pub fn print(text: impl Display) -> Exit {
    let mut out = io::stdout().lock();
    exit_of(write!(out, "{text}").and_then(|()| out.flush()))
}

/// Writes one line to standard error. When that fails there is nobody left to tell.
pub fn complain(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "daybook: {text}");
}

/// How a command ends that only had to write.
pub fn exit_of(written: io::Result<()>) -> Exit {
    match written {
        Ok(()) => Exit::Ok,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Ok,
        Err(error) => {
            complain(format_args!("cannot write: {error}"));
            Exit::Io
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        assert_eq!(exit_of(Ok(())), Exit::Ok);
        assert_eq!(exit_of(Err(ErrorKind::BrokenPipe.into())), Exit::Ok);
        assert_eq!(exit_of(Err(ErrorKind::StorageFull.into())), Exit::Io);
    }
}

//! Lines of a source of any length, one at a time. What is longer than an entry may be is not held.

use crate::domain::limits;
use std::io::{self, BufRead};

/// More of a line is not kept; what is cut is too large for an entry in any case.
const KEPT: usize = 2 * limits::ENTRY_BYTES;

pub struct Lines<R> {
    source: R,
    line: Vec<u8>,
    number: u64,
    read: u64,
}

impl<R: BufRead> Lines<R> {
    pub fn new(source: R) -> Self {
        Self {
            source,
            line: Vec::new(),
            number: 0,
            read: 0,
        }
    }

    /// Bytes read so far.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// The next line that holds something, and its number, counted from 1 over all lines.
    pub fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        loop {
            if !self.fill()? {
                return Ok(None);
            }
            if self.number == 1 && self.line.starts_with(b"\xef\xbb\xbf") {
                self.line.drain(..3);
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some((self.number, &self.line)));
            }
        }
    }

    /// One line without its end; false when there is none.
    fn fill(&mut self) -> io::Result<bool> {
        self.line.clear();
        let mut any = false;
        loop {
            let held = self.source.fill_buf()?;
            if held.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', held);
            let part = &held[..end.unwrap_or(held.len())];
            let room = KEPT.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            self.source.consume(used);
            self.read += used as u64;
            if end.is_some() {
                break;
            }
        }
        self.number += u64::from(any);
        Ok(any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn all(text: &[u8]) -> Vec<(u64, String)> {
        // Small parts, so that lines span several.
        let mut lines = Lines::new(io::BufReader::with_capacity(3, text));
        let mut all = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            all.push((number, String::from_utf8_lossy(line).into_owned()));
        }
        assert_eq!(lines.read(), text.len() as u64);
        all
    }

    #[test]
    fn lines_are_numbered_as_an_editor_does_and_blank_ones_passed_over() {
        let expected = [(1, "{a}"), (4, "{bcdefg}"), (5, "{}")];
        let expected = expected.map(|(number, line)| (number, line.to_owned()));
        assert_eq!(all(b"\xef\xbb\xbf{a}\n\n \n{bcdefg}\n{}"), expected);
        assert_eq!(all(b""), []);
    }

    #[test]
    fn of_a_line_without_end_only_so_much_is_held() {
        let mut lines = Lines::new(io::BufReader::new(io::repeat(b'x').take(10 << 20)));
        let (_, line) = lines.next().unwrap().unwrap();
        assert_eq!(line.len(), KEPT);
    }
}

//! A stream of bytes cut into its lines: by newlines, or by octets counted before each (RFC 6587), which is told
//! by the first byte of every frame. It holds no more than one line, and one that is too long is cut.

use memchr::memchr2;

/// Digits of a count; a longer number is no count.
const COUNT_DIGITS: usize = 7;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub bytes: Vec<u8>,
    /// What was longer than a line may be is gone.
    pub cut: bool,
    /// How many bytes of the stream went by, with this line.
    pub end: u64,
}

#[derive(Debug)]
pub struct Framer {
    held: Vec<u8>,
    /// Of `held`, what was given out already.
    done: usize,
    /// Before `held`.
    before: u64,
    most: usize,
    counts: bool,
    skip: Skip,
}

/// What is left of a line that was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Skip {
    Nothing,
    ToNewline,
    Octets(usize),
}

enum Frame {
    /// So much of what is held, behind so much that is no part of it.
    Whole {
        skip: usize,
        length: usize,
        after: usize,
    },
    /// Longer than a line may be.
    Long {
        skip: usize,
        then: Skip,
    },
    Unfinished,
}

impl Framer {
    /// Lines of at most `most` bytes; `counts` says whether octets may be counted.
    pub fn new(most: usize, counts: bool) -> Self {
        Self {
            held: Vec::new(),
            done: 0,
            before: 0,
            most,
            counts,
            skip: Skip::Nothing,
        }
    }

    /// Goes on at `offset` of the stream; `skipping` says that it is within a line that was cut.
    pub fn resumed(most: usize, offset: u64, skipping: bool) -> Self {
        Self {
            before: offset,
            skip: if skipping {
                Skip::ToNewline
            } else {
                Skip::Nothing
            },
            ..Self::new(most, false)
        }
    }

    /// Whether the rest of a line that was cut is still to be passed over.
    pub fn is_skipping(&self) -> bool {
        self.skip != Skip::Nothing
    }

    /// Up to where of the stream everything was given out or passed over.
    pub fn offset(&self) -> u64 {
        self.before + self.done as u64
    }

    pub fn has_rest(&self) -> bool {
        self.done < self.held.len()
    }

    /// Takes more of the stream, and gives out each line that is whole now.
    pub fn feed(&mut self, bytes: &[u8], mut out: impl FnMut(Line)) {
        self.held.extend_from_slice(bytes);
        while let Some(line) = self.next() {
            out(line);
        }
        self.before = self.offset();
        self.held.drain(..self.done);
        self.done = 0;
    }

    /// The stream ended: what came after the last newline is a line too.
    pub fn end(&mut self) -> Option<Line> {
        let mut rest = match self.skip {
            Skip::Nothing => trimmed(&self.held[self.done..]).to_vec(),
            _ => Vec::new(),
        };
        // With the count of a frame that is not whole it may be longer than a line.
        let cut = rest.len() > self.most;
        rest.truncate(self.most);
        self.done = self.held.len();
        self.skip = Skip::Nothing;
        (!rest.is_empty()).then(|| self.line(rest, cut))
    }

    fn line(&self, bytes: Vec<u8>, cut: bool) -> Line {
        Line {
            bytes,
            cut,
            end: self.offset(),
        }
    }

    fn next(&mut self) -> Option<Line> {
        loop {
            if !self.skipped() {
                return None;
            }
            match self.frame() {
                Frame::Unfinished => return None,
                Frame::Whole {
                    skip,
                    length,
                    after,
                } => {
                    let start = self.done + skip;
                    let bytes = trimmed(&self.held[start..start + length]).to_vec();
                    self.done = start + length + after;
                    if !bytes.is_empty() {
                        return Some(self.line(bytes, false));
                    }
                }
                Frame::Long { skip, then } => {
                    let start = self.done + skip;
                    let bytes = self.held[start..start + self.most].to_vec();
                    self.done = start + self.most;
                    self.skip = then;
                    return Some(self.line(bytes, true));
                }
            }
        }
    }

    /// Passes over what is to be passed over; whether that is behind us.
    fn skipped(&mut self) -> bool {
        let rest = &self.held[self.done..];
        match self.skip {
            Skip::Nothing => true,
            Skip::ToNewline => match memchr2(b'\n', 0, rest) {
                Some(at) => {
                    self.done += at + 1;
                    self.skip = Skip::Nothing;
                    true
                }
                None => {
                    self.done = self.held.len();
                    false
                }
            },
            Skip::Octets(left) => {
                let now = left.min(rest.len());
                self.done += now;
                self.skip = match left - now {
                    0 => Skip::Nothing,
                    left => Skip::Octets(left),
                };
                self.skip == Skip::Nothing
            }
        }
    }

    fn frame(&self) -> Frame {
        let rest = &self.held[self.done..];
        if self.counts && rest.first().is_some_and(u8::is_ascii_digit) {
            match count(rest) {
                Count::Of { digits, octets } => return self.counted(rest, digits + 1, octets),
                Count::Unfinished => return Frame::Unfinished,
                Count::None => {}
            }
        }
        match memchr2(b'\n', 0, rest) {
            Some(length) if length <= self.most => Frame::Whole {
                skip: 0,
                length,
                after: 1,
            },
            None if rest.len() <= self.most => Frame::Unfinished,
            _ => Frame::Long {
                skip: 0,
                then: Skip::ToNewline,
            },
        }
    }

    fn counted(&self, rest: &[u8], skip: usize, octets: usize) -> Frame {
        let there = rest.len() - skip;
        if octets <= self.most {
            return match there >= octets {
                true => Frame::Whole {
                    skip,
                    length: octets,
                    after: 0,
                },
                false => Frame::Unfinished,
            };
        }
        match there >= self.most {
            true => Frame::Long {
                skip,
                then: Skip::Octets(octets - self.most),
            },
            false => Frame::Unfinished,
        }
    }
}

enum Count {
    Of { digits: usize, octets: usize },
    Unfinished,
    None,
}

fn count(rest: &[u8]) -> Count {
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits > COUNT_DIGITS || rest[0] == b'0' {
        return Count::None;
    }
    match rest.get(digits) {
        None => Count::Unfinished,
        Some(b' ') => {
            let octets = rest[..digits]
                .iter()
                .fold(0, |sum, b| sum * 10 + usize::from(b - b'0'));
            Count::Of { digits, octets }
        }
        Some(_) => Count::None,
    }
}

/// Without what ends a line.
pub fn trimmed(line: &[u8]) -> &[u8] {
    let is_end = |b: &u8| matches!(b, b'\n' | b'\r' | 0);
    let length = line.iter().rposition(|b| !is_end(b)).map_or(0, |at| at + 1);
    &line[..length]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The lines of a stream that comes in pieces of `piece` bytes, and whether each was cut.
    fn lines(stream: &[u8], piece: usize, most: usize, counts: bool) -> Vec<(String, bool)> {
        let mut framer = Framer::new(most, counts);
        let mut found = Vec::new();
        for part in stream.chunks(piece.max(1)) {
            framer.feed(part, |line| found.push(line));
        }
        found.extend(framer.end());
        let text = |line: Line| (String::from_utf8_lossy(&line.bytes).into_owned(), line.cut);
        found.into_iter().map(text).collect()
    }

    fn whole(texts: &[&str]) -> Vec<(String, bool)> {
        texts
            .iter()
            .map(|text| ((*text).to_owned(), false))
            .collect()
    }

    #[test]
    fn lines_and_counted_frames_may_follow_each_other_in_pieces_of_any_size() {
        let stream = b"<1>a\r\n5 <1>bc<1>d\0\n9 <1>e\nf\n g\n<1>12 x\n<1>last";
        let expected = whole(&["<1>a", "<1>bc", "<1>d", "<1>e\nf\n g", "<1>12 x", "<1>last"]);
        for piece in 1..stream.len() + 1 {
            assert_eq!(lines(stream, piece, 100, true), expected, "{piece}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
        for piece in [1, 3, 100] {
            let cut = |text: &str| (text.to_owned(), true);
            let newline = lines(b"12345678\nnext\n", piece, 5, false);
            assert_eq!(newline, [vec![cut("12345")], whole(&["next"])].concat());
            let counted = lines(b"8 abcdefgh4 next", piece, 5, true);
            assert_eq!(counted, [vec![cut("abcde")], whole(&["next"])].concat());
        }
        assert_eq!(lines(b"12345\n", 1, 5, false), whole(&["12345"]));
    }

    #[test]
    fn digits_that_count_nothing_are_a_line() {
        assert_eq!(
            lines(b"2026-11-21 a\n0 b\n12345678 c\n", 4, 100, true).len(),
            3
        );
        assert_eq!(lines(b"3 a\n", 9, 100, false), whole(&["3 a"]));
    }

    #[test]
    fn it_goes_on_where_it_was_within_a_line_too() {
        let mut framer = Framer::resumed(5, 5, true);
        let mut found = Vec::new();
        framer.feed(b"678\nnext\nre", |line| found.push(line));
        assert_eq!((found.len(), found[0].end), (1, 14));
        assert_eq!((framer.offset(), framer.has_rest()), (14, true));
    }

    proptest! {
        #[test]
        fn no_stream_is_a_crash_and_the_size_of_its_pieces_changes_nothing(
            stream in prop::collection::vec(prop_oneof![
                any::<u8>(), Just(b'\n'), Just(b' '), b'0'..=b'9', Just(b'<')
            ], 0..300),
            piece in 1usize..40,
            most in 1usize..30,
            counts in any::<bool>(),
        ) {
            let all = lines(&stream, stream.len(), most, counts);
            prop_assert_eq!(lines(&stream, piece, most, counts), all);
        }

        #[test]
        fn what_is_held_is_bounded(stream in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut framer = Framer::new(16, true);
            for piece in stream.chunks(7) {
                framer.feed(piece, |line| assert!(line.bytes.len() <= 16));
                prop_assert!(framer.held.len() <= 16 + COUNT_DIGITS + 1 + 7);
            }
        }
    }
}

//! Where the random bytes come from: a small generator of numbers with a fixed seed, so that a failure can be
//! repeated, and what it does to bytes that are right.

pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.roll(from.len())]
    }
}

/// What parsers stumble over.
pub const PIECES: [&[u8]; 30] = [
    b"\0",
    b"\xff",
    b"\xc3\x28",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\ud800",
    b"\\u0000",
    b"1e999",
    b"-",
    b"null",
    b"\n",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"'; DROP TABLE activity_log; --",
    b"9999999999999999999999",
    b"%00",
    b"%ff",
    b"+",
    b"dbk_a_b",
    b"\xf0\x9f\x92\xa1",
    b"..",
    b"\x1f\x8b",
    b"&",
    b"=",
];

/// Cuts, doubles, drops, turns over or puts in a piece, up to `times` times.
pub fn mutated(dice: &mut Dice, text: &[u8], times: usize) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for _ in 0..dice.roll(times + 1) {
        let at = dice.roll(bytes.len() + 1);
        match dice.roll(5) {
            0 => bytes.truncate(at),
            1 => bytes.extend_from_within(at..),
            2 => drop(bytes.drain(at..(at + 3).min(bytes.len()))),
            3 if at < bytes.len() => bytes[at] ^= 1 << dice.roll(8),
            _ => drop(bytes.splice(at..at, dice.pick(&PIECES).iter().copied())),
        }
    }
    bytes
}

//! What a client sends, let through up to a frame that is larger than any may be. The codec behind it looks at the
//! size of a frame only when all of it is there, and would hold whatever comes until then.

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, BytesMut};
use futures_util::Stream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A length that no frame has, at which the codec says at once that it is too much.
const NO_LENGTH: [u8; 8] = [0xFF; 8];

pub struct Frames<S> {
    stream: S,
    most: u64,
    /// Bytes of the present frame that are still to come.
    left: u64,
    /// The beginning of a head of which the rest is still to come.
    held: Bytes,
    is_over: bool,
}

/// As much of a frame as its head tells.
struct Head {
    whole: u64,
    payload: u64,
}

impl<S> Frames<S> {
    pub fn of_at_most(most: usize, stream: S) -> Self {
        Self {
            stream,
            most: most as u64,
            left: 0,
            held: Bytes::new(),
            is_over: false,
        }
    }

    fn pass(&mut self, mut chunk: Bytes) -> Bytes {
        if !self.held.is_empty() {
            chunk = joined(&std::mem::take(&mut self.held), &chunk);
        }
        let mut at = 0;
        while at < chunk.len() {
            if self.left == 0 {
                let Some(head) = Head::read(&chunk[at..]) else {
                    self.held = chunk.split_off(at);
                    return chunk;
                };
                if head.payload > self.most {
                    self.is_over = true;
                    return joined(&joined(&chunk[..at], &[chunk[at], 0xFF]), &NO_LENGTH);
                }
                self.left = head.whole;
            }
            let there = (chunk.len() - at) as u64;
            let passed = self.left.min(there);
            self.left -= passed;
            at += passed as usize;
        }
        chunk
    }
}

impl Head {
    /// None when it is not whole.
    fn read(bytes: &[u8]) -> Option<Self> {
        let &[_, second, ref rest @ ..] = bytes else {
            return None;
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let (head, payload) = match second & 0x7F {
            126 => (4, u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
            127 => (10, u64::from_be_bytes(*rest.first_chunk()?)),
            short => (2, u64::from(short)),
        };
        Some(Self {
            whole: payload.saturating_add(head + mask),
            payload,
        })
    }
}

fn joined(one: &[u8], other: &[u8]) -> Bytes {
    let mut both = BytesMut::with_capacity(one.len() + other.len());
    both.extend_from_slice(one);
    both.extend_from_slice(other);
    both.freeze()
}

impl<S> Stream for Frames<S>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let next = ready!(Pin::new(&mut self.stream).poll_next(cx));
        Poll::Ready(next.map(|chunk| chunk.map(|chunk| self.pass(chunk))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of a client, masked with nothing.
    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x81];
        match payload.len() {
            short @ ..126 => frame.push(0x80 | short as u8),
            middle @ ..65_536 => {
                frame.push(0x80 | 126);
                frame.extend((middle as u16).to_be_bytes());
            }
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        frame
    }

    fn passed(most: usize, bytes: &[u8], piece: usize) -> (Vec<u8>, bool) {
        let mut frames = Frames::of_at_most(most, ());
        let mut passed = Vec::new();
        for piece in bytes.chunks(piece) {
            if !frames.is_over {
                passed.extend(frames.pass(Bytes::copy_from_slice(piece)));
            }
        }
        (passed, frames.is_over)
    }

    #[test]
    fn what_is_small_enough_passes_as_it_is_however_it_is_cut() {
        let sizes = [0, 1, 125, 126, 127, 300, 65_535, 65_536, 70_000];
        let all: Vec<u8> = sizes
            .iter()
            .flat_map(|size| frame(&vec![7; *size]))
            .collect();
        for piece in [1, 2, 3, 7, 13, 4_096, all.len()] {
            assert_eq!(passed(70_000, &all, piece), (all.clone(), false), "{piece}");
        }
    }

    #[test]
    fn of_a_frame_that_is_too_large_nothing_passes_but_that_it_is() {
        let small = frame(b"{}");
        let refused = [0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
        for large in [frame(&[0; 101]), frame(&[0; 300]), frame(&[0; 70_000])] {
            let all = [small.clone(), large].concat();
            for piece in [1, 2, 3, 11, all.len()] {
                let expected = [&small[..], &refused].concat();
                assert_eq!(passed(100, &all, piece), (expected, true), "{piece}");
            }
        }
    }
}

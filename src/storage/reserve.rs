//! A small file beside the book that takes room on the disk, so that there is some left to record that
//! there is none left.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

/// Room for one commit, with all the pages that it touches.
pub const BYTES: usize = 256 * 1024;
/// It is made again only when it leaves so much, so that it does not itself fill the disk.
const LEFT: u64 = 2 * BYTES as u64;

#[derive(Debug)]
pub struct Reserve {
    path: PathBuf,
    held: bool,
}

impl Reserve {
    pub fn at(path: PathBuf) -> Self {
        let held = std::fs::metadata(&path).is_ok_and(|meta| meta.len() == BYTES as u64);
        Self { path, held }
    }

    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Takes the room if there is enough; answers whether it is held.
    pub fn take(&mut self) -> bool {
        if !self.held && self.has_room() {
            self.held = self.write().is_ok();
            if !self.held {
                // Half of it would help nobody.
                let _ = std::fs::remove_file(&self.path);
            }
        }
        self.held
    }

    /// Gives the room up; answers whether there was any.
    pub fn give_up(&mut self) -> bool {
        std::mem::take(&mut self.held) && std::fs::remove_file(&self.path).is_ok()
    }

    fn write(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        // Not zeros: a file system that packs them would reserve nothing.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut bytes = Vec::with_capacity(BYTES);
        while bytes.len() < BYTES {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        file.write_all(&bytes)?;
        file.sync_all()
    }

    fn has_room(&self) -> bool {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => std::path::Path::new("."),
        };
        rustix::fs::statvfs(folder)
            .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= BYTES as u64 + LEFT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_taken_once_given_up_once_and_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book.db.reserve");
        let mut reserve = Reserve::at(path.clone());
        assert!(!reserve.give_up());
        assert!(reserve.take() && reserve.take());
        assert_eq!(std::fs::metadata(&path).unwrap().len(), BYTES as u64);
        assert!(Reserve::at(path.clone()).is_held());
        assert!(reserve.give_up() && !reserve.give_up());
        assert!(!path.exists());
    }

    #[test]
    fn half_a_reserve_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book.db.reserve");
        std::fs::write(&path, b"x").unwrap();
        assert!(!Reserve::at(path).is_held());
    }
}

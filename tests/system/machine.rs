//! What the tests ask of the machine: rights, tools, file systems to break.

use crate::support::say;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Whether a test can run here; if not, it says so where it can be seen.
pub fn can(law: &str, tools: &[&str]) -> bool {
    match missing(tools) {
        None => true,
        Some(why) => {
            say(format_args!("SKIPPED: {law}: {why}"));
            false
        }
    }
}

fn missing(tools: &[&str]) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("needs root".into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let is_there = |tool: &&&str| folders.iter().any(|folder| folder.join(tool).exists());
    let absent = tools.iter().find(|tool| !is_there(tool))?;
    Some(format!("{absent} is not installed"))
}

/// Runs a tool to its end; what it says when it fails is the error.
pub fn run(tool: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(tool)
        .args(arguments)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{tool} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// A file system of our own, gone when it is dropped.
pub struct Mount {
    at: TempDir,
    /// What it is made of, where that is a file.
    image: Option<TempDir>,
}

impl Mount {
    /// In memory, and no larger than this.
    pub fn memory(size: &str) -> Result<Self, String> {
        let at = tempfile::tempdir().map_err(|error| error.to_string())?;
        let size = format!("size={size}");
        run(
            "mount",
            &["-t", "tmpfs", "-o", &size, "daybook-test", path(at.path())],
        )?;
        Ok(Self { at, image: None })
    }

    /// ext4 on a loop device.
    pub fn ext4(bytes: u64) -> Result<Self, String> {
        let image = tempfile::tempdir().map_err(|error| error.to_string())?;
        let file = image.path().join("image");
        std::fs::File::create(&file)
            .and_then(|file| file.set_len(bytes))
            .map_err(|error| error.to_string())?;
        run("mkfs.ext4", &["-q", "-F", path(&file)])?;
        let at = tempfile::tempdir().map_err(|error| error.to_string())?;
        run("mount", &["-o", "loop", path(&file), path(at.path())])?;
        Ok(Self {
            at,
            image: Some(image),
        })
    }

    pub fn path(&self) -> &Path {
        self.at.path()
    }

    pub fn resize(&self, size: &str) {
        let options = format!("remount,size={size}");
        run("mount", &["-o", &options, path(self.at.path())]).unwrap();
    }

    /// From now on it can be read alone.
    pub fn freeze(&self) {
        run("mount", &["-o", "remount,ro", path(self.at.path())]).unwrap();
    }

    /// The power goes and comes back: what was not flushed to the device is lost.
    pub fn cut_power(&self) {
        run("xfs_io", &["-x", "-c", "shutdown", path(self.at.path())]).unwrap();
    }

    pub fn come_back(&self) {
        let image = self.image.as_ref().expect("it lies in a file");
        run("umount", &[path(self.at.path())]).unwrap();
        let file = image.path().join("image");
        run("mount", &["-o", "loop", path(&file), path(self.at.path())]).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: after a failed test something may still hold it.
        let _ = run("umount", &["-l", path(self.at.path())]);
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

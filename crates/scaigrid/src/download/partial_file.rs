//! A file that is there only when it is whole.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Written beside its place, and moved there at the end: a broken download leaves nothing that looks whole.
pub(super) struct PartialFile {
    file: Option<File>,
    partial: PathBuf,
    path: PathBuf,
}

impl PartialFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
        let mut partial = OsString::from(".");
        partial.push(name);
        partial.push(format!(".{:016x}.part", fastrand::u64(..)));
        let partial = path.with_file_name(partial);
        let file = File::create_new(&partial)?;
        Ok(Self { file: Some(file), partial, path: path.to_owned() })
    }

    pub(super) fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(piece))
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        // Closed first: some systems do not move an open file.
        drop(self.file.take());
        let moved = std::fs::rename(&self.partial, &self.path);
        if moved.is_ok() {
            self.partial.clear();
        }
        moved
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        drop(self.file.take());
        if !self.partial.as_os_str().is_empty() {
            // What is left over does no harm, and there is nobody to tell.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

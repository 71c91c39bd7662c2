//! A file that is there only when it is whole.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Written beside its place, and moved there at the end: a broken download leaves nothing that looks whole.
///
/// A device or a pipe is written to as it is. Behind a link, the file that it leads to is replaced.
pub(super) struct PartialFile {
    file: Option<File>,
    /// From where to where the file is moved at the end.
    moved: Option<(PathBuf, PathBuf)>,
}

impl PartialFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let path = match std::fs::metadata(path) {
            Ok(facts) if facts.is_dir() => return Err(io::Error::other("it is a folder: name a file in it")),
            Ok(facts) if !facts.is_file() => {
                let file = File::options().write(true).open(path)?;
                return Ok(Self { file: Some(file), moved: None });
            }
            Ok(_) => std::fs::canonicalize(path)?,
            Err(_) => path.to_owned(),
        };
        let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
        let mut partial = OsString::from(".");
        partial.push(name);
        partial.push(format!(".{:016x}.part", crate::random::number()));
        let partial = path.with_file_name(partial);
        let file = File::create_new(&partial)?;
        Ok(Self { file: Some(file), moved: Some((partial, path)) })
    }

    pub(super) fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(piece))
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        // Closed first: some systems do not move an open file.
        drop(self.file.take());
        let Some((partial, path)) = &self.moved else { return Ok(()) };
        std::fs::rename(partial, path)?;
        self.moved = None;
        Ok(())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        drop(self.file.take());
        if let Some((partial, _)) = &self.moved {
            // What is left over does no harm, and there is nobody to tell.
            let _ = std::fs::remove_file(partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_replaced_only_by_what_is_whole() {
        let folder = std::env::temp_dir().join(format!("scaigrid-save-{:016x}", crate::random::number()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("a.txt");
        std::fs::write(&path, "old").unwrap();
        let left = || std::fs::read_dir(&folder).unwrap().count();
        let mut broken = PartialFile::create(&path).unwrap();
        broken.write(b"ne").unwrap();
        assert_eq!(left(), 2);
        drop(broken);
        assert_eq!((left(), std::fs::read_to_string(&path).unwrap().as_str()), (1, "old"));
        let mut whole = PartialFile::create(&path).unwrap();
        whole.write(b"new").unwrap();
        whole.finish().unwrap();
        assert_eq!((left(), std::fs::read_to_string(&path).unwrap().as_str()), (1, "new"));
        for wrong in [folder.as_path(), Path::new(""), Path::new("/"), &folder.join("no/such/folder")] {
            assert!(PartialFile::create(wrong).is_err(), "{wrong:?}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn devices_stay_devices_and_links_stay_links() {
        use std::os::unix::fs::FileTypeExt as _;
        let mut device = PartialFile::create(Path::new("/dev/null")).unwrap();
        device.write(b"x").unwrap();
        device.finish().unwrap();
        assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let folder = std::env::temp_dir().join(format!("scaigrid-link-{:016x}", crate::random::number()));
        std::fs::create_dir(&folder).unwrap();
        let (target, link) = (folder.join("target"), folder.join("link"));
        std::fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let mut file = PartialFile::create(&link).unwrap();
        file.write(b"new").unwrap();
        file.finish().unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "new");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

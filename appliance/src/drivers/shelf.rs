//! The shelf: the folder `drivers` in the data folder, with a copy of each version that is kept, and its signature beside it.
//!
//! It owns the files. What is on it counts only as far as a record says so, and a copy is verified each time it is taken.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tollhouse_drivers::plugin::SealedLibrary;
use tollhouse_drivers::plugin::signature::signature_path;

const FOLDER: &str = "drivers";
/// A file that is still being written.
const UNFINISHED: &str = ".unfinished";

/// Whether something is on the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stock {
    /// A version at least.
    Kept,
    /// Nothing.
    Empty,
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// Of this data folder.
    pub fn of(data: &Path) -> Self {
        Self { folder: data.join(FOLDER) }
    }

    /// Where the copy of a version stands. An id has no slash, and neither has a version.
    pub fn path(&self, id: &str, version: &str) -> PathBuf {
        self.folder.join(format!("{id}@{version}.so"))
    }

    /// Whether anything of a driver is kept.
    pub fn has(&self, id: &str) -> Stock {
        let begin = format!("{id}@");
        let files = fs::read_dir(&self.folder).into_iter().flatten().filter_map(Result::ok);
        let mut files = files.map(|entry| PathBuf::from(entry.file_name()));
        let is_copy = |file: PathBuf| {
            let of_driver = file.to_string_lossy().starts_with(&begin);
            of_driver && file.extension().is_some_and(|extension| extension == "so")
        };
        if files.any(is_copy) { Stock::Kept } else { Stock::Empty }
    }

    /// Keeps a sealed copy: durable when this returns.
    pub fn keep(&self, id: &str, version: &str, library: &SealedLibrary) -> io::Result<()> {
        self.make()?;
        let path = self.path(id, version);
        if let Some(signature) = library.signature() {
            Self::write(&signature_path(&path), signature.as_bytes())?;
        }
        Self::write(&path, &library.bytes()?)?;
        File::open(&self.folder)?.sync_all()
    }

    /// Takes a version off the shelf; one that is not there is as good as taken.
    pub fn drop(&self, id: &str, version: &str) -> io::Result<()> {
        let path = self.path(id, version);
        for file in [signature_path(&path), path] {
            match fs::remove_file(file) {
                Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
                _ => {}
            }
        }
        Ok(())
    }

    /// Receives so many bytes into a file without a name, which is gone when it is closed.
    pub fn receive(&self, from: &mut dyn Read, bytes: u64) -> io::Result<File> {
        self.make()?;
        let mut file = tempfile::tempfile_in(&self.folder)?;
        let got = io::copy(&mut from.take(bytes), &mut file)?;
        if got != bytes {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the library did not come whole"));
        }
        file.rewind()?;
        Ok(file)
    }

    fn make(&self) -> io::Result<()> {
        match fs::DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => Err(fault),
            _ => Ok(()),
        }
    }

    /// Written aside and renamed: a crash leaves the whole file or none.
    fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut aside = path.as_os_str().to_owned();
        aside.push(UNFINISHED);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_come_whole_is_no_library_and_leaves_nothing() {
        let data = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::of(data.path());
        assert!(shelf.receive(&mut &b"short"[..], 6).is_err());
        let mut text = String::new();
        shelf.receive(&mut &b"whole and more"[..], 5).expect("whole").read_to_string(&mut text).expect("readable");
        assert_eq!(text, "whole");
        assert_eq!(fs::read_dir(data.path().join(FOLDER)).expect("the folder").count(), 0);
    }

    #[test]
    fn no_id_leads_out_of_the_folder() {
        let shelf = Shelf::of(Path::new("box"));
        assert_eq!(shelf.path("..", "1.0.0"), Path::new("box/drivers/..@1.0.0.so"));
    }
}

//! The medium under the store: folders of files that can be synced, real ones here, simulated ones in the tests.
//!
//! It owns the lock on the data folder. It knows names and bytes, nothing of what they mean.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError};

/// A folder on a medium. Names are relative to it, with `/` between folder and file.
pub(crate) trait Disk: Send + Sync + 'static {
    /// The names of the files of a folder, without the folder; empty if there is none.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    /// Makes a file that must not exist yet. It is sure to be found again only after [`Disk::sync_folder`].
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file that exists.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;
    /// Gives a file another name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Makes creations and new names in a folder durable.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;
    /// Opens a redb file, or makes it.
    fn open_redb(&self, name: &str, builder: &Builder) -> Result<Database, DatabaseError>;
}

/// An open file. Writes are durable after [`DiskFile::sync`], in any order or torn before it.
pub(crate) trait DiskFile: Send + Sync {
    /// Its length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Fills the buffer from `offset`; fewer bytes only at the end of the file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes all bytes at `offset`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts it to `len` bytes.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Makes all that was written durable.
    fn sync(&self) -> io::Result<()>;
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process has it.
    #[error("the data folder {0} is in use by another tollhouse; stop that one first")]
    InUse(PathBuf),
    /// It cannot be made or opened.
    #[error("the data folder {folder} cannot be used: {source}")]
    Io {
        /// Which.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A data folder, locked for this process as long as it lives.
#[derive(Debug)]
pub(crate) struct DataFolder {
    root: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if need be (for this user alone: it holds personal data) and locks it.
    pub(crate) fn lock(root: &Path) -> Result<Self, FolderError> {
        let io = |source| FolderError::Io { folder: root.to_owned(), source };
        make_private_folder(&root.join("journal")).map_err(io)?;
        let mut options = OpenOptions::new();
        let lock = options.create(true).truncate(false).write(true).mode(0o600).open(root.join("lock")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root: root.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(root.to_owned())),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

impl Disk for DataFolder {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.root.join(folder)) {
            Ok(entries) => entries,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Err(fault) => return Err(fault),
        };
        let mut names = vec![];
        for entry in entries {
            let entry = entry?;
            if let (true, Ok(name)) = (entry.file_type()?.is_file(), entry.file_name().into_string()) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        let file = options.create_new(true).read(true).write(true).mode(0o600).open(self.root.join(name))?;
        Ok(Box::new(file))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(true).open(self.root.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.root.join(from), self.root.join(to))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        File::open(self.root.join(folder))?.sync_all()
    }

    fn open_redb(&self, name: &str, builder: &Builder) -> Result<Database, DatabaseError> {
        let path = self.root.join(name);
        // Made here and not by redb, so that nobody else may read it.
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
        builder.create(path)
    }
}

impl DiskFile for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match FileExt::read_at(self, &mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

//! The medium under the store: folders of files that can be synced, real ones here, simulated ones in the tests.
//!
//! It owns the lock on the data folder. It knows names and bytes, nothing of what they mean.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use redb::{Builder, Database, DatabaseError};

/// How long the lock of a box that was killed may outlive it. A child that it was just making (a driver's host, say) has
/// its open files, and so its locks, until it has become another program: for microseconds, on a busy machine for longer.
const LINGERS: Duration = Duration::from_secs(2);
/// Between two askings: nobody tells when a lock is let go.
const ASK_AGAIN: Duration = Duration::from_millis(5);

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
///
/// A file's lock belongs to its opening, which a forked child shares; closing it here does not end it there. So the end of
/// this value lets go of the lock itself, and whoever wants the folder has a little patience for the child of one that
/// was killed. A lock that belongs to the process (POSIX) would not be shared, but it ends whenever anything in the
/// process closes the file, and keeps no second one out of the same process.
#[derive(Debug)]
pub(crate) struct DataFolder {
    root: PathBuf,
    lock: File,
}

impl DataFolder {
    /// Makes the folder if need be (for this user alone: it holds personal data) and locks it.
    pub(crate) fn lock(root: &Path) -> Result<Self, FolderError> {
        Self::lock_with(root, a_little_patience())
    }

    fn lock_with(root: &Path, pause: impl FnMut() -> ControlFlow<()>) -> Result<Self, FolderError> {
        let io = |source| FolderError::Io { folder: root.to_owned(), source };
        make_private_folder(&root.join("journal")).map_err(io)?;
        let mut options = OpenOptions::new();
        let lock = options.create(true).truncate(false).write(true).mode(0o600).open(root.join("lock")).map_err(io)?;
        match once_let_go(pause, |fault| matches!(fault, TryLockError::WouldBlock), || lock.try_lock()) {
            Ok(()) => Ok(Self { root: root.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(root.to_owned())),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        // If this fails, closing it does the same a moment later.
        let _ = self.lock.unlock();
    }
}

/// Waits between two askings, until a lock that is still held is another box's.
fn a_little_patience() -> impl FnMut() -> ControlFlow<()> {
    let deadline = Instant::now() + LINGERS;
    move || {
        if Instant::now() >= deadline {
            return ControlFlow::Break(());
        }
        std::thread::sleep(ASK_AGAIN);
        ControlFlow::Continue(())
    }
}

/// Asks again as long as the answer is that somebody has it, and `pause` does not lose patience.
fn once_let_go<T, E>(
    mut pause: impl FnMut() -> ControlFlow<()>,
    is_held: impl Fn(&E) -> bool,
    mut ask: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    loop {
        match ask() {
            Err(fault) if is_held(&fault) && pause().is_continue() => {}
            answer => return answer,
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
        // Its own lock lingers as the folder's does, and nobody but a child of one that is gone can have it now.
        let is_held = |fault: &DatabaseError| matches!(fault, DatabaseError::DatabaseAlreadyOpen);
        once_let_go(a_little_patience(), is_held, || builder.create(&path))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn no_patience() -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    #[test]
    fn a_folder_that_is_let_go_is_free_although_a_forked_child_still_has_its_files() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::lock(place.path()).expect("free");
        // What fork gives to the child: the same opening of the file, and so the same lock.
        let _inherited = folder.lock.try_clone().expect("shared");
        assert!(matches!(DataFolder::lock_with(place.path(), no_patience), Err(FolderError::InUse(_))));
        drop(folder);
        DataFolder::lock_with(place.path(), no_patience).expect("free at once");
    }

    #[test]
    fn the_child_of_a_box_that_was_killed_is_waited_for() {
        let place = tempfile::tempdir().expect("a folder");
        drop(DataFolder::lock(place.path()).expect("free"));
        // Killed, it let go of nothing; its files are closed, and the child alone has them still.
        let childs = File::options().write(true).open(place.path().join("lock")).expect("there");
        childs.try_lock().expect("free");
        let mut childs = Some(childs);
        let mut pauses = 0;
        let again = DataFolder::lock_with(place.path(), || {
            pauses += 1;
            if pauses == 3 {
                childs = None;
            }
            ControlFlow::Continue(())
        });
        again.expect("free when the child has become another program");
        assert_eq!(pauses, 3);
    }
}

//! Owns how a key's file is read: bounded, and only when nobody but its owner can. It must not know what kind of key it is.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::limits::KEY_FILE_BYTES;

/// Why a key's file is not taken, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be opened or read.
    #[error("the key file {0} cannot be read: {1}")]
    Unreadable(PathBuf, io::Error),
    /// A folder, a pipe, a device.
    #[error("the key file {0} is no ordinary file")]
    NotAFile(PathBuf),
    /// Others can read or change it.
    #[error("the key file {path} is open to others (mode {mode:04o}); run: chmod 600 {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Too long for a key.
    #[error("the key file {0} is longer than a key")]
    TooLong(PathBuf),
}

/// That a file of this mode is for its owner alone: nothing for the group, nothing for others.
pub fn check_permissions(path: &Path, mode: u32) -> Result<(), KeyFileError> {
    let permissions = mode & 0o7777;
    // The lowest six bits are those of the group and of others.
    if permissions.trailing_zeros() >= 6 {
        Ok(())
    } else {
        Err(KeyFileError::Open { path: path.to_owned(), mode: permissions })
    }
}

/// Reads a private key's file. Permissions are those of the file that was opened, so it cannot be exchanged in between.
pub fn read_key_file(path: &Path) -> Result<Vec<u8>, KeyFileError> {
    let failed = |fault| KeyFileError::Unreadable(path.to_owned(), fault);
    // Looked at before it is opened as well: to open a pipe would wait for its other end.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(KeyFileError::NotAFile(path.to_owned()));
    }
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(KeyFileError::NotAFile(path.to_owned()));
    }
    check_permissions(path, about.mode())?;
    let mut bytes = Vec::new();
    file.take(KEY_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > KEY_FILE_BYTES { Err(KeyFileError::TooLong(path.to_owned())) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_file_that_others_can_read_is_refused_and_the_words_say_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("apiclient_key.pem");
        fs::write(&path, "secret").expect("written");
        for (mode, taken) in
            [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o644, false), (0o620, false)]
        {
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("set");
            match read_key_file(&path) {
                Ok(bytes) => assert!(taken && bytes == b"secret", "{mode:o}"),
                Err(fault) => {
                    assert!(!taken, "{mode:o}");
                    assert!(
                        fault.to_string().contains("chmod 600") && !fault.to_string().contains("secret"),
                        "{fault}"
                    );
                }
            }
        }
        assert!(matches!(read_key_file(folder.path()), Err(KeyFileError::NotAFile(_))));
        assert!(matches!(read_key_file(&folder.path().join("none")), Err(KeyFileError::Unreadable(..))));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("set");
        fs::write(&path, vec![b'x'; KEY_FILE_BYTES + 1]).expect("written");
        assert!(matches!(read_key_file(&path), Err(KeyFileError::TooLong(_))));
    }
}

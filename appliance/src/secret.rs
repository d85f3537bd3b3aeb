//! The box's key, from which its ids are derived: 32 random bytes in `box.key` in the data folder, for the owner alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tollhouse_core::id::IdKey;

const FILE: &str = "box.key";
const BYTES: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read or written.
    #[error("{0} cannot be read or written: {1}")]
    File(PathBuf, io::Error),
    /// The file is not a key.
    #[error("{0} is not the box's key: it must be 32 bytes long; restore it from the backup of the data folder")]
    NoKey(PathBuf),
    /// The machine gives no random bytes.
    #[error("the machine gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// The key in this data folder, made at the first start.
pub fn box_key(data: &Path) -> Result<IdKey, SecretError> {
    let path = data.join(FILE);
    let failed = |fault| SecretError::File(path.clone(), fault);
    match fs::read(&path) {
        Ok(bytes) => {
            let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| SecretError::NoKey(path.clone()))?;
            Ok(IdKey::new(bytes))
        }
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
            let mut bytes = [0; BYTES];
            getrandom::fill(&mut bytes).map_err(SecretError::Random)?;
            // Written aside and renamed: a crash leaves no key or a whole one.
            let aside = data.join("box.key.new");
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside).map_err(failed)?;
            file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
            fs::rename(&aside, &path).map_err(failed)?;
            fs::File::open(data).and_then(|folder| folder.sync_all()).map_err(failed)?;
            Ok(IdKey::new(bytes))
        }
        Err(fault) => Err(failed(fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollhouse_core::id::StayId;

    #[test]
    fn the_key_stays_the_same_and_belongs_to_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let id = || StayId::derive(&box_key(folder.path()).expect("a key"), &["x"]);
        assert_eq!(id(), id());
        let mode = fs::metadata(folder.path().join(FILE)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_no_key_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), b"short").expect("written");
        assert!(matches!(box_key(folder.path()), Err(SecretError::NoKey(_))));
    }
}

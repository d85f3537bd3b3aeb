//! What the numbers of this box's orders begin with: six letters and digits, drawn anew when the data folder is not the one in
//! which they were drawn. A backup that was put back then cannot give a number that the provider knows already.
//!
//! A copy is told by the file itself: which inode it is and when it was made stand in it. What copies whole disks copies that
//! too; the random part of each number stands against it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::UNIX_EPOCH;

use tollhouse_providers::BoxPrefix;

const FILE: &str = "order-prefix";
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The prefix of this data folder, drawn if there is none or if the folder is a copy.
pub fn box_prefix(data: &Path) -> io::Result<BoxPrefix> {
    let path = data.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let mut words = text.split_whitespace();
            let prefix = words.next().and_then(|word| BoxPrefix::new(word).ok());
            let same = words.next() == Some(&identity(&path)?);
            match prefix {
                Some(prefix) if same => Ok(prefix),
                _ => draw(data),
            }
        }
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => draw(data),
        Err(fault) => Err(fault),
    }
}

/// Which file this is: a copy is another one.
fn identity(path: &Path) -> io::Result<String> {
    let about = fs::metadata(path)?;
    let made = about.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Ok(format!("{}-{}", about.ino(), made.map_or(0, |at| at.as_nanos())))
}

fn draw(data: &Path) -> io::Result<BoxPrefix> {
    let mut chance = [0; 6];
    getrandom::fill(&mut chance).map_err(io::Error::other)?;
    let text: String = chance.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
    let prefix = BoxPrefix::new(&text).map_err(io::Error::other)?;
    // Written aside and renamed, which keeps the inode: a crash leaves no prefix or a whole one.
    let aside = data.join("order-prefix.new");
    let _ = fs::remove_file(&aside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
    write!(file, "{text} {}", identity(&aside)?)?;
    file.sync_all()?;
    fs::rename(&aside, data.join(FILE))?;
    fs::File::open(data)?.sync_all()?;
    Ok(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_stays_with_its_folder_and_a_copy_gets_another_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let (box_folder, copy) = (folder.path().join("box"), folder.path().join("copy"));
        fs::create_dir(&box_folder).expect("made");
        fs::create_dir(&copy).expect("made");
        let first = box_prefix(&box_folder).expect("drawn");
        assert_eq!(box_prefix(&box_folder).expect("read"), first);
        fs::copy(box_folder.join(FILE), copy.join(FILE)).expect("copied");
        let other = box_prefix(&copy).expect("drawn anew");
        assert_ne!(other, first);
        assert_eq!(box_prefix(&copy).expect("read"), other);
        fs::write(copy.join(FILE), "nonsense!").expect("written");
        assert!(box_prefix(&copy).is_ok(), "what cannot be read is drawn anew");
    }
}

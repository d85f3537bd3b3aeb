//! `tollhouse driver keygen` and `sign`: a vendor's key, and the signature beside a library.
//!
//! The statement that is signed comes from the library's own descriptor, so that it cannot say anything else. It must
//! not know the form of keys and signatures.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tollhouse_drivers::plugin::signature::{self, Statement, signature_path};

/// No key and no password is as long.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// Makes a pair of keys as NAME.key and NAME.pub; what to tell the vendor.
pub(super) fn keygen(name: &Path, password_file: Option<&Path>) -> Result<String, String> {
    let (secret_file, public_file) = (with_ending(name, "key"), with_ending(name, "pub"));
    for file in [&secret_file, &public_file] {
        if file.exists() {
            return Err(format!("{} is there already; a key that is written over is lost", file.display()));
        }
    }
    let password = password_file.map(password).transpose()?;
    let pair = signature::keygen(password.as_deref()).map_err(|fault| fault.to_string())?;
    write_new(&secret_file, &pair.secret, 0o600)?;
    write_new(&public_file, &format!("untrusted comment: public key for tollhouse drivers\n{}\n", pair.public), 0o644)?;
    let open = if password.is_some() {
        ""
    } else {
        "It has no password, so the file alone signs: keep it off the machine that builds, or give --password-file.\n"
    };
    Ok(format!(
        "The secret key is {}: keep it, and keep it secret.\n{open}The public key is {}. Whoever installs your drivers adds to the box's configuration:\n\n\
         [[driver_keys]]\nvendor = \"YOUR NAME\"\nkey = \"{}\"\ndrivers = [\"YOUR.DRIVER\"]\n",
        secret_file.display(),
        public_file.display(),
        pair.public
    ))
}

/// Signs a library as the driver that it says it is; what to tell the vendor.
pub(super) fn sign(library: &Path, key: &Path, password_file: Option<&Path>) -> Result<String, String> {
    let descriptor = super::info::described(library)?;
    let text = |field: &str| descriptor[field].as_str().unwrap_or_default().to_owned();
    let statement = Statement::new(&text("id"), &text("version"))
        .map_err(|fault| format!("the descriptor of {} cannot be signed: {fault}", library.display()))?;
    let secret = read_short(key)?;
    let password = password_file.map(password).transpose()?;
    let bytes = fs::read(library).map_err(|fault| format!("{} cannot be read: {fault}", library.display()))?;
    let signed =
        signature::sign(&bytes, &secret, password.as_deref(), &statement).map_err(|fault| fault.to_string())?;
    let file = signature_path(library);
    fs::write(&file, signed).map_err(|fault| format!("{} cannot be written: {fault}", file.display()))?;
    let what = format!("{} {}", text("id"), text("version"));
    Ok(format!("{} says that {} is {what}. Ship both files together.", file.display(), library.display()))
}

fn with_ending(name: &Path, ending: &str) -> PathBuf {
    let mut path = name.as_os_str().to_owned();
    path.push(".");
    path.push(ending);
    path.into()
}

fn read_short(path: &Path) -> Result<String, String> {
    let unreadable = |fault: io::Error| format!("{} cannot be read: {fault}", path.display());
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_KEY_BYTES {
        return Err(format!("{} is too large for what it should be", path.display()));
    }
    fs::read_to_string(path).map_err(unreadable)
}

fn password(file: &Path) -> Result<String, String> {
    read_short(file).map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|fault| format!("{} cannot be written: {fault}", path.display()))
}

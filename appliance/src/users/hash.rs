//! Passwords and tokens, and what is kept of them.

use std::fmt::Write as _;

use argon2::password_hash::SaltString;
use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use sha2::{Digest, Sha256};

/// Shorter passwords are refused.
pub const MIN_PASSWORD_CHARS: usize = 10;
/// Longer ones too: hashing takes time by their length.
const MAX_PASSWORD_CHARS: usize = 200;
/// A drawn password: so many characters of [`ALPHABET`].
const DRAWN_CHARS: usize = 16;
/// Without characters that are read for another.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";

/// Why a password is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Too short or too long.
    #[error("a password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters")]
    Length,
    /// The machine gives no random bytes, or the hash could not be made.
    #[error("the password cannot be kept: {0}")]
    Machine(String),
}

impl PasswordFault {
    pub(super) fn machine(fault: impl std::fmt::Display) -> Self {
        Self::Machine(fault.to_string())
    }
}

/// A password nobody has had before.
pub fn draw_password() -> Result<String, PasswordFault> {
    let mut bytes = [0; DRAWN_CHARS];
    getrandom::fill(&mut bytes).map_err(PasswordFault::machine)?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

/// The Argon2id hash of a password. Takes tens of milliseconds and 19 MiB by design.
pub fn password_hash(password: &str) -> Result<String, PasswordFault> {
    if !(MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&password.chars().count()) {
        return Err(PasswordFault::Length);
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(PasswordFault::machine)?;
    let salt = SaltString::encode_b64(&salt).map_err(PasswordFault::machine)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(PasswordFault::machine)?;
    Ok(hash.to_string())
}

/// Whether this is the password of that hash. As slow as making one.
pub fn is_password(password: &str, hash: &str) -> bool {
    password.len() <= 4 * MAX_PASSWORD_CHARS
        && PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// What is kept of a token or a cookie: of 256 random bits one fast hash is enough.
pub(super) fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// In hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// 256 random bits in hexadecimal.
pub(super) fn draw() -> Result<String, PasswordFault> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(PasswordFault::machine)?;
    Ok(hex(&bytes))
}

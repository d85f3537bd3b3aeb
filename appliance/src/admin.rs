//! The administrator, the one account of first light: a name, and a password of which only an Argon2id hash is held.
//!
//! Checking takes tens of milliseconds by design: call it off the threads that serve.

use argon2::password_hash::{Error as HashError, SaltString};
use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};

/// The administrator's name.
pub const ADMIN: &str = "admin";
/// Shorter passwords are refused.
const MIN_PASSWORD_CHARS: usize = 10;
/// A drawn password: so many characters of [`ALPHABET`].
const DRAWN_CHARS: usize = 16;
/// Without characters that are read for another.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";

/// Why there is no administrator.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The password is too short.
    #[error("the administrator's password needs at least {MIN_PASSWORD_CHARS} characters")]
    TooShort,
    /// The machine gives no random bytes.
    #[error("the machine gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// Hashing failed.
    #[error("the administrator's password cannot be kept: {0}")]
    Hash(HashError),
}

/// The administrator.
#[derive(Clone)]
pub struct Admin {
    hash: String,
}

/// Whether a name and password are the administrator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognised {
    /// They are.
    Yes,
    /// They are not.
    No,
}

impl Admin {
    /// The administrator with this password.
    pub fn with_password(password: &str) -> Result<Self, AdminError> {
        if password.chars().count() < MIN_PASSWORD_CHARS {
            return Err(AdminError::TooShort);
        }
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(AdminError::Random)?;
        let salt = SaltString::encode_b64(&salt).map_err(AdminError::Hash)?;
        let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(AdminError::Hash)?;
        Ok(Self { hash: hash.to_string() })
    }

    /// A password nobody has had before.
    pub fn draw_password() -> Result<String, AdminError> {
        let mut bytes = [0; DRAWN_CHARS];
        getrandom::fill(&mut bytes).map_err(AdminError::Random)?;
        Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
    }

    /// Whether these are the administrator's name and password.
    pub fn recognises(&self, name: &str, password: &str) -> Recognised {
        let hash = PasswordHash::new(&self.hash).expect("a hash that was made here can be read");
        let right = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
        if right && name == ADMIN { Recognised::Yes } else { Recognised::No }
    }
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Admin(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_name_with_the_right_password_is_recognised() {
        let password = Admin::draw_password().expect("drawn");
        let admin = Admin::with_password(&password).expect("hashed");
        assert_eq!(admin.recognises(ADMIN, &password), Recognised::Yes);
        assert_eq!(admin.recognises("root", &password), Recognised::No);
        assert_eq!(admin.recognises(ADMIN, "guess-guess"), Recognised::No);
    }

    #[test]
    fn a_short_password_is_refused() {
        assert!(matches!(Admin::with_password("short"), Err(AdminError::TooShort)));
    }
}

//! The administrator: the account that is there from the beginning, whose password the configuration or the demo gives.
//! Only an Argon2id hash of it is held, and none is kept.
//!
//! Checking takes tens of milliseconds by design: call it off the threads that serve.

use crate::users::{self, MIN_PASSWORD_CHARS, PasswordFault};

/// The administrator's name.
pub const ADMIN: &str = tollhouse_core::user::ADMIN;

/// Why there is no administrator.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The password is too short or too long.
    #[error("the administrator's password needs at least {MIN_PASSWORD_CHARS} characters, and at most 200")]
    Length,
    /// It cannot be kept.
    #[error(transparent)]
    Machine(PasswordFault),
}

impl From<PasswordFault> for AdminError {
    fn from(fault: PasswordFault) -> Self {
        match fault {
            PasswordFault::Length => Self::Length,
            fault @ PasswordFault::Machine(_) => Self::Machine(fault),
        }
    }
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
        Ok(Self { hash: users::password_hash(password)? })
    }

    /// A password nobody has had before.
    pub fn draw_password() -> Result<String, AdminError> {
        Ok(users::draw_password()?)
    }

    /// Whether these are the administrator's name and password.
    pub fn recognises(&self, name: &str, password: &str) -> Recognised {
        let right = users::is_password(password, &self.hash);
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
        assert!(matches!(Admin::with_password("short"), Err(AdminError::Length)));
    }
}

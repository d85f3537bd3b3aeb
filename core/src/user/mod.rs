//! Accounts of people and programs (账号): who signs in, what they are to the lot, and how it is told that it is they.
//!
//! Owns users, their tokens and sessions, roles, permissions and limits. Passwords and tokens come here as hashes only:
//! hashing, drawing and the wire are the shell's.

mod accounts;
mod limit;
mod role;
mod tokens;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::UserName;
use crate::record::{Record, Table};

pub use accounts::{Fresh, add, change, set_password};
pub use limit::{GivenUp, Limits, RoleLimits};
pub use role::{Permission, Permissions, Role};
pub use tokens::{FreshToken, begin_session, end_session, issue_token, of_user, revoke_token, swept};

/// The name of the account that is there from the beginning and may everything.
pub const ADMIN: &str = "admin";

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// By which it signs in.
    pub name: UserName,
    /// As people read it.
    pub display_name: String,
    /// What it is to the lot.
    pub roles: Vec<Role>,
    /// The Argon2id hash of its password in PHC form; without one it has tokens alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Whether it signs in at all.
    pub state: UserState,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Sessions that began before this are over: the password or the roles have changed since.
    pub sessions_from: DateTime<Utc>,
}

impl User {
    /// All that its roles may.
    pub fn permissions(&self) -> Permissions {
        self.roles.iter().fold(Permissions::default(), |all, role| all.and(role.permissions()))
    }
}

impl Record for User {
    const TABLE: Table = Table::Users;
    fn key(&self) -> String {
        self.name.to_string()
    }
}

/// Whether an account signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// It does.
    Active,
    /// It does not, and neither do its tokens.
    Disabled,
}

impl UserState {
    /// Its name in records and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// A program's way in: a bearer token, known by its hash alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// SHA-256 of the token as it is sent, in hexadecimal.
    pub hash: String,
    /// Whose.
    pub user: UserName,
    /// What it is for.
    pub name: String,
    /// The last characters of it, to recognise it by.
    pub last: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// From when on it is refused.
    pub expires_at: DateTime<Utc>,
}

impl Token {
    /// How it is called where it is revoked: the beginning of its hash.
    pub fn id(&self) -> &str {
        self.hash.get(..TOKEN_ID_CHARS).unwrap_or(&self.hash)
    }
}

/// So much of a token's hash is its id.
pub const TOKEN_ID_CHARS: usize = 16;

impl Record for Token {
    const TABLE: Table = Table::Tokens;
    fn key(&self) -> String {
        self.hash.clone()
    }
}

/// A person's time at the pages, from signing in to signing out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// SHA-256 of the cookie's value, in hexadecimal.
    pub hash: String,
    /// Whose.
    pub user: UserName,
    /// When it began.
    pub made_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
}

impl Record for Session {
    const TABLE: Table = Table::Sessions;
    fn key(&self) -> String {
        self.hash.clone()
    }
}

/// Why an account, token or session is not made or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserRefusal {
    /// No account of this name.
    #[error("there is no account {0:?}; `tollhouse user list` shows them")]
    Unknown(String),
    /// The name is taken.
    #[error("there is an account {0:?} already")]
    Taken(UserName),
    /// The administrator's account is not made, disabled or given other roles.
    #[error("the account admin is there from the beginning, and stays the administrator")]
    Admin,
    /// The administrator's password is not kept here.
    #[error("the password of admin stands in the file that [http] admin_password_file names; in a demo it is printed")]
    AdminPassword,
    /// An account without a role could do nothing.
    #[error("an account needs at least one role of administrator, manager, clerk, attendant, accountant, auditor")]
    NoRole,
    /// The displayed name is empty, too long, or has control characters.
    #[error("a displayed name, or a token's name, has 1 to 64 characters and no control characters")]
    Text,
    /// The account is disabled.
    #[error("the account {0} is disabled; `tollhouse user enable {0}` lets it in again")]
    Disabled(UserName),
    /// There is no such token.
    #[error("there is no token {0:?}; `tollhouse user tokens` shows them")]
    UnknownToken(String),
    /// Too many of a kind.
    #[error("there are {0} already, which is the most: remove what is no longer used")]
    TooMany(usize),
    /// A token ends after it begins, and within ten years.
    #[error("a token lasts from 1 day to 3660 days")]
    Life,
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] crate::record::ReadError),
}

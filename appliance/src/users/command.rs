//! What `tollhouse user ...` asks of the desk, and what is shown of an account.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tollhouse_core::id::UserName;
use tollhouse_core::record::By;
use tollhouse_core::user::{Fresh, Role, Token, User, UserState};

use crate::desks::{DeskCommand, Desks};

/// What is asked. Passwords come as hashes: the command's own process makes them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserCommand {
    /// Make an account.
    Add(Fresh, By),
    /// Show all accounts.
    List,
    /// Give it another password, by its hash.
    SetPassword(UserName, String, By),
    /// Give it other roles.
    SetRoles(UserName, Vec<Role>, By),
    /// Let it in, or no longer.
    SetState(UserName, UserState, By),
    /// Issue a token of this name for so many days.
    IssueToken(UserName, String, u16, By),
    /// Show tokens, of one account or of all.
    Tokens(Option<UserName>),
    /// Take a token back, by its id.
    RevokeToken(String, By),
}

/// What the desk answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserAnswer {
    /// An account, as it is now.
    User(ShownUser),
    /// Accounts.
    Users(Vec<ShownUser>),
    /// A new token as it is sent: said once.
    Issued(ShownToken, String),
    /// Tokens.
    Tokens(Vec<ShownToken>),
    /// A token that is no longer.
    Revoked(ShownToken),
}

/// What is shown of an account: never its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownUser {
    /// By which it signs in.
    pub name: UserName,
    /// As people read it.
    pub display_name: String,
    /// What it is to the lot.
    pub roles: Vec<Role>,
    /// `active` or `disabled`.
    pub state: UserState,
    /// When it was made.
    pub made_at: DateTime<Utc>,
}

impl From<User> for ShownUser {
    fn from(user: User) -> Self {
        let User { name, display_name, roles, state, made_at, .. } = user;
        Self { name, display_name, roles, state, made_at }
    }
}

/// What is shown of a token: never itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownToken {
    /// How it is called where it is revoked.
    pub id: String,
    /// Whose.
    pub user: UserName,
    /// What it is for.
    pub name: String,
    /// Its last characters.
    pub last: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// From when on it is refused.
    pub expires_at: DateTime<Utc>,
}

impl From<Token> for ShownToken {
    fn from(token: Token) -> Self {
        let id = token.id().to_owned();
        let Token { user, name, last, made_at, expires_at, .. } = token;
        Self { id, user, name, last, made_at, expires_at }
    }
}

impl DeskCommand for UserCommand {
    const DESK: &'static str = "users";
    type Answer = UserAnswer;

    async fn carry_out(self, desks: &Desks) -> Result<UserAnswer, String> {
        let desk = &desks.users;
        let user = match self {
            Self::Add(fresh, by) => desk.add(fresh, &by).await.map_err(said)?,
            Self::SetPassword(name, hash, by) => desk.set_password(name.as_str(), &hash, &by).await.map_err(said)?,
            Self::SetRoles(name, roles, by) => {
                desk.change(name.as_str(), Some(&roles), None, &by).await.map_err(said)?
            }
            Self::SetState(name, state, by) => {
                desk.change(name.as_str(), None, Some(state), &by).await.map_err(said)?
            }
            Self::List => {
                return Ok(UserAnswer::Users(desk.users().map_err(said)?.into_iter().map(ShownUser::from).collect()));
            }
            Self::IssueToken(user, name, days, by) => {
                let life = TimeDelta::days(i64::from(days));
                let issued = desk.issue_token(&user, &name, life, &by).await.map_err(said)?;
                let text = desk.token_text(&issued);
                return Ok(UserAnswer::Issued(issued.token.into(), text));
            }
            Self::Tokens(user) => {
                let tokens = desk.tokens(user.as_ref()).map_err(said)?;
                return Ok(UserAnswer::Tokens(tokens.into_iter().map(ShownToken::from).collect()));
            }
            Self::RevokeToken(id, by) => {
                return Ok(UserAnswer::Revoked(desk.revoke_token(&id, &by).await.map_err(said)?.into()));
            }
        };
        Ok(UserAnswer::User(user.into()))
    }
}

fn said(refusal: impl std::fmt::Display) -> String {
    refusal.to_string()
}

//! Ways in: tokens of programs and sessions of people. Both are known by the hash of what is sent, and end by themselves.

use chrono::{DateTime, TimeDelta, Utc};

use super::accounts::text;
use super::{ADMIN, Role, Session, TOKEN_ID_CHARS, Token, User, UserRefusal, UserState};
use crate::id::UserName;
use crate::record::{By, Change, ChangeKind, Kept, ReadError, Record, Records};

/// The most tokens of one box.
const MOST_TOKENS: usize = 1_000;
/// The most sessions of one box: people, and pages that they left open.
const MOST_SESSIONS: usize = 2_000;
/// A token lasts no longer.
const LONGEST_LIFE: TimeDelta = TimeDelta::days(3_660);

/// A token that the shell has drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshToken {
    /// SHA-256 of it, in hexadecimal.
    pub hash: String,
    /// Its last characters.
    pub last: String,
    /// What it is for.
    pub name: String,
    /// How long it lasts.
    pub life: TimeDelta,
}

/// The account that a way in is for; the administrator's is entered when it is needed for the first time.
fn owner(name: &UserName, change: &mut Change, records: &impl Records) -> Result<User, UserRefusal> {
    let kept = records.get::<User>(name.as_str())?;
    change.rely_on(name.as_str(), kept.as_ref());
    match kept {
        Some(kept) if kept.record.state == UserState::Active => Ok(kept.record),
        Some(_) => Err(UserRefusal::Disabled(name.clone())),
        None if name.as_str() == ADMIN => {
            let admin = administrator(change.at);
            change.put(&admin);
            Ok(admin)
        }
        None => Err(UserRefusal::Unknown(name.to_string())),
    }
}

/// The account that is there from the beginning.
fn administrator(now: DateTime<Utc>) -> User {
    User {
        name: UserName::new(ADMIN).expect("a plain word is a name"),
        display_name: "Administrator".to_owned(),
        roles: vec![Role::Administrator],
        password: None,
        state: UserState::Active,
        made_at: now,
        sessions_from: now,
    }
}

/// Makes a token for an account.
pub fn issue_token(
    user: &UserName,
    fresh: FreshToken,
    now: DateTime<Utc>,
    by: &By,
    records: &impl Records,
) -> Result<(Token, Change), UserRefusal> {
    if fresh.life < TimeDelta::days(1) || fresh.life > LONGEST_LIFE {
        return Err(UserRefusal::Life);
    }
    if records.list::<Token>("", MOST_TOKENS)?.len() >= MOST_TOKENS {
        return Err(UserRefusal::TooMany(MOST_TOKENS));
    }
    let mut change = by.change(ChangeKind::TokenChanged, now);
    owner(user, &mut change, records)?;
    let token = Token {
        hash: fresh.hash,
        user: user.clone(),
        name: text(&fresh.name)?,
        last: fresh.last,
        made_at: now,
        expires_at: now + fresh.life,
    };
    change.rely_on::<Token>(&token.hash, None);
    change.put(&token);
    Ok((token, change))
}

/// Takes a token back, by its id.
pub fn revoke_token(
    id: &str,
    now: DateTime<Utc>,
    by: &By,
    records: &impl Records,
) -> Result<(Token, Change), UserRefusal> {
    let unknown = || UserRefusal::UnknownToken(id.chars().take(64).collect());
    if id.len() != TOKEN_ID_CHARS {
        return Err(unknown());
    }
    let found = records.list::<Token>(id, 1)?.into_iter().next();
    let kept: Kept<Token> = found.filter(|kept| kept.record.id() == id).ok_or_else(unknown)?;
    let mut change = by.change(ChangeKind::TokenChanged, now);
    change.rely_on(&kept.record.hash, Some(&kept));
    change.delete(Token::TABLE, &kept.record.hash);
    Ok((kept.record, change))
}

/// The tokens of one account, or of all.
pub fn of_user(user: Option<&UserName>, records: &impl Records) -> Result<Vec<Token>, ReadError> {
    let tokens = records.list::<Token>("", MOST_TOKENS)?.into_iter().map(|kept| kept.record);
    Ok(tokens.filter(|token| user.is_none_or(|user| token.user == *user)).collect())
}

/// Begins a session of an account whose password was right.
pub fn begin_session(
    user: &UserName,
    hash: String,
    life: TimeDelta,
    now: DateTime<Utc>,
    records: &impl Records,
) -> Result<(Session, Change), UserRefusal> {
    let by = By::person(user.as_str(), "signed in");
    let mut change = swept(now, &by, records)?.unwrap_or_else(|| by.change(ChangeKind::SessionChanged, now));
    if records.list::<Session>("", MOST_SESSIONS)?.len() >= MOST_SESSIONS {
        return Err(UserRefusal::TooMany(MOST_SESSIONS));
    }
    owner(user, &mut change, records)?;
    let session = Session { hash, user: user.clone(), made_at: now, expires_at: now + life };
    change.rely_on::<Session>(&session.hash, None);
    change.put(&session);
    Ok((session, change))
}

/// Ends a session; nothing to do when it is gone already.
pub fn end_session(hash: &str, now: DateTime<Utc>, records: &impl Records) -> Result<Option<Change>, ReadError> {
    let Some(kept) = records.get::<Session>(hash)? else { return Ok(None) };
    let by = By::person(kept.record.user.as_str(), "signed out");
    let mut change = by.change(ChangeKind::SessionChanged, now);
    change.delete(Session::TABLE, hash);
    Ok(Some(change))
}

/// Forgets sessions and tokens that are over, a few at a time.
pub fn swept(now: DateTime<Utc>, by: &By, records: &impl Records) -> Result<Option<Change>, ReadError> {
    let mut change = by.change(ChangeKind::SessionChanged, now);
    for kept in records.list::<Session>("", MOST_SESSIONS)? {
        if kept.record.expires_at <= now && change.ops.len() < 100 {
            change.delete(Session::TABLE, &kept.record.hash);
        }
    }
    Ok((!change.ops.is_empty()).then_some(change))
}

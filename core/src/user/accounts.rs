//! Making and changing accounts: each a change that names who did it and why.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ADMIN, Role, User, UserRefusal, UserState};
use crate::id::UserName;
use crate::record::{By, Change, ChangeKind, Kept, Records};

/// The most accounts of one box.
const MOST_USERS: usize = 500;
/// The longest displayed name, in characters.
const MAX_TEXT_CHARS: usize = 64;

/// A new account as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fresh {
    /// By which it signs in.
    pub name: UserName,
    /// As people read it.
    pub display_name: String,
    /// What it is to the lot.
    pub roles: Vec<Role>,
    /// The hash of its password, if it has one.
    pub password: Option<String>,
}

/// Makes an account.
pub fn add(fresh: Fresh, now: DateTime<Utc>, by: &By, records: &impl Records) -> Result<(User, Change), UserRefusal> {
    if fresh.name.as_str() == ADMIN {
        return Err(UserRefusal::Admin);
    }
    if records.get::<User>(fresh.name.as_str())?.is_some() {
        return Err(UserRefusal::Taken(fresh.name));
    }
    if records.list::<User>("", MOST_USERS)?.len() >= MOST_USERS {
        return Err(UserRefusal::TooMany(MOST_USERS));
    }
    let user = User {
        name: fresh.name,
        display_name: text(&fresh.display_name)?,
        roles: roles(fresh.roles)?,
        password: fresh.password,
        state: UserState::Active,
        made_at: now,
        sessions_from: now,
    };
    let change = written(&user, None, now, by);
    Ok((user, change))
}

/// Gives an account other roles, lets it in or no longer, or both. Its sessions end, so that nobody works on with what is
/// no longer his.
pub fn change(
    name: &str,
    wanted: Option<&[Role]>,
    state: Option<UserState>,
    now: DateTime<Utc>,
    by: &By,
    records: &impl Records,
) -> Result<(User, Change), UserRefusal> {
    let kept = changeable(name, records)?;
    let mut user = User { sessions_from: now, ..kept.record.clone() };
    if let Some(wanted) = wanted {
        user.roles = roles(wanted.to_vec())?;
    }
    if let Some(state) = state {
        user.state = state;
    }
    let change = written(&user, Some(&kept), now, by);
    Ok((user, change))
}

/// Gives an account another password, by its hash. Its sessions end.
pub fn set_password(
    name: &str,
    hash: String,
    now: DateTime<Utc>,
    by: &By,
    records: &impl Records,
) -> Result<(User, Change), UserRefusal> {
    if name == ADMIN {
        return Err(UserRefusal::AdminPassword);
    }
    let kept = changeable(name, records)?;
    let user = User { password: Some(hash), sessions_from: now, ..kept.record.clone() };
    let change = written(&user, Some(&kept), now, by);
    Ok((user, change))
}

fn changeable(name: &str, records: &impl Records) -> Result<Kept<User>, UserRefusal> {
    if name == ADMIN {
        return Err(UserRefusal::Admin);
    }
    records.get::<User>(name)?.ok_or_else(|| UserRefusal::Unknown(name.chars().take(64).collect()))
}

fn written(user: &User, kept: Option<&Kept<User>>, now: DateTime<Utc>, by: &By) -> Change {
    let mut change = by.change(ChangeKind::UserChanged, now);
    change.rely_on(user.name.as_str(), kept);
    change.personal(&user.display_name);
    change.put(user);
    change
}

fn roles(mut roles: Vec<Role>) -> Result<Vec<Role>, UserRefusal> {
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() { Err(UserRefusal::NoRole) } else { Ok(roles) }
}

/// A text for people: not empty, not long, nothing that a terminal would act upon.
pub(super) fn text(given: &str) -> Result<String, UserRefusal> {
    let given = given.trim();
    let fits = (1..=MAX_TEXT_CHARS).contains(&given.chars().count()) && !given.chars().any(char::is_control);
    if fits { Ok(given.to_owned()) } else { Err(UserRefusal::Text) }
}

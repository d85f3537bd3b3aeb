//! Asserts what an account is and may do, as records in memory.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::record::{By, Memory, Records};

fn noon() -> DateTime<Utc> {
    "2026-03-01T04:00:00Z".parse().expect("a time")
}

fn by() -> By {
    By::person("admin", "a new colleague")
}

fn name(text: &str) -> UserName {
    UserName::new(text).expect("a name")
}

fn fresh(text: &str) -> Fresh {
    Fresh { name: name(text), display_name: "梅".to_owned(), roles: vec![Role::Clerk, Role::Clerk], password: None }
}

fn token(hash: &str) -> FreshToken {
    let hash = format!("{hash:0>64}");
    FreshToken { hash, last: "abcd".to_owned(), name: "reports".to_owned(), life: TimeDelta::days(30) }
}

fn with_mei() -> Memory {
    let mut records = Memory::new();
    let (_, change) = add(fresh("mei"), noon(), &by(), &records).expect("added");
    records.take(&change).expect("taken");
    records
}

#[test]
fn an_account_is_made_once_and_its_display_name_is_personal() {
    let records = with_mei();
    let user = records.get::<User>("mei").expect("read").expect("there").record;
    assert_eq!((user.roles.as_slice(), user.state), ([Role::Clerk].as_slice(), UserState::Active));
    assert_eq!(add(fresh("mei"), noon(), &by(), &records).err(), Some(UserRefusal::Taken(name("mei"))));
    let (_, change) = add(fresh("wei"), noon(), &by(), &records).expect("added");
    assert_eq!(change.personal, ["梅"]);
}

#[test]
fn what_makes_no_account_is_refused() {
    let records = Memory::new();
    let refused = |fresh| add(fresh, noon(), &by(), &records).err();
    assert_eq!(refused(fresh("admin")), Some(UserRefusal::Admin));
    assert_eq!(refused(Fresh { roles: vec![], ..fresh("mei") }), Some(UserRefusal::NoRole));
    assert_eq!(refused(Fresh { display_name: " ".to_owned(), ..fresh("mei") }), Some(UserRefusal::Text));
    assert_eq!(refused(Fresh { display_name: "a\u{1b}[2J".to_owned(), ..fresh("mei") }), Some(UserRefusal::Text));
}

#[test]
fn another_password_other_roles_and_disabling_end_the_sessions_before() {
    let records = with_mei();
    let later = noon() + TimeDelta::hours(1);
    let changed = [
        set_password("mei", "hash".to_owned(), later, &by(), &records).expect("changed").0,
        change("mei", Some(&[Role::Auditor]), None, later, &by(), &records).expect("changed").0,
        change("mei", None, Some(UserState::Disabled), later, &by(), &records).expect("changed").0,
    ];
    assert!(changed.iter().all(|user| user.sessions_from == later));
}

#[test]
fn the_administrator_stays_what_it_is() {
    let records = with_mei();
    let changes = [(Some([Role::Clerk].as_slice()), None), (None, Some(UserState::Disabled))];
    for (roles, state) in changes {
        assert_eq!(change("admin", roles, state, noon(), &by(), &records).err(), Some(UserRefusal::Admin));
    }
    let password = set_password("admin", String::new(), noon(), &by(), &records);
    assert_eq!(password.err(), Some(UserRefusal::AdminPassword));
}

#[test]
fn a_token_is_known_by_its_hash_and_revoked_by_its_id() {
    let mut records = with_mei();
    let (made, change) = issue_token(&name("mei"), token("1"), noon(), &by(), &records).expect("issued");
    records.take(&change).expect("taken");
    assert_eq!(of_user(Some(&name("mei")), &records).expect("read"), std::slice::from_ref(&made));
    assert!(revoke_token("0000", noon(), &by(), &records).is_err());
    let (_, change) = revoke_token(made.id(), noon(), &by(), &records).expect("revoked");
    records.take(&change).expect("taken");
    assert!(of_user(None, &records).expect("read").is_empty());
}

#[test]
fn a_token_for_the_administrator_enters_its_account() {
    let mut records = Memory::new();
    let (_, change) = issue_token(&name("admin"), token("2"), noon(), &by(), &records).expect("issued");
    records.take(&change).expect("taken");
    let admin = records.get::<User>("admin").expect("read").expect("there").record;
    assert_eq!(admin.permissions(), Permissions::all());
}

#[test]
fn nobody_signs_in_who_is_unknown_or_disabled() {
    let mut records = with_mei();
    let unknown = issue_token(&name("wei"), token("3"), noon(), &by(), &records);
    assert_eq!(unknown.err(), Some(UserRefusal::Unknown("wei".to_owned())));
    let (_, change) = change("mei", None, Some(UserState::Disabled), noon(), &by(), &records).expect("disabled");
    records.take(&change).expect("taken");
    let session = begin_session(&name("mei"), "h".to_owned(), TimeDelta::hours(1), noon(), &records);
    assert_eq!(session.err(), Some(UserRefusal::Disabled(name("mei"))));
}

#[test]
fn a_session_ends_by_itself_and_the_next_one_sweeps_it_away() {
    let mut records = with_mei();
    let begin = |hash: &str, at, records: &Memory| {
        begin_session(&name("mei"), hash.to_owned(), TimeDelta::hours(1), at, records).expect("begun").1
    };
    let change = begin("first", noon(), &records);
    records.take(&change).expect("taken");
    let change = begin("second", noon() + TimeDelta::hours(2), &records);
    records.take(&change).expect("taken");
    assert!(records.get::<Session>("first").expect("read").is_none());
    let change = end_session("second", noon(), &records).expect("read").expect("there");
    records.take(&change).expect("taken");
    assert_eq!(end_session("second", noon(), &records).expect("read").map(|change| change.ops.len()), None);
}

#[test]
fn a_token_lasts_between_a_day_and_ten_years() {
    let records = with_mei();
    for days in [0, 3_661] {
        let life = FreshToken { life: TimeDelta::days(days), ..token("4") };
        assert_eq!(issue_token(&name("mei"), life, noon(), &by(), &records).err(), Some(UserRefusal::Life));
    }
}

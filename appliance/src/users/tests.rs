//! Asserts what the desk of accounts promises, over a real store: passwords, tokens, sessions, roles.

use std::sync::Arc;

use tollhouse_core::id::{IdKey, UserName};
use tollhouse_core::record::By;
use tollhouse_core::user::{Fresh, Permission, Role, RoleLimits};

use super::*;
use crate::clock::BoxClock;
use crate::store::{Store, StoreOptions};

const PASSWORD: &str = "correct horse battery";

fn desk(folder: &std::path::Path) -> UserDesk {
    let store = Store::open(folder, StoreOptions::default()).expect("a store");
    let admin = crate::admin::Admin::with_password(PASSWORD).expect("long enough");
    UserDesk::new(store, BoxClock::start(1), IdKey::new([7; 32]), RoleLimits::default(), Some(Arc::new(admin)))
}

fn name(text: &str) -> UserName {
    UserName::new(text).expect("a name")
}

fn by() -> By {
    By::person("admin", "a test")
}

async fn add_mei(desk: &UserDesk, password: Option<&str>) {
    let password = password.map(|text| password_hash(text).expect("hashed"));
    let fresh = Fresh { name: name("mei"), display_name: "梅".to_owned(), roles: vec![Role::Clerk], password };
    desk.add(fresh, &by()).await.expect("added");
}

#[actix::test]
async fn a_password_lets_in_whose_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = desk(folder.path());
    add_mei(&desk, Some(PASSWORD)).await;
    let known = desk.by_password("mei", PASSWORD).expect("known");
    assert!(known.permissions.allow(Permission::CardsWrite) && !known.permissions.allow(Permission::UsersWrite));
    assert_eq!(desk.by_password("mei", "wrong password").err(), Some(Unknown::Nobody));
    assert_eq!(desk.by_password("wei", PASSWORD).err(), Some(Unknown::Nobody));
    assert!(desk.by_password("admin", PASSWORD).is_ok());
}

#[actix::test]
async fn an_account_without_a_password_has_none_that_fits() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = desk(folder.path());
    add_mei(&desk, None).await;
    assert_eq!(desk.by_password("mei", "").err(), Some(Unknown::Nobody));
}

#[actix::test]
async fn a_token_and_a_session_survive_a_restart_of_the_box() {
    let folder = tempfile::tempdir().expect("a folder");
    let (token, cookie) = {
        let desk = desk(folder.path());
        add_mei(&desk, Some(PASSWORD)).await;
        let issued =
            desk.issue_token(&name("mei"), "reports", chrono::TimeDelta::days(1), &by()).await.expect("issued");
        let (cookie, _) = desk.begin_session(&name("mei")).await.expect("begun");
        let token = desk.token_text(&issued);
        desk.store.close();
        (token, cookie)
    };
    let desk = desk(folder.path());
    assert_eq!(desk.by_token(&token).expect("known").name, name("mei"));
    assert_eq!(desk.by_session(&cookie).expect("known").name, name("mei"));
    assert_eq!(desk.by_token(&cookie).err(), Some(Unknown::Nobody));
    desk.end_session(&cookie).await.expect("ended");
    assert_eq!(desk.by_session(&cookie).err(), Some(Unknown::Nobody));
}

#[test]
fn passwords_are_bounded() {
    for text in ["", "short", &"x".repeat(201)] {
        assert_eq!(password_hash(text), Err(PasswordFault::Length));
    }
    let drawn = draw_password().expect("drawn");
    assert!(is_password(&drawn, &password_hash(&drawn).expect("hashed")));
}

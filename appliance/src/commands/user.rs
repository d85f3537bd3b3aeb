//! `tollhouse user ...`: accounts of people and programs, on a running box and on a stopped one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tollhouse_core::id::{IdError, UserName};
use tollhouse_core::user::{Fresh, Permission, Role, UserState};

use super::desk::{Author, ask};
use super::{Place, form, refused, wrong_usage};
use crate::commands::check::Form;
use crate::terminal::{Lean, table};
use crate::users::{self, ShownToken, ShownUser, UserAnswer, UserCommand};

/// `tollhouse user ...`.
#[derive(Debug, Subcommand)]
pub(super) enum UserVerb {
    /// Make an account; without a password file its password is drawn and printed
    Add {
        #[command(flatten)]
        whose: Whose,
        /// What it is to the lot, may be repeated: administrator, manager, clerk, attendant, accountant, auditor, merchant
        #[arg(long = "role", value_name = "ROLE", required = true, value_parser = role)]
        roles: Vec<Role>,
        /// As people read it; its name if left out
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
        #[command(flatten)]
        password: Password,
    },
    /// Show all accounts
    List {
        #[command(flatten)]
        place: Place,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Give it another password; without a file it is drawn and printed. Its sessions end
    Passwd {
        #[command(flatten)]
        whose: Whose,
        #[command(flatten)]
        password: Password,
    },
    /// Give it other roles. Its sessions end
    Role {
        #[command(flatten)]
        whose: Whose,
        /// What it is to the lot from now on
        #[arg(value_name = "ROLE", required = true, value_parser = role)]
        roles: Vec<Role>,
    },
    /// Let it in no longer, nor its tokens
    Disable {
        #[command(flatten)]
        whose: Whose,
    },
    /// Let it in again
    Enable {
        #[command(flatten)]
        whose: Whose,
    },
    /// Print a bearer token for a program: it is shown this once
    Token {
        #[command(flatten)]
        whose: Whose,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "command line")]
        name: String,
        /// How long it lasts
        #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3660))]
        days: u16,
    },
    /// Show tokens: of one account, or of all
    Tokens {
        /// Whose
        #[arg(value_name = "NAME", value_parser = name)]
        user: Option<UserName>,
        #[command(flatten)]
        place: Place,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a token back
    Revoke {
        /// The token's id, as `tollhouse user tokens` shows it
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        author: Author,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what each role may do
    Roles {
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
}

/// Which account, of which box, and on whose order.
#[derive(Debug, Args)]
pub(super) struct Whose {
    /// The account's name: A-Z, a-z, 0-9, _ and -
    #[arg(value_name = "NAME", value_parser = name)]
    user: UserName,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    author: Author,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// Where the password comes from.
#[derive(Debug, Args)]
pub(super) struct Password {
    /// A file whose first line is the password; - reads it from the standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

fn name(text: &str) -> Result<UserName, IdError> {
    UserName::new(text)
}

fn role(text: &str) -> Result<Role, String> {
    let names: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    Role::by_name(text).ok_or_else(|| format!("the roles are {}", names.join(", ")))
}

pub(super) fn run(verb: UserVerb) -> ExitCode {
    match verb {
        UserVerb::Add { whose, roles, display_name, password } => add(whose, roles, display_name, &password),
        UserVerb::Passwd { whose, password } => passwd(whose, &password),
        UserVerb::Role { whose, roles } => {
            let by = whose.author.by("other roles");
            change(&whose.place, UserCommand::SetRoles(whose.user, roles, by), None, form(whose.json))
        }
        UserVerb::Disable { whose } => set_state(whose, UserState::Disabled, "let in no longer"),
        UserVerb::Enable { whose } => set_state(whose, UserState::Active, "let in again"),
        UserVerb::Token { whose, name, days } => {
            let by = whose.author.by("a token");
            let command = UserCommand::IssueToken(whose.user, name, days, by);
            change(&whose.place, command, None, form(whose.json))
        }
        UserVerb::List { place, json } => change(&place, UserCommand::List, None, form(json)),
        UserVerb::Tokens { user, place, json } => change(&place, UserCommand::Tokens(user), None, form(json)),
        UserVerb::Revoke { id, place, author, json } => {
            let by = author.by("a token is taken back");
            change(&place, UserCommand::RevokeToken(id, by), None, form(json))
        }
        UserVerb::Roles { json } => {
            roles(form(json));
            ExitCode::SUCCESS
        }
    }
}

fn set_state(whose: Whose, state: UserState, reason: &str) -> ExitCode {
    let by = whose.author.by(reason);
    change(&whose.place, UserCommand::SetState(whose.user, state, by), None, form(whose.json))
}

fn add(whose: Whose, roles: Vec<Role>, display_name: Option<String>, password: &Password) -> ExitCode {
    let (hash, drawn) = match chosen(password) {
        Ok(chosen) => chosen,
        Err(why) => return wrong_usage(&why),
    };
    let display_name = display_name.unwrap_or_else(|| whose.user.to_string());
    let by = whose.author.by("a new account");
    let fresh = Fresh { name: whose.user, display_name, roles, password: Some(hash) };
    change(&whose.place, UserCommand::Add(fresh, by), drawn.as_deref(), form(whose.json))
}

fn passwd(whose: Whose, password: &Password) -> ExitCode {
    let (hash, drawn) = match chosen(password) {
        Ok(chosen) => chosen,
        Err(why) => return wrong_usage(&why),
    };
    let by = whose.author.by("another password");
    change(&whose.place, UserCommand::SetPassword(whose.user, hash, by), drawn.as_deref(), form(whose.json))
}

/// The hash of the password, and the password itself if it was drawn.
fn chosen(password: &Password) -> Result<(String, Option<String>), String> {
    let (text, drawn) = if let Some(file) = &password.password_file {
        (first_line(file)?, None)
    } else {
        let drawn = users::draw_password().map_err(|fault| fault.to_string())?;
        (drawn.clone(), Some(drawn))
    };
    Ok((users::password_hash(&text).map_err(|fault| fault.to_string())?, drawn))
}

fn first_line(file: &Path) -> Result<String, String> {
    let text =
        if file == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|fault| format!("the password cannot be read from {}: {fault}", file.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn change(place: &Place, command: UserCommand, drawn: Option<&str>, form: Form) -> ExitCode {
    match ask(place, command) {
        Ok(answer) => {
            tell(&answer, drawn, form);
            ExitCode::SUCCESS
        }
        Err(why) => refused(&why),
    }
}

fn tell(answer: &UserAnswer, drawn: Option<&str>, form: Form) {
    if form == Form::Json {
        println!("{}", as_json(answer, drawn));
        return;
    }
    match answer {
        UserAnswer::User(user) => {
            println!("{} ({}): {}, {}", user.name, user.display_name, words(&user.roles), user.state.as_str());
            if let Some(drawn) = drawn {
                println!("password: {drawn}");
            }
        }
        UserAnswer::Users(users) => print!("{}", table(&users.iter().map(user_row).collect::<Vec<_>>(), &[Lean::Left])),
        // Nothing but the token: it is mostly read by a program.
        UserAnswer::Issued(_, text) => println!("{text}"),
        UserAnswer::Tokens(tokens) => {
            print!("{}", table(&tokens.iter().map(token_row).collect::<Vec<_>>(), &[Lean::Left]));
        }
        UserAnswer::Revoked(token) => println!("{} of {} ({}) is taken back", token.id, token.user, token.name),
    }
}

fn as_json(answer: &UserAnswer, drawn: Option<&str>) -> Value {
    match answer {
        UserAnswer::User(user) => {
            let mut shown = json!(user);
            if let (Some(drawn), Some(fields)) = (drawn, shown.as_object_mut()) {
                fields.insert("password".to_owned(), drawn.into());
            }
            shown
        }
        UserAnswer::Users(users) => json!(users),
        UserAnswer::Issued(token, text) => json!({ "token": text, "id": token.id, "expires_at": token.expires_at }),
        UserAnswer::Tokens(tokens) => json!(tokens),
        UserAnswer::Revoked(token) => json!(token),
    }
}

fn words(roles: &[Role]) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}

fn user_row(user: &ShownUser) -> Vec<String> {
    vec![user.name.to_string(), user.display_name.clone(), words(&user.roles), user.state.as_str().to_owned()]
}

fn token_row(token: &ShownToken) -> Vec<String> {
    let until = format!("until {}", token.expires_at.date_naive());
    vec![token.id.clone(), token.user.to_string(), token.name.clone(), format!("…{}", token.last), until]
}

fn roles(form: Form) {
    let of = |role: &Role| role.permissions().iter().map(Permission::as_str).collect::<Vec<_>>();
    if form == Form::Json {
        let all: serde_json::Map<_, _> =
            Role::ALL.iter().map(|role| (role.as_str().to_owned(), json!(of(role)))).collect();
        println!("{}", Value::Object(all));
        return;
    }
    for role in Role::ALL {
        println!("{}\n    {}", role.as_str(), of(role).join(" "));
    }
}

//! How a command reaches a desk of the box: through `control.sock` while the box runs, else on its files.

use std::path::{Path, PathBuf};

use clap::Args;
use tokio::runtime::Runtime;
use tollhouse_core::record::By;

use super::Place;
use crate::config::{self, Config};
use crate::control::{self, Reply, Request};
use crate::desks::{self, DeskCommand, Desks};

/// On whose order a command changes something: it stands in the journal for ever.
#[derive(Debug, Clone, Args)]
pub(super) struct Author {
    /// Who does it; the user of this machine if left out
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Author {
    /// Who and why; `what` stands in for a reason that was not given.
    pub(super) fn by(&self, what: &str) -> By {
        let name = self.by.clone().unwrap_or_else(|| format!("{}@box", user_of_this_machine()));
        By::person(bounded(&name), bounded(self.reason.as_deref().unwrap_or(what)))
    }
}

fn user_of_this_machine() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}

/// A line for people, of 200 characters at most.
fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Asks the box at this place, running or stopped.
pub(super) fn ask<C: DeskCommand>(place: &Place, command: C) -> Result<C::Answer, String> {
    let (data, config) = folder(place)?;
    match running(&data, &command)? {
        Some(answer) => Ok(answer),
        None => on_files(&data, config.as_ref(), command),
    }
}

/// A box that is asked more than once: a stopped one's files are opened for all of it.
pub(super) enum Desk {
    /// The running box, by its data folder.
    Running(PathBuf),
    /// A stopped box's desks.
    Stopped(Box<Desks>, Runtime),
}

impl Desk {
    /// The box at this place.
    pub(super) fn at(place: &Place) -> Result<Self, String> {
        let (data, config) = folder(place)?;
        // What is asked does not matter: somebody answers, or nobody is there.
        let nothing = Request::Desk { desk: String::new(), ask: serde_json::Value::Null };
        match control::ask(&data, &nothing) {
            Ok(Some(_)) => Ok(Self::Running(data)),
            Ok(None) => {
                let desks = desks::of_folder(&data, config.as_ref()).map_err(|fault| fault.to_string())?;
                Ok(Self::Stopped(Box::new(desks), runtime()?))
            }
            Err(fault) => Err(format!("the running box does not answer: {fault}")),
        }
    }

    /// Asks it.
    pub(super) fn ask<C: DeskCommand>(&self, command: C) -> Result<C::Answer, String> {
        match self {
            Self::Running(data) => match running(data, &command)? {
                Some(answer) => Ok(answer),
                None => Err("the box has ended meanwhile: try again".to_owned()),
            },
            Self::Stopped(desks, runtime) => runtime.block_on(command.carry_out(desks)),
        }
    }

    /// Lets a stopped box's files go.
    pub(super) fn close(self) {
        if let Self::Stopped(desks, _) = self {
            desks.store.close();
        }
    }
}

fn runtime() -> Result<Runtime, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|fault| format!("this machine gives no runtime: {fault}"))
}

/// The data folder, and the configuration if that is how the place was named.
fn folder(place: &Place) -> Result<(PathBuf, Option<Config>), String> {
    let config = match &place.config {
        Some(path) => Some(config::load(path).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(|fault| format!("{}: {fault}", path.display())).collect();
            faults.join("\n")
        })?),
        None => None,
    };
    let data = match (&place.data, &config) {
        (Some(data), _) => data.clone(),
        (None, Some(config)) => config.store.data.clone(),
        (None, None) => return Err("give --config FILE or --data DIR".to_owned()),
    };
    if !data.is_dir() {
        return Err(format!("{} is no data folder of a box", data.display()));
    }
    if !data.join("journal").is_dir() && config.is_none() {
        return Err(format!("{} is no data folder of a box", data.display()));
    }
    Ok((data, config))
}

/// Asks the box that runs there, if one does.
fn running<C: DeskCommand>(data: &Path, command: &C) -> Result<Option<C::Answer>, String> {
    let ask = serde_json::to_value(command).map_err(|fault| fault.to_string())?;
    let request = Request::Desk { desk: C::DESK.to_owned(), ask };
    match control::ask(data, &request) {
        Ok(Some(Reply::Desk(answer))) => serde_json::from_value(answer)
            .map(Some)
            .map_err(|fault| format!("the running box answers something else ({fault}): is it of another release?")),
        Ok(Some(Reply::Failed(why))) => Err(why),
        Ok(Some(_)) => Err("the running box answers something else: is it of another release?".to_owned()),
        Ok(None) => Ok(None),
        Err(fault) => Err(format!("the running box does not answer: {fault}")),
    }
}

/// Asks a box that runs at this place; nothing where none does, or where it does not answer.
pub(super) fn ask_running<C: DeskCommand>(place: &Place, command: &C) -> Option<C::Answer> {
    let data = super::verify::folder(place).ok()?;
    let request = Request::Desk { desk: C::DESK.to_owned(), ask: serde_json::to_value(command).ok()? };
    match control::ask(&data, &request) {
        Ok(Some(Reply::Desk(answer))) => serde_json::from_value(answer).ok(),
        _ => None,
    }
}

fn on_files<C: DeskCommand>(data: &Path, config: Option<&Config>, command: C) -> Result<C::Answer, String> {
    let runtime = runtime()?;
    let desks = desks::of_folder(data, config).map_err(|fault| fault.to_string())?;
    let answer = runtime.block_on(command.carry_out(&desks));
    desks.store.close();
    answer
}

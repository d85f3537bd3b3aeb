//! `tollhouse driver install`, `upgrade`, `rollback`, `remove` and `release`: told first, then done, by the running box or,
//! where none runs, on its files.
//!
//! What an order comes to is the desk's business; here is who asks, whether they are sure, and how it is told.

use std::fs::{self, File};
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;
use clap::Args;
use serde_json::json;
use tollhouse_drivers::plugin::signature::signature_path;
use tollhouse_drivers::plugin::signature_text;

use super::super::{form, refused, wrong_usage};
use super::Form;
use crate::config::{self, Config};
use crate::control::{self, Reply, Request};
use crate::drivers::order::{Asked, Earnest, Force, Luggage, Named, Order, Roll, Told};
use crate::drivers::{DeskParts, DriverDesk, Shelf, slots};
use crate::store::{Store, StoreOptions};

/// The longest reason and name, in characters.
const MOST_CHARS: usize = 200;

/// Which box, and who says so.
#[derive(Debug, Args)]
pub(in crate::commands) struct ChangeArgs {
    /// The box's configuration
    #[arg(long, value_name = "FILE", required_unless_present = "data", conflicts_with = "data")]
    config: Option<PathBuf>,
    /// The data folder of a box that runs
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Why, in your words: it stands in the journal
    #[arg(long, value_name = "WORDS")]
    reason: String,
    /// Who you are, if not the user of this machine that you are signed in as
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Tell what would happen, and do nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// `install FILE`
#[derive(Debug, Args)]
pub(in crate::commands) struct InstallArgs {
    /// The driver's shared library; its signature lies beside it
    #[arg(value_name = "FILE")]
    library: PathBuf,
    #[command(flatten)]
    change: ChangeArgs,
}

/// `upgrade FILE|ID@VERSION`
#[derive(Debug, Args)]
pub(in crate::commands) struct UpgradeArgs {
    /// The newer library, or a version that is kept, as acme.barrier@1.2.0
    #[arg(value_name = "FILE|ID@VERSION")]
    to: String,
    /// Only this instance, may be repeated; without it all that run the driver
    #[arg(long, value_name = "NAME")]
    instance: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// `rollback ID`
#[derive(Debug, Args)]
pub(in crate::commands) struct RollbackArgs {
    /// The driver, as acme.barrier
    #[arg(value_name = "ID")]
    driver: String,
    /// To this version; without it to the one that ran before
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// The library of that version, if the box does not keep it
    #[arg(long, value_name = "FILE", requires = "to")]
    file: Option<PathBuf>,
    /// Only this instance, may be repeated; without it all that run the driver
    #[arg(long, value_name = "NAME")]
    instance: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// `remove ID[@VERSION]`
#[derive(Debug, Args)]
pub(in crate::commands) struct RemoveArgs {
    /// The driver, or one version of it, as acme.barrier@1.0.0
    #[arg(value_name = "ID[@VERSION]")]
    driver: String,
    /// Also while a lane needs it
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    change: ChangeArgs,
}

/// `release INSTANCE`
#[derive(Debug, Args)]
pub(in crate::commands) struct ReleaseArgs {
    /// The instance, by its name in the configuration
    #[arg(value_name = "INSTANCE")]
    instance: String,
    #[command(flatten)]
    change: ChangeArgs,
}

pub(super) fn install(args: &InstallArgs) -> ExitCode {
    change(&args.change, Order::Install, Some(&args.library))
}

pub(super) fn upgrade(args: &UpgradeArgs) -> ExitCode {
    let instances = args.instance.clone();
    match named(&args.to) {
        // A file of that name is meant as a file.
        Some(kept) if !Path::new(&args.to).exists() => {
            change(&args.change, Order::Upgrade { kept: Some(kept), instances }, None)
        }
        _ => change(&args.change, Order::Upgrade { kept: None, instances }, Some(Path::new(&args.to))),
    }
}

pub(super) fn rollback(args: &RollbackArgs) -> ExitCode {
    let order = Order::Rollback { id: args.driver.clone(), to: args.to.clone(), instances: args.instance.clone() };
    change(&args.change, order, args.file.as_deref())
}

pub(super) fn remove(args: &RemoveArgs) -> ExitCode {
    let (id, version) = match named(&args.driver) {
        Some(Named { id, version }) => (id, Some(version)),
        None => (args.driver.clone(), None),
    };
    let force = if args.force { Force::Yes } else { Force::No };
    change(&args.change, Order::Remove { id, version, force }, None)
}

pub(super) fn release(args: &ReleaseArgs) -> ExitCode {
    change(&args.change, Order::Release { instance: args.instance.clone() }, None)
}

fn named(text: &str) -> Option<Named> {
    let (id, version) = text.rsplit_once('@')?;
    Some(Named { id: id.to_owned(), version: version.to_owned() })
}

/// Tells what an order comes to, asks whether it is meant, and has it done.
fn change(args: &ChangeArgs, order: Order, library: Option<&Path>) -> ExitCode {
    let by = args.by.clone().unwrap_or_else(signed_in);
    for (what, text) in [("--reason", &args.reason), ("--by", &by)] {
        let length = text.trim().chars().count();
        if !(1..=MOST_CHARS).contains(&length) || text.chars().any(char::is_control) {
            return wrong_usage(&format!("{what} wants 1 to {MOST_CHARS} characters in one line"));
        }
    }
    let place = match Place::of(args) {
        Ok(place) => place,
        Err(why) => return refused(&why),
    };
    let reason = args.reason.trim().to_owned();
    let mut asked = Asked { order, by, reason, earnest: Earnest::Rehearsal, seen: None, luggage: None };
    let told = match place.order(&mut asked, library) {
        Ok(told) => told,
        Err(why) => return refused(&why),
    };
    if args.dry_run {
        tell(&told, form(args.json), "would happen");
        return ExitCode::SUCCESS;
    }
    if !args.yes {
        if !io::stdin().is_terminal() {
            return wrong_usage("nobody is there to be asked: look at it with --dry-run, then say --yes");
        }
        tell(&told, Form::Text, "will happen");
        if !agreed() {
            return refused(&"nothing was done");
        }
    }
    (asked.earnest, asked.seen) = (Earnest::Yes, Some(told.seen));
    match place.order(&mut asked, library) {
        Ok(told) => {
            tell(&told, form(args.json), "done");
            ExitCode::SUCCESS
        }
        Err(why) => refused(&why),
    }
}

fn tell(told: &Told, shape: Form, what: &str) {
    if shape == Form::Json {
        println!("{}", json!({ "outcome": what, "steps": told.steps }));
        return;
    }
    println!("{what}:");
    told.steps.iter().for_each(|step| println!("  - {step}"));
}

fn agreed() -> bool {
    print!("Go ahead? [y/N] ");
    // A terminal that takes no prompt still gives an answer.
    let _ = io::stdout().flush();
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Who is signed in, also behind sudo.
fn signed_in() -> String {
    let of = |name: &str| std::env::var(name).ok().filter(|user| !user.is_empty());
    of("SUDO_USER").or_else(|| of("USER")).or_else(|| of("LOGNAME")).unwrap_or_else(|| "somebody".to_owned())
}

/// The box whose drivers are meant.
struct Place {
    data: PathBuf,
    config: Option<Config>,
}

impl Place {
    fn of(args: &ChangeArgs) -> Result<Self, String> {
        Self::at(args.config.as_deref(), args.data.as_deref())
    }

    fn at(config: Option<&Path>, data: Option<&Path>) -> Result<Self, String> {
        match (config, data) {
            (Some(path), _) => {
                let config = config::load(path).map_err(|faults| {
                    let faults: Vec<String> =
                        faults.iter().map(|fault| format!("{}: {fault}", path.display())).collect();
                    faults.join("\n")
                })?;
                Ok(Self { data: config.store.data.clone(), config: Some(config) })
            }
            (None, Some(data)) => Ok(Self { data: data.to_owned(), config: None }),
            (None, None) => Err("give --config FILE or --data DIR".to_owned()),
        }
    }

    fn order(&self, asked: &mut Asked, library: Option<&Path>) -> Result<Told, String> {
        let mut file = None;
        if let Some(path) = library {
            let unreadable = |fault: io::Error| format!("{} cannot be read: {fault}", path.display());
            let opened = File::open(path).map_err(unreadable)?;
            let about = opened.metadata().map_err(unreadable)?;
            if !about.is_file() {
                return Err(format!("{} is no file", path.display()));
            }
            let signature = signature_text(&signature_path(path)).map_err(unreadable)?;
            asked.luggage = Some(Luggage { name: path.display().to_string(), bytes: about.len(), signature });
            file = Some(opened);
        }
        let request = Request::Driver(Box::new(asked.clone()));
        let answered = match &mut file {
            Some(file) => control::ask_with(&self.data, &request, file),
            None => control::ask(&self.data, &request),
        };
        match answered {
            Ok(Some(Reply::Driver(told))) => Ok(told),
            Ok(Some(Reply::Failed(why))) => Err(why),
            Ok(Some(_)) => Err("the running box answers something else: is it of another release?".to_owned()),
            Ok(None) if matches!(asked.order, Order::Release { .. }) => Err("no box runs there".to_owned()),
            Ok(None) => self.on_files(asked, file),
            Err(fault) => Err(format!("the running box does not answer: {fault}")),
        }
    }

    /// No box runs: its desk is set up here for this one order.
    fn on_files(&self, asked: &Asked, file: Option<File>) -> Result<Told, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|fault| format!("no runtime: {fault}"))?;
        runtime.block_on(async { self.desk()?.order(asked, file).await })
    }

    fn desk(&self) -> Result<Arc<DriverDesk>, String> {
        let Some(config) = &self.config else {
            return Err(format!(
                "no box runs on {}; whose drivers it trusts stands in its configuration: give --config FILE",
                self.data.display()
            ));
        };
        belongs_to_us(&self.data)?;
        let store = Store::open(&self.data, StoreOptions::default()).map_err(|fault| fault.to_string())?;
        Ok(DriverDesk::new(DeskParts {
            store,
            shelf: Shelf::of(&self.data),
            keys: config.drivers.clone(),
            slots: slots(config),
            executable: std::env::current_exe()
                .map_err(|fault| format!("the program's own file is unknown: {fault}"))?,
            now: Arc::new(Utc::now),
            around: None,
        }))
    }
}

/// What is written into a stopped box's folder has to belong to the box: another user's files, root's too, would keep it
/// from starting.
fn belongs_to_us(data: &Path) -> Result<(), String> {
    let owner = |path: &Path| fs::metadata(path).map(|about| about.uid());
    match (owner(data), owner(Path::new("/proc/self"))) {
        (Ok(box_user), Ok(us)) if box_user != us => Err(format!(
            "no box runs on {}, and its files belong to another user: start the box, or do this as that user (sudo -u '#{box_user}' \
             tollhouse driver ...)",
            data.display()
        )),
        _ => Ok(()),
    }
}

/// How a box's drivers stand: as the running box says, or as its files do.
pub(super) fn roll(config: Option<&Path>, data: Option<&Path>) -> Result<Roll, String> {
    let place = Place::at(config, data)?;
    match control::ask(&place.data, &Request::Drivers) {
        Ok(Some(Reply::Drivers(roll))) => Ok(roll),
        Ok(Some(Reply::Failed(why))) => Err(why),
        Ok(Some(_)) => Err("the running box answers something else: is it of another release?".to_owned()),
        Ok(None) => place.desk()?.roll(),
        Err(fault) => Err(format!("the running box does not answer: {fault}")),
    }
}

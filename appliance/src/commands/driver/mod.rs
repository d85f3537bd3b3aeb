//! `tollhouse driver ...`: the vendor's and installer's tools. What they do is in `tollhouse_drivers`; here is only what
//! they take and how they tell it.

mod check;
mod hot;
mod info;
mod list;
mod project;
mod signing;
mod templates;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::check::Form;
use super::{form, refused};

pub use project::{Language, Project, write};

/// `tollhouse driver ...`.
#[derive(Debug, Subcommand)]
pub(super) enum DriverCommand {
    /// Try a driver against every rule of the ABI; exit code 1 when it breaks one
    Check(CheckArgs),
    /// What a driver says of itself: id, version, kinds, commands, events, options, configuration
    Info {
        /// The driver's shared library
        #[arg(value_name = "FILE")]
        library: PathBuf,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// How a box's drivers stand: state, version, restarts, what is kept; or the drivers that lie in a folder
    List(ListArgs),
    /// Keep a driver on the box; instances that wait for it begin to run it, while everything else goes on
    Install(hot::InstallArgs),
    /// Let instances run a newer version; the one before it comes back by itself when that does not work
    Upgrade(hot::UpgradeArgs),
    /// Let instances run an older version again
    Rollback(hot::RollbackArgs),
    /// Keep a driver, or one version of it, no longer
    Remove(hot::RemoveArgs),
    /// Start an instance that is left alone after too many failures
    Release(hot::ReleaseArgs),
    /// Make a vendor's pair of keys: NAME.key, which signs, and NAME.pub, which boxes are told
    Keygen {
        /// What the files are called, without their endings
        #[arg(value_name = "NAME")]
        name: PathBuf,
        /// A file whose first line protects the secret key
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Sign a driver as what its descriptor says it is: FILE.minisig beside it
    Sign {
        /// The driver's shared library
        #[arg(value_name = "FILE")]
        library: PathBuf,
        /// The secret key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// A file with the key's password, if it has one
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Write a new driver's project, which builds and passes the check as it is
    New {
        /// In which language
        #[arg(long, value_enum)]
        lang: Language,
        /// The driver's id, as acme.barrier; also the new folder's name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// What `driver check` takes.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The driver's shared library
    #[arg(value_name = "FILE", required_unless_present_any = ["list", "mqtt"])]
    library: Option<PathBuf>,
    /// Examine a device that speaks MQTT itself, by its id, at the broker that it is signed in to
    #[arg(long, value_name = "DEVICE", conflicts_with_all = ["library", "config", "device"])]
    mqtt: Option<String>,
    #[command(flatten)]
    broker: BrokerArgs,
    /// The configuration to begin with, in JSON; without it one is made from the driver's schema
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A device to speak to, may be repeated; without it those of the configuration
    #[arg(long, value_name = "NAME")]
    device: Vec<String>,
    /// What every chance is drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Only this check, may be repeated
    #[arg(long, value_name = "CHECK")]
    only: Vec<String>,
    /// List the checks and the rules that they try
    #[arg(long)]
    list: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// Where the device of `driver check --mqtt` is found.
#[derive(Debug, Args)]
pub(super) struct BrokerArgs {
    /// The broker
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:1883")]
    broker: String,
    /// The lot in the device's topics
    #[arg(long, value_name = "LOT", default_value = "demo")]
    lot: String,
    /// How this program signs in at the broker, as the box would
    #[arg(long, value_name = "NAME", requires = "password_file")]
    user: Option<String>,
    /// A file whose first line is the password of that
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// A file whose first line is the device's own password: its connection is cut by signing in as it
    #[arg(long, value_name = "FILE")]
    device_password_file: Option<PathBuf>,
    /// How long the device may take for what it should do, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=120))]
    patience: u64,
}

/// What `driver list` takes.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// The box's configuration
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "folder"])]
    config: Option<PathBuf>,
    /// The data folder of a box that runs
    #[arg(long, value_name = "DIR", conflicts_with = "folder")]
    data: Option<PathBuf>,
    /// A folder with drivers
    #[arg(value_name = "FOLDER", required_unless_present_any = ["config", "data"])]
    folder: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: DriverCommand) -> ExitCode {
    match command {
        DriverCommand::Check(args) => check::run(args),
        DriverCommand::Info { library, json } => info::one(&library, form(json)),
        DriverCommand::List(ListArgs { folder: Some(folder), json, .. }) => list::of_a_folder(&folder, form(json)),
        DriverCommand::List(args) => list::of_a_box(args.config.as_deref(), args.data.as_deref(), form(args.json)),
        DriverCommand::Install(args) => hot::install(&args),
        DriverCommand::Upgrade(args) => hot::upgrade(&args),
        DriverCommand::Rollback(args) => hot::rollback(&args),
        DriverCommand::Remove(args) => hot::remove(&args),
        DriverCommand::Release(args) => hot::release(&args),
        DriverCommand::Keygen { name, password_file } => said(signing::keygen(&name, password_file.as_deref())),
        DriverCommand::Sign { library, key, password_file } => {
            said(signing::sign(&library, &key, password_file.as_deref()))
        }
        DriverCommand::New { lang, name } => new(lang, &name),
    }
}

fn said(words: Result<String, String>) -> ExitCode {
    match words {
        Ok(words) => {
            println!("{words}");
            ExitCode::SUCCESS
        }
        Err(why) => refused(&why),
    }
}

fn new(lang: Language, name: &str) -> ExitCode {
    let Some(project) = Project::named(name, lang) else {
        let words = "words of [a-z0-9-] joined by dots are wanted, as acme.barrier, at most 64 characters";
        eprintln!("tollhouse: {name:?} is no name for a driver: {words}");
        return ExitCode::from(2);
    };
    match write(&project, std::path::Path::new(".")) {
        Ok(folder) => {
            println!("{} is written. Next:\n\n    cd {}\n    make check\n", folder.display(), folder.display());
            ExitCode::SUCCESS
        }
        Err(fault) => refused(&format!("the project {name} cannot be written: {fault}")),
    }
}

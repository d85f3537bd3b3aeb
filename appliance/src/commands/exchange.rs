//! `tollhouse import KIND FILE` and `tollhouse export KIND FILE`: every kind of record as a spreadsheet, a CSV file or JSON;
//! a whole estate as a workbook or a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;

use super::desk::{Author, ask};
use super::{Place, form, refused, wrong_usage};
use crate::charging::exchange::{ExchangeAnswer, ExchangeCommand, Imported, Kind};
use crate::commands::check::Form;

/// The largest file that is sent to the box: its request holds no more.
const MAX_FILE_BYTES: u64 = 40 << 20;

/// `tollhouse import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// What: uses, spaces, pools, fee-items, packages, holders, vehicles, cards, bills, deposits, balances, inside,
    /// tariffs, journal, or estate for all of them in one workbook or folder
    #[arg(value_name = "KIND")]
    kind: Kind,
    /// The file: .xlsx, .csv or .json; of an estate also a folder with a file for each table
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Say what would be done and every fault by row, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    author: Author,
}

/// `tollhouse export KIND`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The file to write: .xlsx, .csv or .json; of an estate also a folder, which gets a .csv file for each table
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn import(args: &ImportArgs) -> ExitCode {
    let files = match files(args.kind, &args.file) {
        Ok(files) => files,
        Err(why) => return wrong_usage(&why),
    };
    let by = args.author.by(&format!("import of {}", args.file.display()));
    let command = ExchangeCommand::Import { kind: args.kind, files, dry_run: args.dry_run, by };
    match ask(&args.place, command) {
        Ok(ExchangeAnswer::Imported(imported)) => tell(&imported, form(args.json)),
        Ok(ExchangeAnswer::Exported(_)) => refused(&"the box answers something else: is it of another release?"),
        Err(why) => refused(&why),
    }
}

/// The files, each under its name, in base 64.
fn files(kind: Kind, path: &Path) -> Result<Vec<(String, String)>, String> {
    let paths = if path.is_dir() {
        if kind != Kind::Estate {
            return Err(format!("{} is a folder: only an estate is imported from one", path.display()));
        }
        let entries = fs::read_dir(path).map_err(|fault| format!("{} cannot be read: {fault}", path.display()))?;
        let known = |path: &PathBuf| {
            path.extension()
                .and_then(|ending| ending.to_str())
                .is_some_and(|ending| matches!(ending, "csv" | "json" | "xlsx"))
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(known).collect();
        paths.sort();
        paths
    } else {
        vec![path.to_owned()]
    };
    if paths.is_empty() {
        return Err(format!("{} holds no .xlsx, .csv or .json file", path.display()));
    }
    let mut all = vec![];
    let mut bytes = 0;
    for path in paths {
        let read = fs::read(&path).map_err(|fault| format!("{} cannot be read: {fault}", path.display()))?;
        bytes += read.len() as u64;
        if bytes > MAX_FILE_BYTES {
            return Err("more than 40 MiB: import it in parts".to_owned());
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        all.push((name, STANDARD.encode(read)));
    }
    Ok(all)
}

fn tell(imported: &Imported, form: Form) -> ExitCode {
    let fine = imported.faults.is_empty();
    if form == Form::Json {
        match serde_json::to_string(imported) {
            Ok(text) => println!("{text}"),
            Err(fault) => return refused(&fault),
        }
    } else if fine {
        for table in &imported.tables {
            println!("{:<12} {:>7} written  {:>7} there already", table.table, table.written, table.there_already);
        }
        let (written, there) = (imported.written, imported.there_already);
        let would = if imported.dry_run { "would be written; nothing was" } else { "written" };
        println!("{written} {would}, {there} there already");
    } else {
        for fault in &imported.faults {
            eprintln!("{fault}");
        }
        eprintln!("tollhouse: {} faults, nothing was written", imported.faults.len());
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

pub(super) fn export(kind: Kind, args: &ExportArgs) -> ExitCode {
    let ending = args.file.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let is_folder = kind == Kind::Estate && (ending.is_empty() || args.file.is_dir());
    let target = if is_folder { Target::Folder } else { Target::File };
    let ending = if is_folder { "csv".to_owned() } else { ending };
    if !matches!(ending.as_str(), "xlsx" | "csv" | "json") {
        return wrong_usage("the file to write ends in .xlsx, .csv or .json");
    }
    let command = ExchangeCommand::Export { kind, ending };
    let files = match ask(&args.place, command) {
        Ok(ExchangeAnswer::Exported(files)) => files,
        Ok(ExchangeAnswer::Imported(_)) => {
            return refused(&"the box answers something else: is it of another release?");
        }
        Err(why) => return refused(&why),
    };
    match written(&args.file, target, &files) {
        Ok(bytes) if args.json => println!("{}", serde_json::json!({ "files": files.len(), "bytes": bytes })),
        Ok(bytes) => println!("{}: {} files, {bytes} bytes", args.file.display(), files.len()),
        Err(why) => return refused(&why),
    }
    ExitCode::SUCCESS
}

/// Where an export goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    File,
    Folder,
}

/// Writes the files; says how many bytes.
fn written(path: &Path, target: Target, files: &[(String, String)]) -> Result<usize, String> {
    let mut bytes = 0;
    if target == Target::File && files.len() > 1 {
        return Err("a .csv file holds one table: name a folder, an .xlsx or a .json file".to_owned());
    }
    if target == Target::Folder {
        fs::create_dir_all(path).map_err(|fault| format!("{} cannot be made: {fault}", path.display()))?;
    }
    for (name, content) in files {
        let content = STANDARD.decode(content).map_err(|fault| fault.to_string())?;
        let to = if target == Target::Folder { path.join(name) } else { path.to_owned() };
        fs::write(&to, &content).map_err(|fault| format!("{} cannot be written: {fault}", to.display()))?;
        bytes += content.len();
    }
    Ok(bytes)
}

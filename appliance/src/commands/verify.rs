//! `tollhouse verify`: the proof that nothing was lost, on a running box through its control socket, else on its files.

use std::path::PathBuf;
use std::process::ExitCode;

use super::check::Form;
use super::{Place, refused};
use crate::config;
use crate::control::{self, Reply, Request};
use crate::store::{self, Verdict};

pub(super) fn run(place: &Place, form: Form) -> ExitCode {
    let data = match folder(place) {
        Ok(data) => data,
        Err(why) => return refused(&why),
    };
    if !data.is_dir() {
        return refused(&format!("{} is no data folder of a box", data.display()));
    }
    let verdict = match control::ask(&data, &Request::Verify) {
        Ok(Some(Reply::Verdict(verdict))) => verdict,
        Ok(Some(Reply::Failed(why))) => return refused(&why),
        Ok(Some(_)) => return refused(&"the running box answers something else: is it of another release?"),
        Ok(None) => match store::verify(&data, tollhouse_core::audit::all()) {
            Ok(verdict) => verdict,
            Err(fault) => return refused(&fault),
        },
        Err(fault) => return refused(&format!("the running box does not answer: {fault}")),
    };
    tell(&verdict, form);
    if verdict.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

pub(super) fn folder(place: &Place) -> Result<PathBuf, String> {
    match (&place.data, &place.config) {
        (Some(data), _) => Ok(data.clone()),
        (None, Some(path)) => config::load(path).map(|config| config.store.data).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(|fault| format!("{}: {fault}", path.display())).collect();
            faults.join("\n")
        }),
        (None, None) => Err("give --config FILE or --data DIR".to_owned()),
    }
}

fn tell(verdict: &Verdict, form: Form) {
    if form == Form::Json {
        match serde_json::to_string(verdict) {
            Ok(text) => println!("{text}"),
            Err(fault) => eprintln!("tollhouse: the verdict cannot be written: {fault}"),
        }
        return;
    }
    for check in &verdict.checks {
        let mark = if check.ok { "ok   " } else { "WRONG" };
        println!("{mark}  {} ({})", check.name, check.count);
        if !check.ok {
            println!("       {}", check.detail);
        }
    }
    let outcome = if verdict.ok { "nothing was lost" } else { "NOT in order: keep these files and call for help" };
    println!("{} entries: {outcome}", verdict.position);
}

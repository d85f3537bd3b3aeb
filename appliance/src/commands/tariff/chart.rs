//! `tollhouse tariff chart`: the picture of a tariff, to a file.

use std::io::Write as _;
use std::process::ExitCode;

use super::ChartArgs;
use crate::chart::{self, Wanted};
use crate::clock::BoxClock;
use crate::commands::check::Form;
use crate::commands::{quote, refused, wrong_usage};
use crate::tariffs;

pub(super) fn run(args: &ChartArgs) -> ExitCode {
    let tariffs = match tariffs::read_files(std::slice::from_ref(&args.file)) {
        Ok(tariffs) => tariffs,
        Err(faults) => return quote::told(&faults, Form::Text),
    };
    let now = BoxClock::start(1).now();
    let wanted = Wanted { enter: args.enter.as_deref(), now, to: &args.to, vehicle: &args.vehicle };
    let picture = match chart::picture(&tariffs, &wanted) {
        Ok(picture) => picture,
        Err(why) => return wrong_usage(&why.to_string()),
    };
    let svg = chart::svg(&picture);
    let written = match &args.out {
        Some(path) => {
            std::fs::write(path, svg).map_err(|fault| format!("{} cannot be written: {fault}", path.display()))
        }
        None => std::io::stdout().write_all(svg.as_bytes()).map_err(|fault| fault.to_string()),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => refused(&why),
    }
}

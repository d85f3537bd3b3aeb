//! `[bills]`: when the box bills by itself, and when it reminds. Every key may be left out.

use std::time::Duration;

use chrono::NaiveTime;

use super::reader::Document;
use crate::charging::bills::round::BillTimes;

const KEYS: [&str; 3] = ["run", "batch_s", "remind"];
/// The most stages of reminders.
const MOST_STAGES: usize = 20;
/// The furthest stage from the due date, in days.
const FURTHEST: i32 = 366;

pub(super) fn bills(document: &mut Document<'_>) -> Option<BillTimes> {
    let usual = BillTimes::default();
    let mut section = document.section("bills");
    let run = section.optional(document, "run", run);
    let batch_s = section.integer(document, "batch_s", 1..=3_600, Some(60_u32));
    let remind = section.optional(document, "remind", stages);
    document.close(section, &KEYS);
    Some(BillTimes {
        run_at: run.map_or(usual.run_at, |at| at.value),
        batch_every: Duration::from_secs(u64::from(batch_s?)),
        remind_on: remind.map_or(usual.remind_on, |at| at.value),
    })
}

fn run(text: &str) -> Result<Option<NaiveTime>, String> {
    if text == "off" {
        return Ok(None);
    }
    let time = NaiveTime::parse_from_str(text, "%H:%M");
    time.map(Some).map_err(|_| format!("{text:?} is no time of the day like \"03:00\", nor \"off\""))
}

fn stages(text: &str) -> Result<Vec<i32>, String> {
    let wrong = || format!("{text:?} is no list of days like \"-7, -1, 1, 15\"; each from -{FURTHEST} to {FURTHEST}");
    let days = text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse::<i32>);
    let days: Vec<i32> = days.collect::<Result<_, _>>().map_err(|_| wrong())?;
    let fits = days.len() <= MOST_STAGES && days.iter().all(|day| day.abs() <= FURTHEST);
    if fits { Ok(days) } else { Err(wrong()) }
}

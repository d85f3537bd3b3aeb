//! What `tollhouse bill ...` asks of the desk. It must not know whether the box runs.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::bills::BillRun;
use tollhouse_core::money::Currency;
use tollhouse_core::record::By;
use tollhouse_core::words::Language;

use super::notices::{NoticeOf, NoticeQuery};
use super::run::{RunPreview, RunProgress};
use crate::charging::ChargingFault;
use crate::desks::{DeskCommand, Desks};

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillCommand {
    /// What would a run draw?
    Preview(NaiveDate),
    /// Draw it.
    Run(NaiveDate, By),
    /// How far is the run?
    Progress,
    /// Notices to print.
    Notices {
        /// A building, unit or room; all if left out.
        building: Option<String>,
        /// Those of overdue bills, or of all that are unpaid.
        of: NoticeOf,
        /// In which language.
        language: Language,
    },
}

/// What the desk answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillAnswer {
    /// What a run would draw.
    Preview(Box<RunPreview>, Currency, chrono_tz::Tz),
    /// What it drew.
    Run(Box<BillRun>, Currency, chrono_tz::Tz),
    /// How far it is; nothing before the first.
    Progress(Option<Box<RunProgress>>),
    /// A page.
    Page(String),
}

impl DeskCommand for BillCommand {
    const DESK: &'static str = "bills";
    type Answer = BillAnswer;

    async fn carry_out(self, desks: &Desks) -> Result<BillAnswer, String> {
        let desks = desks.clone();
        // Runs and pages take seconds: off the serving threads.
        let done = tokio::task::spawn_blocking(move || self.answer(&desks)).await;
        done.map_err(|_| "the box is ending".to_owned())?.map_err(|fault| fault.to_string())
    }
}

impl BillCommand {
    fn answer(self, desks: &Desks) -> Result<BillAnswer, ChargingFault> {
        let (currency, zone) = (desks.lot.currency, desks.lot.zone);
        Ok(match self {
            Self::Preview(as_of) => BillAnswer::Preview(Box::new(desks.charging.runs.preview(as_of)?), currency, zone),
            Self::Run(as_of, by) => {
                BillAnswer::Run(Box::new(desks.charging.runs.run(as_of, &by, |_| ())?), currency, zone)
            }
            Self::Progress => BillAnswer::Progress(desks.charging.runs.watch().borrow().clone().map(Box::new)),
            Self::Notices { building, of, language } => {
                BillAnswer::Page(desks.charging.bills.notices(&NoticeQuery { building, of, language })?)
            }
        })
    }
}

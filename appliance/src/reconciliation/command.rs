//! What `tollhouse reconcile` asks of the desk.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::record::By;

use super::{Report, Source};
use crate::desks::{DeskCommand, Desks};

/// Reconcile a day.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReconcileCommand {
    /// Whose.
    pub provider: String,
    /// Which day.
    pub day: NaiveDate,
    /// The statement as it was downloaded, in base64; without it the provider is asked for it.
    pub statement: Option<String>,
}

impl DeskCommand for ReconcileCommand {
    const DESK: &'static str = "reconciliation";
    type Answer = Vec<Report>;

    async fn carry_out(self, desks: &Desks) -> Result<Vec<Report>, String> {
        let source = match self.statement {
            Some(text) => Source::File(STANDARD.decode(text).map_err(|_| "the statement is not base64".to_owned())?),
            None => Source::Fetch,
        };
        let by = By::the_box(format!("tollhouse reconcile --provider {} --date {}", self.provider, self.day));
        let done = desks.reconciler.run(&by, &self.provider, self.day, &source).await;
        done.map_err(|fault| fault.to_string())
    }
}

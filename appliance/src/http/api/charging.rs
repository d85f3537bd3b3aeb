//! What all resources of property charging share: why something is changed, and which refusal of a desk has which status.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::charging::reading::Page;
use crate::charging::{ChargingFault, Finding};
use crate::http::problem::{FieldFault, Problem};

use super::{Listed, Query};

/// Why something is changed: it stands in the journal and on every dated change.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Why {
    /// Why, in your words.
    #[param(max_length = 200)]
    reason: Option<String>,
}

impl Why {
    /// The reason, or what stands in for one that was not given.
    pub(super) fn or<'r>(why: &'r Query<Self>, usual: &'r str) -> &'r str {
        why.0.reason.as_deref().filter(|reason| !reason.trim().is_empty()).unwrap_or(usual)
    }
}

/// A list that is at hand whole.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(super) struct All<T> {
    /// In the list's order.
    pub(super) items: Vec<T>,
}

impl<T> From<Page<T>> for Listed<T> {
    fn from(page: Page<T>) -> Self {
        Self::after(page.items, page.next.as_deref())
    }
}

fn field(finding: &Finding) -> FieldFault {
    let row = finding.row.map(|row| format!("/{row}")).unwrap_or_default();
    let sheet = finding.sheet.as_ref().map(|sheet| format!("/{sheet}")).unwrap_or_default();
    let pointer = format!("{sheet}{row}/{}", finding.field);
    FieldFault { pointer, detail: format!("{}（{}）", finding.en, finding.zh) }
}

impl From<ChargingFault> for Problem {
    fn from(fault: ChargingFault) -> Self {
        use actix_web::http::StatusCode;
        let detail = fault.to_string();
        match fault {
            ChargingFault::Unknown { .. } => Self::unknown(detail),
            ChargingFault::Exists { .. } => Self::new(StatusCode::CONFLICT, "taken", "There already", detail),
            ChargingFault::Conflict(_) => {
                Self::new(StatusCode::CONFLICT, "conflict", "Against what is on record", detail)
            }
            ChargingFault::Wrong(findings) => Self::fields(findings.iter().map(field).collect()),
            ChargingFault::KeyReused => Self::key_reused(),
            ChargingFault::Busy => Self::full("the same records are in use"),
            ChargingFault::Broken(why) => {
                tracing::error!(why, "a call could not be answered");
                Self::broken()
            }
        }
    }
}

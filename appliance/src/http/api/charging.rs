//! What all resources of property charging share: which refusal of a desk has which status.

use actix_web::http::StatusCode;

use crate::charging::{ChargingFault, Finding};
use crate::http::problem::{FieldFault, Problem};

fn field(finding: &Finding) -> FieldFault {
    let row = finding.row.map(|row| format!("/{row}")).unwrap_or_default();
    let sheet = finding.sheet.as_ref().map(|sheet| format!("/{sheet}")).unwrap_or_default();
    let pointer = format!("{sheet}{row}/{}", finding.field);
    FieldFault { pointer, detail: format!("{}（{}）", finding.en, finding.zh) }
}

impl From<ChargingFault> for Problem {
    fn from(fault: ChargingFault) -> Self {
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

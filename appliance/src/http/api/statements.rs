//! `/api/v1/holders/{id}/statement`: what a holder owed, was charged, paid and owes. What happened on the account of a provider, a
//! shift or a merchant is told by `/api/v1/accounts/{account}`.

use std::sync::Arc;

use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use serde::Serialize;
use tollhouse_core::charging::label::HolderId;
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::books::Days;
use super::{At, Caller, Problems, Query};
use crate::books::{HolderLine, HolderStatement};
use crate::http::doors::Doors;
use crate::http::problem::Problem;

/// Lines of one statement.
const MOST_LINES: usize = 2_000;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/holders/{id}/statement").get(of_holder).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(of_holder))]
pub(super) struct Description;

/// What an entry of the journal changed for a holder: of one bill, or of the credit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HolderStatementLine)]
pub(super) struct LineAnswer {
    /// The entry of the journal.
    position: u64,
    day: String,
    /// What happened, in the journal's word.
    #[schema(examples("bills.paid"))]
    kind: String,
    /// Of which bill; null: of the holder's credit.
    bill: Option<String>,
    text_zh: String,
    text_en: String,
    /// Below zero it was credited.
    charged: String,
    /// Below zero it came free again.
    paid: String,
    /// Given up as lost; below zero it is claimed again.
    lost: String,
    /// Added to the credit; below zero it was used.
    credit: String,
    /// What is owed then, less the credit.
    balance: String,
}

impl LineAnswer {
    fn of(line: HolderLine) -> Self {
        let kind = serde_json::to_value(line.kind).ok();
        Self {
            position: line.position,
            day: line.day.to_string(),
            kind: kind.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default(),
            bill: line.bill.map(|bill| bill.to_string()),
            text_zh: line.text.zh,
            text_en: line.text.en,
            charged: line.charged.amount(),
            paid: line.paid.amount(),
            lost: line.lost.amount(),
            credit: line.credit.amount(),
            balance: line.balance.amount(),
        }
    }
}

/// A holder's statement. closing = opening + charged - paid - lost - credit, and so does each line's balance follow.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HolderStatement)]
pub(super) struct StatementAnswer {
    holder: String,
    currency: &'static str,
    /// What was owed at the beginning, less the credit.
    opening: String,
    charged: String,
    paid: String,
    lost: String,
    credit: String,
    /// What is owed at the end, less the credit.
    closing: String,
    lines: Vec<LineAnswer>,
}

impl StatementAnswer {
    fn of(found: HolderStatement) -> Self {
        Self {
            holder: found.holder,
            currency: found.closing.currency().code(),
            opening: found.opening.amount(),
            charged: found.charged.amount(),
            paid: found.paid.amount(),
            lost: found.lost.amount(),
            credit: found.credit.amount(),
            closing: found.closing.amount(),
            lines: found.lines.into_iter().map(LineAnswer::of).collect(),
        }
    }
}

/// A holder's statement of some days: what was charged, credited and paid, entry by entry. At most 2,000 lines.
#[utoipa::path(get, path = "/api/v1/holders/{id}/statement", tag = "books", params(("id" = String, Path), Days),
    responses((status = 200, body = StatementAnswer), Problems))]
async fn of_holder(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    id: Path<String>,
    days: Query<Days>,
) -> Result<Json<StatementAnswer>, Problem> {
    caller.may(Permission::BillsRead)?;
    let holder = HolderId::new(&id).map_err(|_| Problem::unknown("there is no such holder"))?;
    let (desk, currency) = (doors.desks.books.clone(), doors.currency);
    let days = days.0.of_today(desk.today());
    // It reads the whole journal: off the serving threads, and one at a time.
    let turn = Arc::clone(&doors.slow).acquire_owned().await.map_err(|_| Problem::full("the box is ending"))?;
    let read = web::block(move || {
        let found = desk.holder_statement((&holder, currency), days, MOST_LINES);
        drop(turn);
        found
    });
    let found = read.await.map_err(|_| Problem::full("the box is ending"))??;
    Ok(Json(StatementAnswer::of(found)))
}

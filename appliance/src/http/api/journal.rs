//! `/api/v1/journal`: what was decided, in order, by whom and why.
//!
//! What an entry wrote holds plates and names, so it is shown to those alone who may read personal data; hashes of
//! passwords, tokens and sessions are shown to nobody.

use std::sync::Arc;

use actix_web::web::{self, Data, Json, ServiceConfig};
use serde::Serialize;
use serde_json::Value;
use tollhouse_core::audit::JournalEntry;
use tollhouse_core::record::{Op, Record};
use tollhouse_core::user::{Permission, Session, Token, User};
use utoipa::ToSchema;

use super::{At, Caller, Fields, Listed, Paging, Problems};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;

/// An entry can be large (a run of bills): so many are read at once.
const MOST_ENTRIES: usize = 200;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/journal").get(list).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list), tags((name = "journal", description = "What was decided, in order")))]
pub(super) struct Description;

/// An entry of the journal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalEntry)]
pub(super) struct EntryAnswer {
    /// Its place: 1 for the first entry ever.
    position: u64,
    at: String,
    /// What kind of change, in a word.
    kind: Value,
    lane: Option<String>,
    /// What led to it: a device's event, a payment, a person with a reason, time, the box itself.
    #[schema(value_type = Value)]
    cause: Value,
    /// How many writes it made.
    writes: usize,
    /// The writes; null for who may not read personal data.
    ops: Option<Vec<Value>>,
    /// What it posted to the books: debits and credits that sum to zero.
    postings: Vec<Value>,
}

/// Entries from the first on; `cursor` goes on where the page before ended.
#[utoipa::path(get, path = "/api/v1/journal", tag = "journal", params(Paging),
    responses((status = 200, body = Listed<EntryAnswer>), Problems))]
async fn list(doors: Data<Arc<Doors>>, caller: Caller, page: Paging) -> Result<Json<Listed<EntryAnswer>>, Problem> {
    caller.may(Permission::JournalRead)?;
    let mut fields = Fields::default();
    let not_ours = |_| "not a cursor of this list";
    let after = page.after().map_or(Some(0), |after| fields.read("?cursor", after.parse::<u64>().map_err(not_ours)));
    fields.done()?;
    let (after, limit) = (after.unwrap_or(0), page.limit().min(MOST_ENTRIES));
    let store = doors.desks.store.clone();
    // One more than the page tells whether there is a next one.
    let read = web::block(move || store.follow(after, limit + 1)).await;
    let mut entries = read.map_err(|_| Problem::full("the box is ending"))?.map_err(|fault| {
        tracing::error!(%fault, "the journal cannot be read");
        Problem::broken()
    })?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let last = entries.last().filter(|_| more).map(|entry| entry.position.to_string());
    let writes = if caller.has(Permission::PersonalRead) { Writes::Shown } else { Writes::Counted };
    let items = entries.iter().map(|entry| answer(&doors, entry, writes)).collect();
    Ok(Json(Listed { items, next: last.as_deref().map(Paging::next) }))
}

/// Whether what an entry wrote is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writes {
    Shown,
    Counted,
}

fn answer(doors: &Doors, entry: &JournalEntry, writes: Writes) -> EntryAnswer {
    let change = &entry.change;
    EntryAnswer {
        position: entry.position,
        at: wire::time(change.at, doors.zone),
        kind: value(&change.kind),
        lane: change.lane.as_ref().map(ToString::to_string),
        cause: value(&change.cause),
        writes: change.ops.len(),
        ops: (writes == Writes::Shown).then(|| change.ops.iter().filter(|op| !is_secret(op)).map(value).collect()),
        postings: change.postings.iter().map(value).collect(),
    }
}

/// Ways in are nobody's to read, not even as hashes.
fn is_secret(op: &Op) -> bool {
    let secret = [User::TABLE.name(), Token::TABLE.name(), Session::TABLE.name()];
    match op {
        Op::Put { table, .. } | Op::Delete { table, .. } => secret.contains(&table.as_ref()),
        Op::Count { .. } => false,
    }
}

/// A part of an entry as it stands there.
fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

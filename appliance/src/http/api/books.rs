//! `/api/v1/accounts` and `/api/v1/postings`: balances, what happened on an account, entries by account and day, and what an
//! accountant posts by hand.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tollhouse_core::books::{AccountDay, HandPosting, Posting, Voucher, VoucherRefusal};
use tollhouse_core::user::Permission;
use utoipa::{IntoParams, ToSchema};

use super::money::more_than_nothing;
use super::{Asked, At, Caller, Fields, Problems, Query, WriteProblems, created};
use crate::books::{Between, BooksFault, PostedEntry};
use crate::http::doors::Doors;
use crate::http::problem::Problem;
use crate::http::wire;

/// Entries of one page, and of one statement.
const PAGE: usize = 200;
const MOST_OF_A_STATEMENT: usize = 2_000;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/accounts").get(accounts).enter(app);
    At::new("/api/v1/accounts/{account}").get(statement).enter(app);
    At::new("/api/v1/postings").get(postings).post(post).enter(app);
    At::new("/api/v1/postings/{position}/reversals").post(reverse).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(accounts, statement, postings, post, reverse),
    tags((name = "books", description = "Accounts, postings, reconciliations and cases"))
)]
pub(super) struct Description;

/// An account over a day or over some days.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(super) struct AccountAnswer {
    /// Its name: `receivable`, `clearing:wechat`, `cash:...`.
    #[schema(examples("clearing:wechat"))]
    account: String,
    /// 中文.
    name_zh: String,
    name_en: String,
    /// `asset`, `liability`, `equity`, `income` or `expense`.
    kind: String,
    currency: &'static str,
    /// Debits are above zero, credits below.
    opening: String,
    debit: String,
    credit: String,
    closing: String,
}

impl AccountAnswer {
    fn of(one: &AccountDay) -> Self {
        let words = one.account.words();
        let kind = serde_json::to_value(one.account.kind()).ok().and_then(|word| word.as_str().map(str::to_owned));
        Self {
            account: one.account.to_string(),
            name_zh: words.zh,
            name_en: words.en,
            kind: kind.unwrap_or_default(),
            currency: one.closing.currency().code(),
            opening: one.opening.amount(),
            debit: one.debit.amount(),
            credit: one.credit.amount(),
            closing: one.closing.amount(),
        }
    }
}

/// Every account as of the end of a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrialBalance)]
pub(super) struct TrialBalanceAnswer {
    as_of: String,
    /// The last entry of the journal that it knows of.
    position: u64,
    /// Accounts that have a balance; debits and credits are those of the day. The closing balances sum to zero.
    items: Vec<AccountAnswer>,
}

/// One side of an entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Posting)]
pub(super) struct PostingAnswer {
    account: String,
    /// Debits are above zero, credits below.
    #[schema(examples("-15.00"))]
    amount: String,
    currency: &'static str,
}

/// An entry that posts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PostedEntry)]
pub(super) struct EntryAnswer {
    /// Its place in the journal.
    position: u64,
    at: String,
    /// The day of the books that it belongs to.
    day: String,
    /// What happened, in the journal's word.
    #[schema(examples("payment.captured"))]
    kind: String,
    lane: Option<String>,
    /// What led to it.
    cause: String,
    postings: Vec<PostingAnswer>,
}

impl EntryAnswer {
    fn of(entry: &PostedEntry, zone: chrono_tz::Tz) -> Self {
        let posting = |posting: &Posting| PostingAnswer {
            account: posting.account.to_string(),
            amount: posting.amount.amount(),
            currency: posting.amount.currency().code(),
        };
        Self {
            position: entry.position,
            at: wire::time(entry.at, zone),
            day: entry.day.to_string(),
            kind: entry.kind_word(),
            lane: entry.lane.as_ref().map(ToString::to_string),
            cause: entry.cause_line(),
            postings: entry.postings.iter().map(posting).collect(),
        }
    }
}

/// A page of entries, in the order of the journal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PostedEntries)]
pub(super) struct EntriesAnswer {
    items: Vec<EntryAnswer>,
    /// Where the next page begins; null when this is the last one. A page may be empty and not be the last.
    next: Option<String>,
}

/// What happened on an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountStatement)]
pub(super) struct StatementAnswer {
    account: String,
    /// Balances at the beginning and the end, with the movements between.
    accounts: Vec<AccountAnswer>,
    entries: Vec<EntryAnswer>,
}

/// As of which day.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOf {
    /// A day; today if left out.
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    as_of: Option<NaiveDate>,
}

/// Between which days.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Days {
    /// The first day; today if left out.
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    from: Option<NaiveDate>,
    /// The last day; today if left out.
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    until: Option<NaiveDate>,
}

impl Days {
    /// From and until, each today where it was left out.
    pub(super) fn of_today(self, today: NaiveDate) -> (NaiveDate, NaiveDate) {
        (self.from.unwrap_or(today), self.until.unwrap_or(today))
    }
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Entries {
    /// The first day.
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    from: Option<NaiveDate>,
    /// The last day.
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    until: Option<NaiveDate>,
    /// Only what posts on this account; `cash` means every drawer.
    #[param(max_length = 200)]
    account: Option<String>,
    /// `next` of the page before.
    #[param(max_length = 20, pattern = "^[0-9]{1,20}$")]
    cursor: Option<String>,
}

/// A posting by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewVoucher {
    /// `payout` (a provider has paid out to the bank), `banked` (cash of the safe was carried to the bank) or
    /// `out_of_suspense` (money in suspense is owed back to its payer).
    #[schema(examples("payout"))]
    kind: String,
    /// Which provider has paid out.
    provider: Option<String>,
    #[schema(examples("1234.50"))]
    amount: String,
    reason: String,
}

/// Why an entry is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewReversal {
    reason: String,
}

/// A posting by hand, on record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Voucher)]
pub(super) struct VoucherAnswer {
    number: String,
    kind: &'static str,
    /// The entry that it takes back.
    reverses: Option<u64>,
    amount: String,
    currency: &'static str,
    by: String,
    reason: String,
    at: String,
}

impl VoucherAnswer {
    fn of(voucher: &Voucher, zone: chrono_tz::Tz) -> Self {
        let (kind, reverses) = match voucher.what {
            HandPosting::Payout { .. } => ("payout", None),
            HandPosting::Banked => ("banked", None),
            HandPosting::OutOfSuspense => ("out_of_suspense", None),
            HandPosting::Reversal { of } => ("reversal", Some(of)),
        };
        Self {
            number: voucher.number.clone(),
            kind,
            reverses,
            amount: voucher.amount.amount(),
            currency: voucher.amount.currency().code(),
            by: voucher.by.clone(),
            reason: voucher.reason.clone(),
            at: wire::time(voucher.at, zone),
        }
    }
}

/// Reading the journal takes files: off the serving threads.
async fn blocked<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, BooksFault> + Send + 'static,
) -> Result<T, Problem> {
    let read = actix_web::web::block(read).await.map_err(|_| Problem::full("the box is ending"))?;
    Ok(read?)
}

/// The trial balance as of a day.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "books", params(AsOf),
    responses((status = 200, body = TrialBalanceAnswer), Problems))]
async fn accounts(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    asked: Query<AsOf>,
) -> Result<Json<TrialBalanceAnswer>, Problem> {
    caller.may(Permission::BooksRead)?;
    let desk = doors.desks.books.clone();
    let as_of = asked.0.as_of.unwrap_or_else(|| desk.today());
    let balance = blocked(move || desk.trial_balance(as_of)).await?;
    let items = balance.accounts.iter().filter(|one| !one.closing.is_zero() || !one.opening.is_zero());
    Ok(Json(TrialBalanceAnswer {
        as_of: balance.as_of.to_string(),
        position: balance.position,
        items: items.map(AccountAnswer::of).collect(),
    }))
}

/// What happened on an account: of a provider (`clearing:wechat`), a shift (`cash:...`), a merchant (`merchant:...`) or any
/// other; a name without detail means all of that name. At most 2,000 entries.
#[utoipa::path(get, path = "/api/v1/accounts/{account}", tag = "books", params(("account" = String, Path), Days),
    responses((status = 200, body = StatementAnswer), Problems))]
async fn statement(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    account: Path<String>,
    days: Query<Days>,
) -> Result<Json<StatementAnswer>, Problem> {
    caller.may(Permission::BooksRead)?;
    let desk = doors.desks.books.clone();
    let days = days.0.of_today(desk.today());
    let found = blocked(move || desk.statement(&account, days, MOST_OF_A_STATEMENT)).await?;
    Ok(Json(StatementAnswer {
        account: found.account,
        accounts: found.accounts.iter().map(AccountAnswer::of).collect(),
        entries: found.entries.iter().map(|entry| EntryAnswer::of(entry, doors.zone)).collect(),
    }))
}

/// Entries that post, in the order of the journal.
#[utoipa::path(get, path = "/api/v1/postings", tag = "books", params(Entries),
    responses((status = 200, body = EntriesAnswer), Problems))]
async fn postings(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    asked: Query<Entries>,
) -> Result<Json<EntriesAnswer>, Problem> {
    caller.may(Permission::BooksRead)?;
    let Entries { from, until, account, cursor } = asked.0;
    let mut fields = Fields::default();
    let after = cursor
        .and_then(|cursor| fields.read("?cursor", cursor.parse::<u64>().map_err(|_| "not a cursor of this list")));
    let short = |name: String| if name.chars().count() <= 200 { Ok(name) } else { Err("longer than 200 characters") };
    let account = account.and_then(|name| fields.read("?account", short(name)));
    fields.done()?;
    let desk = doors.desks.books.clone();
    let page = blocked(move || desk.entries(&Between { from, until, account }, after, PAGE)).await?;
    Ok(Json(EntriesAnswer {
        items: page.entries.iter().map(|entry| EntryAnswer::of(entry, doors.zone)).collect(),
        next: page.next.map(|next| next.to_string()),
    }))
}

/// Posts by hand what no event of the box tells: a payout, cash carried to the bank, money that leaves suspense.
#[utoipa::path(post, path = "/api/v1/postings", tag = "books", request_body = NewVoucher,
    responses((status = 201, body = VoucherAnswer), WriteProblems))]
async fn post(doors: Data<Arc<Doors>>, asked: Asked<NewVoucher>) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::BooksWrite)?;
    let body = &asked.body;
    let mut fields = Fields::default();
    let what = match body.kind.as_str() {
        "payout" => fields
            .text("/provider", body.provider.as_deref().unwrap_or_default(), 40)
            .map(|provider| HandPosting::Payout { provider }),
        "banked" => Some(HandPosting::Banked),
        "out_of_suspense" => Some(HandPosting::OutOfSuspense),
        _ => fields.read("/kind", Err::<HandPosting, _>("the kinds are payout, banked and out_of_suspense")),
    };
    let amount = more_than_nothing(&mut fields, "/amount", &body.amount, doors.currency);
    let reason = fields.text("/reason", &body.reason, 200);
    fields.done()?;
    let (Some(what), Some(amount), Some(reason)) = (what, amount, reason) else { return Err(Problem::broken()) };
    let voucher = doors.desks.books.post_by_hand(&asked.by(&reason), what, amount, &reason).await?;
    Ok(created("/api/v1/postings", &VoucherAnswer::of(&voucher, doors.zone)))
}

/// Takes an entry back that was posted by hand, once. Bills, shifts and payments are corrected where they are.
#[utoipa::path(post, path = "/api/v1/postings/{position}/reversals", tag = "books",
    params(("position" = u64, Path)), request_body = NewReversal,
    responses((status = 201, body = VoucherAnswer), WriteProblems))]
async fn reverse(
    doors: Data<Arc<Doors>>,
    position: Path<String>,
    asked: Asked<NewReversal>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::BooksWrite)?;
    let of = position.parse::<u64>().map_err(|_| Problem::unknown("there is no such entry"))?;
    let mut fields = Fields::default();
    let reason = fields.text("/reason", &asked.body.reason, 200);
    fields.done()?;
    let reason = reason.ok_or_else(Problem::broken)?;
    let nothing = tollhouse_core::money::Money::zero(doors.currency);
    let what = HandPosting::Reversal { of };
    let voucher = doors.desks.books.post_by_hand(&asked.by(&reason), what, nothing, &reason).await?;
    Ok(created("/api/v1/postings", &VoucherAnswer::of(&voucher, doors.zone)))
}

impl From<BooksFault> for Problem {
    fn from(fault: BooksFault) -> Self {
        if let BooksFault::TooMany(_) = fault {
            return Self::bad_request("too-many", "Too many entries", fault.to_string());
        }
        if let BooksFault::NoHolder(_) = fault {
            return Self::unknown("there is no such holder");
        }
        tracing::error!(%fault, "the books cannot be read");
        Self::broken()
    }
}

impl From<VoucherRefusal> for Problem {
    fn from(refusal: VoucherRefusal) -> Self {
        let detail = refusal.to_string();
        let (status, word, title) = match refusal {
            VoucherRefusal::Amount | VoucherRefusal::Reason => {
                (StatusCode::BAD_REQUEST, "invalid", "Not as it should be")
            }
            VoucherRefusal::NotThere { .. } => (StatusCode::CONFLICT, "not-there", "Not so much there"),
            VoucherRefusal::ReversedBefore(_) => (StatusCode::CONFLICT, "reversed", "Reversed before"),
            VoucherRefusal::NotByHand(_) => (StatusCode::CONFLICT, "not-by-hand", "Not posted by hand"),
            VoucherRefusal::Read(_) | VoucherRefusal::Money(_) => return Self::broken(),
        };
        Self::new(status, word, title, detail)
    }
}

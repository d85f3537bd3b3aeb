//! A card bill as programs read it: over HTTP, from commands. Money is a string beside a currency.
//! It must not know who asks.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tollhouse_core::books::Payee;
use tollhouse_core::charging::bills::{BillDay, BillRun, CardBill, CardLine, CreditNote, Nature, RunSums, Source};
use tollhouse_core::charging::calendar::Span;
use tollhouse_core::charging::gate::GateBill;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::record::Revision;
use utoipa::ToSchema;

/// RFC 3339 with milliseconds and the lot's offset.
fn time(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Millis, false)
}

fn amount(minor: i64, currency: Currency) -> String {
    Money::new(minor, currency).amount()
}

/// Days: the first, and the first day after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DaysView {
    /// The first day.
    pub from: NaiveDate,
    /// The first day after.
    pub until: NaiveDate,
}

impl From<Span> for DaysView {
    fn from(span: Span) -> Self {
        Self { from: span.from, until: span.until }
    }
}

/// A card's bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BillView {
    /// Its id; its pay page has the same.
    #[schema(example = "3v8q0k5d2f7m9x1c4b6n8r0t2w")]
    pub id: String,
    /// `periodic` or `independent`.
    #[schema(example = "periodic")]
    pub kind: String,
    /// The card.
    #[schema(example = "C-0001")]
    pub card: String,
    /// Who owes it.
    #[schema(example = "H-0001")]
    pub holder: String,
    /// The room: building-unit-room.
    #[schema(example = "3-2-1201")]
    pub room: Option<String>,
    /// The period or term.
    pub period: Option<DaysView>,
    /// When it counts as issued.
    pub issued_on: NaiveDate,
    /// The last day on which it can be paid without being late.
    pub due_on: NaiveDate,
    /// `open`, `part_paid`, `paid`, `void`, `refunded` or `written_off`.
    #[schema(example = "open")]
    pub state: String,
    /// Whether something is due and the due date is over.
    pub overdue: bool,
    /// ISO 4217.
    #[schema(example = "CNY")]
    pub currency: String,
    /// All that is owed after credits, with the late fee.
    #[schema(example = "310.00")]
    pub total: String,
    /// Accepted.
    #[schema(example = "0.00")]
    pub paid: String,
    /// Still due.
    #[schema(example = "310.00")]
    pub due: String,
    /// What of it is tax.
    #[schema(example = "17.55")]
    pub tax: String,
    /// The late fee in it.
    #[schema(example = "0.00")]
    pub late_fee: String,
    /// Line by line.
    pub lines: Vec<LineView>,
    /// Where it has arrived.
    pub reached: ReachedView,
}

/// A line of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineView {
    /// In Chinese.
    #[schema(example = "车位管理费 B1-001 2026-01-01至2026-01-31")]
    pub text_zh: String,
    /// In English.
    #[schema(example = "Space management B1-001 2026-01-01 to 2026-01-31")]
    pub text_en: String,
    /// For which place: `space/B1-001`, `pool/monthly/1`, `card`.
    pub place: String,
    /// The fee item or package that it comes from.
    pub source: String,
    /// The days billed.
    pub days: Option<DaysView>,
    /// What it came to.
    pub amount: String,
    /// Of that owed no longer.
    pub credited: String,
    /// Accepted for it.
    pub paid: String,
    /// `service`, `at_once`, `deposit`, `cancellation` or `opening`.
    pub nature: String,
    /// `firm`, or `owners`: the owners' public income.
    pub payee: String,
    /// Its tax rate.
    #[schema(example = "0.06")]
    pub tax_rate: String,
}

/// When each part of the box had the bill as it now is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReachedView {
    /// The gate, as a pass; null: it has not followed yet.
    pub gate: Option<String>,
    /// Payment, as something payable.
    pub payment: Option<String>,
    /// The card.
    pub card: Option<String>,
}

impl BillView {
    /// Of a bill, as of a day of the lot. `revision` is the entry that last wrote it, `gate` what the gate has of it.
    pub fn new(bill: &CardBill, revision: Revision, gate: Option<&GateBill>, today: NaiveDate, zone: Tz) -> Self {
        let mut bill = bill.clone();
        bill.accrue(today);
        let when = |at: Option<DateTime<Utc>>| at.map(|at| time(at, zone));
        let gate = gate.filter(|gate| gate.of == revision).map(|gate| gate.at);
        Self {
            id: bill.id.to_string(),
            kind: bill.kind.as_str().to_owned(),
            card: bill.heading.card.to_string(),
            holder: bill.heading.payer.to_string(),
            room: bill.heading.room.as_ref().map(ToString::to_string),
            period: bill.period.map(DaysView::from),
            issued_on: bill.issued_on,
            due_on: bill.due_on,
            state: bill.state().as_str().to_owned(),
            overdue: bill.is_overdue(today),
            currency: bill.currency().code().to_owned(),
            total: bill.total().amount(),
            paid: bill.paid().amount(),
            due: bill.due().amount(),
            tax: bill.tax().amount(),
            late_fee: bill.late_fee().amount(),
            lines: bill.lines.iter().map(LineView::new).collect(),
            reached: ReachedView {
                gate: when(bill.reached.gate.or(gate)),
                payment: when(bill.reached.payment),
                card: when(bill.reached.card),
            },
        }
    }
}

impl LineView {
    fn new(line: &CardLine) -> Self {
        let credited: i64 = line.credited.iter().map(|one| one.amount.minor()).sum();
        let nature = match line.nature {
            Nature::Service => "service",
            Nature::AtOnce => "at_once",
            Nature::Deposit => "deposit",
            Nature::Cancellation => "cancellation",
            Nature::Opening => "opening",
        };
        Self {
            text_zh: line.text.zh.clone(),
            text_en: line.text.en.clone(),
            place: line.place.to_string(),
            source: match &line.source {
                Source::Item(item) => item.to_string(),
                Source::Package(package) => package.to_string(),
            },
            days: line.days.map(|days| days.span.into()),
            amount: line.amount.amount(),
            credited: amount(credited, line.amount.currency()),
            paid: line.paid.amount(),
            nature: nature.to_owned(),
            payee: match line.tax.payee {
                Payee::Firm => "firm",
                Payee::Owners => "owners",
            }
            .to_owned(),
            tax_rate: line.tax.rate.to_string(),
        }
    }
}

/// A credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditNoteView {
    /// Its id.
    pub id: String,
    /// Owed no longer.
    pub amount: String,
    /// Of that had been paid, and came free.
    pub freed: String,
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

impl CreditNoteView {
    /// Of a credit note.
    pub fn new(note: &CreditNote, zone: Tz) -> Self {
        Self {
            id: note.id.to_string(),
            amount: note.amount.amount(),
            freed: note.freed.amount(),
            at: time(note.note.at, zone),
            by: note.note.by.clone(),
            why: note.note.why.clone(),
        }
    }
}

/// What a run did or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunSumsView {
    /// Cards looked at.
    pub cards: u64,
    /// Bills drawn.
    pub bills: u64,
    /// What they come to.
    pub amount: String,
    /// Of it tax.
    pub tax: String,
    /// Of it the owners' public income.
    pub owners: String,
    /// Credit notes for days that were billed and should not be.
    pub credit_notes: u64,
    /// What they come to.
    pub credited: String,
    /// Cards left for a person.
    pub parked: u64,
    /// The first of them.
    pub parked_cards: Vec<ParkedView>,
}

/// A card that a run left for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParkedView {
    /// Which.
    pub card: String,
    /// Why.
    pub why: String,
}

impl RunSumsView {
    /// Of sums.
    pub fn new(sums: &RunSums, currency: Currency) -> Self {
        let parked = sums.parked_cards.iter();
        Self {
            cards: sums.cards,
            bills: sums.bills,
            amount: amount(sums.drawn_minor, currency),
            tax: amount(sums.tax_minor, currency),
            owners: amount(sums.owners_minor, currency),
            credit_notes: sums.credit_notes,
            credited: amount(sums.credited_minor, currency),
            parked: sums.parked,
            parked_cards: parked.map(|one| ParkedView { card: one.card.to_string(), why: one.why.clone() }).collect(),
        }
    }
}

/// A bill run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunView {
    /// As of which day it draws.
    pub as_of: NaiveDate,
    /// `running` or `done`.
    #[schema(example = "done")]
    pub state: String,
    /// When it began.
    pub began_at: String,
    /// When it was through.
    pub ended_at: Option<String>,
    /// ISO 4217.
    #[schema(example = "CNY")]
    pub currency: String,
    /// What it did.
    pub sums: RunSumsView,
}

impl RunView {
    /// Of a run.
    pub fn new(run: &BillRun, currency: Currency, zone: Tz) -> Self {
        Self {
            as_of: run.as_of,
            state: if run.ended_at.is_some() { "done" } else { "running" }.to_owned(),
            began_at: time(run.began_at, zone),
            ended_at: run.ended_at.map(|at| time(at, zone)),
            currency: currency.code().to_owned(),
            sums: RunSumsView::new(&run.sums, currency),
        }
    }
}

/// The figures of temporary bills on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayView {
    /// Which of the lot's days, by posting time.
    pub day: NaiveDate,
    /// When it was closed; null: it is open, and grows.
    pub closed_at: Option<String>,
    /// The last entry of the journal that is in it.
    pub position: Revision,
    /// ISO 4217.
    #[schema(example = "CNY")]
    pub currency: String,
    /// Bills drawn.
    pub drawn: u64,
    /// Lines appended to bills that were drawn before.
    pub appended: u64,
    /// Bills settled, withdrawn or given up.
    pub closed: u64,
    /// Charged by drawing and appending.
    pub charged: String,
    /// Tax of that.
    pub tax: String,
    /// Payments accepted.
    pub payments: u64,
    /// What they came to.
    pub paid: String,
    /// The same by how it was paid.
    pub paid_by: Vec<PaidByView>,
    /// Refunds done.
    pub refunds: u64,
    /// What they came to.
    pub refunded: String,
}

/// Money by how it was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaidByView {
    /// A provider's name, `cash`, or `other`.
    pub by: String,
    /// How much.
    pub amount: String,
}

impl DayView {
    /// Of a day.
    pub fn new(day: &BillDay, zone: Tz) -> Self {
        let (figures, currency) = (&day.figures, day.currency);
        let paid_by = figures.paid_by_minor.iter();
        Self {
            day: day.day,
            closed_at: day.closed_at.map(|at| time(at, zone)),
            position: day.position,
            currency: currency.code().to_owned(),
            drawn: figures.drawn,
            appended: figures.appended,
            closed: figures.closed,
            charged: amount(figures.charged_minor, currency),
            tax: amount(figures.tax_minor, currency),
            payments: figures.payments,
            paid: amount(figures.paid_minor, currency),
            paid_by: paid_by
                .map(|(by, minor)| PaidByView { by: by.clone(), amount: amount(*minor, currency) })
                .collect(),
            refunds: figures.refunds,
            refunded: amount(figures.refunded_minor, currency),
        }
    }
}

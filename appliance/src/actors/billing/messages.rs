//! What others may ask of billing.

use actix::Message;
use chrono::{DateTime, Utc};
use tollhouse_core::id::BillId;
use tollhouse_core::money::Money;
use tollhouse_core::plate::Plate;
use tollhouse_core::words::Words;

use crate::actors::payment::messages::PayProblem;

/// What does the car that waits at this lane owe? `lane_code` is what the lane's QR code says.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<PayView, PayProblem>")]
pub struct AskLane {
    /// The lane's public code.
    pub lane_code: String,
}

/// What does this car, still inside, owe? Cards, absent and unknown plates answer alike: nothing due.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<PayView, PayProblem>")]
pub struct AskPlate {
    /// The car.
    pub plate: Plate,
    /// The token of a QR code inside the lot.
    pub token: String,
}

/// What does this bill stand at? For a page that stays with its bill.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<PayView, PayProblem>")]
pub struct AskBill {
    /// Which bill.
    pub bill: BillId,
}

/// What a phone shows of a bill.
#[derive(Debug, Clone, PartialEq)]
pub struct PayView {
    /// The bill; `None` when nothing was ever due.
    pub bill: Option<BillId>,
    /// The car.
    pub plate: Plate,
    /// When it came in.
    pub entered_at: Option<DateTime<Utc>>,
    /// When it stood at the exit; `None` while it is inside.
    pub exited_at: Option<DateTime<Utc>>,
    /// All that was ever due.
    pub total: Money,
    /// What has been paid of it.
    pub paid: Money,
    /// What is still due.
    pub amount: Money,
    /// Line by line.
    pub lines: Vec<(Words, Money)>,
    /// How it stands.
    pub state: PayState,
    /// Paid early: out by then, or more is due.
    pub leave_by: Option<DateTime<Utc>>,
}

/// How a bill stands for the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayState {
    /// Something is due.
    Due,
    /// All is paid.
    Paid,
    /// Nothing was due.
    NothingDue,
}

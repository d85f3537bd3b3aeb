//! Cases of payment: money that waits for a person. A refund that the provider cannot make, and money that came and fits no order.
//! Who has a case, and what came of it, stands with the cases of reconciliation.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Order, Payment, Refund};
use crate::id::{OrderId, RefundId};
use crate::money::Money;
use crate::reconciliation::{Handling, HandlingState};
use crate::record::{Change, ReadError, Record, Records, Table};
use crate::words::Words;

/// What a person has to see to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentCaseKind {
    /// The payer's account does not take the refund, or it does not come to an end.
    RefundStuck,
    /// Money came that fits no order.
    Suspense,
}

impl PaymentCaseKind {
    /// The word in records and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RefundStuck => "refund_stuck",
            Self::Suspense => "suspense",
        }
    }

    /// What to do, for people.
    pub fn words(self) -> Words {
        match self {
            Self::RefundStuck => Words::new(
                "退款异常，请在商户平台处理（异常退款），系统会继续查询结果",
                "A refund is stuck: act in the provider's console; the box goes on asking how it stands",
            ),
            Self::Suspense => Words::new(
                "收到无法匹配的款项，请查明归属后从待查款项转出",
                "Money came that fits no order: find out whose it is, and move it out of suspense",
            ),
        }
    }
}

/// Money that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCase {
    /// Kind, and what tells it from others of its kind.
    pub id: String,
    /// What it is.
    pub kind: PaymentCaseKind,
    /// When it was noted.
    pub at: DateTime<Utc>,
    /// Of which order.
    pub order: OrderId,
    /// Which refund is stuck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundId>,
    /// Which payment is in suspense, by its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// How much.
    pub amount: Money,
}

impl Record for PaymentCase {
    const TABLE: Table = Table::PaymentCases;
    fn key(&self) -> String {
        self.id.clone()
    }
}

impl PaymentCase {
    fn id_of_refund(refund: RefundId) -> String {
        format!("{}-{refund}", PaymentCaseKind::RefundStuck.as_str())
    }
}

/// Notes that a refund needs a person.
pub(super) fn note_stuck(refund: &Refund, change: &mut Change) {
    change.put(&PaymentCase {
        id: PaymentCase::id_of_refund(refund.id),
        kind: PaymentCaseKind::RefundStuck,
        at: change.at,
        order: refund.order,
        refund: Some(refund.id),
        payment: None,
        amount: refund.amount,
    });
}

/// Notes that money is in suspense. An order takes one payment; a second one that fits it no better is a case of its own.
pub(super) fn note_suspense(order: &Order, payment: &Payment, change: &mut Change) {
    // Transactions are words of the provider's; in an id only plain characters have a place.
    let plain: String = payment.transaction.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    change.put(&PaymentCase {
        id: format!("{}-{}-{plain}", PaymentCaseKind::Suspense.as_str(), payment.provider),
        kind: PaymentCaseKind::Suspense,
        at: change.at,
        order: order.id,
        refund: None,
        payment: Some(payment.key()),
        amount: payment.suspense,
    });
}

/// A refund that was stuck is done: its case is settled, whoever had it.
pub(super) fn settle_stuck(refund: &Refund, change: &mut Change, records: &impl Records) -> Result<(), ReadError> {
    let id = PaymentCase::id_of_refund(refund.id);
    if records.get::<PaymentCase>(&id)?.is_none() {
        return Ok(());
    }
    let kept = records.get::<Handling>(&id)?;
    change.rely_on(&id, kept.as_ref());
    let mut handling = kept.map_or_else(|| Handling::untouched(&id), |kept| kept.record);
    if handling.state != HandlingState::Resolved {
        handling.state = HandlingState::Resolved;
        handling.note(change.at, "box", "the provider has given the money back");
        change.put(&handling);
    }
    Ok(())
}

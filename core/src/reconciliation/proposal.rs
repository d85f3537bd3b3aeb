//! What to do about a difference, as a word for programs and a sentence for people.

use serde::{Deserialize, Serialize};

use super::{Class, Kind};
use crate::words::Words;

/// What is proposed for a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proposal {
    /// Book the payment from the statement: its order is known.
    Capture,
    /// Book that the refund is done.
    RefundDone,
    /// Find out whose order it is: no order of this number is on record.
    FindOrder,
    /// Ask the provider why its statement lacks the row.
    AskProvider,
    /// Correct the amount by a reversal, or claim the rest from the provider.
    SettleAmount,
    /// Have the provider take the second row out, or give the second payment back.
    ClearTwice,
    /// Find out how another merchant's row came here: a security event.
    Investigate,
    /// Say what the refund was for, so that its amount leaves suspense.
    ExplainRefund,
}

impl Proposal {
    /// The sentence for people.
    pub fn words(self) -> Words {
        let (zh, en) = match self {
            Self::Capture => ("按对账单补记该笔收款", "Book the payment from the statement"),
            Self::RefundDone => ("按对账单确认退款已到账", "Book that the refund is done"),
            Self::FindOrder => ("系统无此订单，请查明来源后归属", "No such order is on record: find out whose it is"),
            Self::AskProvider => ("渠道对账单缺少该笔，请向渠道核实", "Ask the provider why its statement lacks this"),
            Self::SettleAmount => ("金额不一致，请核实后冲正或追补", "The amounts differ: reverse, or claim the rest"),
            Self::ClearTwice => {
                ("对账单重复，请渠道更正或退回重复款", "It stands twice: have it corrected or given back")
            }
            Self::Investigate => ("非本商户交易，请立即排查", "Another merchant's: find out how it came here"),
            Self::ExplainRefund => ("渠道后台退款，请说明原因并转出待查", "Refunded in the console: say what for"),
        };
        Words::new(zh, en)
    }
}

/// Whether an order of the row's number is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderOf {
    /// It is.
    Known,
    /// It is not.
    Unknown,
}

/// What to do about rows of a class.
pub fn proposal(class: Class, kind: Kind, order: OrderOf) -> Option<Proposal> {
    Some(match (class, kind) {
        (Class::Matched | Class::CarriedToNextDay, _) => return None,
        (Class::MissingWithUs, _) if order == OrderOf::Unknown => Proposal::FindOrder,
        (Class::MissingWithUs, Kind::Paid) => Proposal::Capture,
        (Class::MissingWithUs, Kind::Refund | Kind::Reversed) => Proposal::RefundDone,
        (Class::MissingWithThem, _) => Proposal::AskProvider,
        (Class::AmountDiffers | Class::RefundDiffers, _) => Proposal::SettleAmount,
        (Class::Twice, _) => Proposal::ClearTwice,
        (Class::Foreign, _) => Proposal::Investigate,
        (Class::RefundedInConsole, _) => Proposal::ExplainRefund,
    })
}

//! Who an invoice is made out to. Every text comes from outside, has a limit, and is personal.

use serde::{Deserialize, Serialize};

use super::uscc::Uscc;
use crate::record::Change;

/// The longest title or address, in characters (the tax office's form takes 100).
const MOST_CHARS: usize = 100;

/// Person or firm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuyerKind {
    /// 个人
    Person,
    /// 单位
    Firm,
}

/// The buyer (购买方).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    /// Person or firm.
    pub kind: BuyerKind,
    /// 名称: the title.
    pub title: String,
    /// 统一社会信用代码; a firm has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uscc: Option<Uscc>,
    /// 地址
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// 电话
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// 开户行及账号
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bank: String,
    /// Where the document may be sent: an e-mail address or a mobile number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub send_to: String,
}

/// What is wrong with a buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuyerFault {
    /// No title.
    #[error("the buyer needs a title of 1 to 100 characters")]
    Title,
    /// A firm without its number.
    #[error("a firm needs its unified social credit code (18 characters)")]
    NoUscc,
    /// A text beyond its limit.
    #[error("address, phone, bank and where to send it have at most 100 characters each")]
    TooLong,
}

fn is_plain(text: &str) -> bool {
    text.chars().count() <= MOST_CHARS && !text.chars().any(char::is_control)
}

impl Buyer {
    /// What is wrong with it, the first thing first.
    pub fn check(&self) -> Result<(), BuyerFault> {
        if self.title.trim().is_empty() || !is_plain(&self.title) {
            return Err(BuyerFault::Title);
        }
        if self.kind == BuyerKind::Firm && self.uscc.is_none() {
            return Err(BuyerFault::NoUscc);
        }
        let others = [&self.address, &self.phone, &self.bank, &self.send_to];
        if others.into_iter().all(|text| is_plain(text)) { Ok(()) } else { Err(BuyerFault::TooLong) }
    }

    /// Marks its texts as personal.
    pub(super) fn mark(&self, change: &mut Change) {
        let texts = [&self.title, &self.address, &self.phone, &self.bank, &self.send_to];
        for text in texts.into_iter().filter(|text| !text.is_empty()) {
            change.personal(text);
        }
        if let Some(uscc) = &self.uscc {
            change.personal(&uscc.to_string());
        }
    }
}

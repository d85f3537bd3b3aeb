//! What stands on the lot's invoices and receipts: who receives the money, and how they are written. Configuration.

use serde::{Deserialize, Serialize};

use super::open::Seller;

/// Who receives money, as documents name them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SellerTitle {
    /// The title; empty: the lot's name stands in for it.
    pub title: String,
    /// The unified social credit code.
    pub tax_number: String,
    /// Address and telephone number.
    pub address: String,
    /// Bank and account.
    pub bank: String,
}

/// What documents of the lot need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Documents {
    /// The firm.
    pub firm: SellerTitle,
    /// The owners, for their public income.
    pub owners: SellerTitle,
    /// The font file; `None`: the first of the usual ones.
    pub font: Option<String>,
    /// How phones reach the box: stands in a receipt's QR code.
    pub public_url: Option<String>,
}

impl Documents {
    /// Who receives money of this kind.
    pub fn seller(&self, seller: Seller) -> &SellerTitle {
        match seller {
            Seller::Firm => &self.firm,
            Seller::Owners => &self.owners,
        }
    }
}

//! What the calls of merchants, coupons and discounts have in common: what a reduction is worth, as it is written, who may
//! see which merchant, and which refusal has which status.

use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use tollhouse_core::charging::label::MerchantId;
use tollhouse_core::coupons::{CouponRefusal, FreeRefusal, Merchant, Worth};
use tollhouse_core::money::Currency;
use tollhouse_core::record::Records as _;
use tollhouse_core::user::Permission;
use utoipa::ToSchema;

use super::{Caller, Fields};
use crate::coupons::ShownTaken;
use crate::http::doors::Doors;
use crate::http::problem::Problem;

/// What a reduction is worth.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Worth)]
pub(super) struct WorthBody {
    /// `minutes`, `amount`, `percent` or `free`.
    #[schema(pattern = "^(minutes|amount|percent|free)$")]
    kind: String,
    /// So many minutes; with `minutes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 43200)]
    minutes: Option<u32>,
    /// So much of the fee, in the lot's currency; with `amount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("5.00"))]
    amount: Option<String>,
    /// So many hundredths of the fee; with `percent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    percent: Option<u8>,
}

impl WorthBody {
    /// What it says.
    pub(super) fn read(&self, pointer: &str, fields: &mut Fields, currency: Currency) -> Option<Worth> {
        let worth = match (self.kind.as_str(), self.minutes, &self.amount, self.percent) {
            ("minutes", Some(minutes), None, None) => Some(Worth::Minutes(minutes)),
            ("amount", None, Some(amount), None) => {
                Some(Worth::Amount(fields.money(&format!("{pointer}/amount"), amount, currency)?))
            }
            ("percent", None, None, Some(percent)) => Some(Worth::Percent(percent)),
            ("free", None, None, None) => Some(Worth::Free),
            _ => None,
        };
        let says = "a worth is minutes, amount, percent or free, with the one field of that name (free has none)";
        let sound = worth.filter(|worth| worth.is_sound()).ok_or(says);
        fields.read(pointer, sound)
    }

    pub(super) fn of(worth: Worth) -> Self {
        let none = Self { kind: "free".to_owned(), minutes: None, amount: None, percent: None };
        match worth {
            Worth::Minutes(minutes) => Self { kind: "minutes".to_owned(), minutes: Some(minutes), ..none },
            Worth::Amount(amount) => Self { kind: "amount".to_owned(), amount: Some(amount.amount()), ..none },
            Worth::Percent(percent) => Self { kind: "percent".to_owned(), percent: Some(percent), ..none },
            Worth::Free => none,
        }
    }
}

/// What a reduction has done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reduction)]
pub(super) struct TakenAnswer {
    /// The reduction.
    id: String,
    /// The stay that has it now.
    stay: String,
    /// The stay's bill, where it is on record already.
    bill: Option<String>,
    /// What the reduction takes off as of now; it may become more while the fee grows.
    #[schema(examples("5.00"))]
    value: String,
    /// What is due as of now.
    due: String,
    /// ISO 4217.
    currency: &'static str,
}

impl TakenAnswer {
    pub(super) fn of(taken: &ShownTaken) -> Self {
        Self {
            id: taken.id.to_string(),
            stay: taken.stay.to_string(),
            bill: taken.bill.map(|bill| bill.to_string()),
            value: taken.value.amount(),
            due: taken.due.amount(),
            currency: taken.due.currency().code(),
        }
    }
}

/// Whether a caller sees a merchant: with the permission all of them, as a merchant its own.
pub(super) fn sees(caller: &Caller, merchant: &Merchant) -> bool {
    let own = || merchant.accounts.iter().any(|account| account.as_str() == caller.name());
    caller.has(Permission::MerchantsRead) || (caller.has(Permission::MerchantOwn) && own())
}

/// The merchant of this name, for who may see it; another's is as unknown as none.
pub(super) fn seen(doors: &Doors, caller: &Caller, name: &str) -> Result<MerchantId, Problem> {
    if !caller.has(Permission::MerchantsRead) {
        caller.may(Permission::MerchantOwn)?;
    }
    let kept = doors.desks.records().get::<Merchant>(name)?;
    let merchant = kept.filter(|kept| sees(caller, &kept.record)).ok_or(CouponRefusal::NoSuch("merchant"))?;
    Ok(merchant.record.id)
}

impl From<CouponRefusal> for Problem {
    fn from(refusal: CouponRefusal) -> Self {
        use CouponRefusal as R;
        let detail = refusal.to_string();
        let (status, word, title) = match &refusal {
            R::Unknown | R::NoSuch(_) => (StatusCode::NOT_FOUND, "unknown", "Not known"),
            R::NotInside => (StatusCode::NOT_FOUND, "not-inside", "Not inside"),
            R::Unsound(_) => (StatusCode::BAD_REQUEST, "invalid", "Not as it should be"),
            R::AboveLimit(_) => (StatusCode::FORBIDDEN, "over-limit", "Over your limit"),
            R::Early(_) | R::Late(_) => (StatusCode::CONFLICT, "not-valid-now", "Not valid now"),
            R::Used => (StatusCode::CONFLICT, "used", "Used before"),
            R::Void | R::NoStock | R::Closed => (StatusCode::CONFLICT, "withdrawn", "Not taken"),
            R::NotCharged | R::NothingDue | R::TakesNothingOff => {
                (StatusCode::CONFLICT, "nothing-due", "Nothing to take off")
            }
            R::TooMany => (StatusCode::CONFLICT, "too-many", "Too many"),
            R::Limit(_) | R::Balance { .. } => (StatusCode::CONFLICT, "merchant-limit", "The merchant's limit"),
            R::Read(_) | R::Money(_) | R::Price(_) => {
                tracing::error!(fault = %detail, "a reduction cannot be reckoned");
                return Self::broken();
            }
        };
        Self::new(status, word, title, detail)
    }
}

impl From<FreeRefusal> for Problem {
    fn from(refusal: FreeRefusal) -> Self {
        let detail = refusal.to_string();
        let (status, word, title) = match &refusal {
            FreeRefusal::Blocked => (StatusCode::CONFLICT, "blocked", "On the block list"),
            FreeRefusal::NotListed => (StatusCode::NOT_FOUND, "unknown", "Not known"),
            FreeRefusal::End | FreeRefusal::Note => (StatusCode::BAD_REQUEST, "invalid", "Not as it should be"),
            FreeRefusal::Read(_) => return Self::broken(),
        };
        Self::new(status, word, title, detail)
    }
}

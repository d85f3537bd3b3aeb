//! The JSON of the public calls (contracts.md, 'What a driver's phone needs'), and how times and money are written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde::{Deserialize, Serialize};
use tollhouse_core::arrears::Owed;
use tollhouse_core::money::Money;
use tollhouse_core::words::Language;
use tollhouse_providers::wechat::BridgeCall;
use utoipa::ToSchema;

use super::pay_arrears;
use crate::actors::billing::messages::{PayState, PayView};
use crate::actors::payment::messages::{OrderState, OrderView, PayAction};

/// RFC 3339 with milliseconds and the lot's offset.
pub(super) fn time(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Millis, false)
}

/// What a car owes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PayAnswer {
    /// The bill; null when nothing was ever due.
    bill_id: Option<String>,
    /// The car's plate.
    #[schema(examples("粤C12345"))]
    plate: String,
    /// When it came in, RFC 3339 with the lot's offset.
    entered_at: Option<String>,
    /// When it stood at the exit; null while it is inside.
    exited_at: Option<String>,
    /// All that was ever due.
    #[schema(examples("15.00"))]
    total: String,
    /// What has been paid of it.
    #[schema(examples("0.00"))]
    paid: String,
    /// What is still due.
    #[schema(examples("15.00"))]
    amount: String,
    /// ISO 4217.
    #[schema(examples("CNY"))]
    currency: &'static str,
    /// Line by line, in the language of the request.
    lines: Vec<LineAnswer>,
    /// How it stands.
    state: StateWord,
    /// Once paid early: out by then, or more is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    leave_by: Option<String>,
    /// What the car still owes of earlier visits: bills of their own, paid beside this one and never mixed with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arrears: Vec<OwedAnswer>,
}

/// What is owed of an earlier visit.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwedAnswer {
    /// Its bill, to be paid like any other.
    bill_id: String,
    /// When the car came then.
    entered_at: String,
    /// When it left, as far as known.
    left_at: Option<String>,
    /// How it got away.
    how: String,
    /// Where the picture of the car is that left, if a camera sent one.
    picture: Option<String>,
    /// What is still due of it.
    #[schema(examples("10.00"))]
    amount: String,
}

impl OwedAnswer {
    /// Of a claim, and where its picture is.
    pub(super) fn of(owed: &Owed, picture: Option<String>, zone: Tz, language: Language) -> Self {
        Self {
            bill_id: owed.bill.id.to_string(),
            entered_at: time(owed.claim.entered_at, zone),
            left_at: owed.claim.left_at.map(|at| time(at, zone)),
            how: pay_arrears::how(owed.claim.how).in_language(language).to_owned(),
            picture,
            amount: owed.bill.due().amount(),
        }
    }
}

/// One line of a bill.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LineAnswer {
    /// What it is for.
    text: String,
    /// How much.
    amount: String,
}

/// How a bill stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StateWord {
    /// Something is due.
    Due,
    /// All is paid.
    Paid,
    /// Nothing was due.
    NothingDue,
}

impl PayAnswer {
    pub(super) fn new(view: &PayView, owed: Vec<OwedAnswer>, zone: Tz, language: Language) -> Self {
        let when = |at: Option<DateTime<Utc>>| at.map(|at| time(at, zone));
        let line = |(words, money): &(tollhouse_core::words::Words, Money)| LineAnswer {
            text: words.in_language(language).to_owned(),
            amount: money.amount(),
        };
        Self {
            bill_id: view.bill.map(|bill| bill.to_string()),
            plate: view.plate.to_string(),
            entered_at: when(view.entered_at),
            exited_at: when(view.exited_at),
            total: view.total.amount(),
            paid: view.paid.amount(),
            amount: view.amount.amount(),
            currency: view.amount.currency().code(),
            lines: view.lines.iter().map(line).collect(),
            state: match view.state {
                PayState::Due => StateWord::Due,
                PayState::Paid => StateWord::Paid,
                PayState::NothingDue => StateWord::NothingDue,
            },
            leave_by: when(view.leave_by),
            arrears: owed,
        }
    }
}

/// Through whom a bill is to be paid.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct OrderRequest {
    /// `sandbox`, `wechat`, `alipay`.
    #[schema(examples("sandbox"))]
    pub(super) provider: String,
    /// `jsapi`, `h5`, `native`, `wap`, `precreate` or `page`; left out, the browser decides.
    #[serde(default)]
    pub(super) way: Option<String>,
    /// What WeChat's sign-in sent the browser back with: for `jsapi`.
    #[serde(default)]
    pub(super) code: Option<String>,
    /// An order of this phone that this one takes the place of: it is closed first.
    #[serde(default)]
    pub(super) instead_of: Option<String>,
}

/// An order that can be paid.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrderAnswer {
    /// Its id.
    order_id: String,
    /// Until when it can be paid.
    expires_at: String,
    /// What it is about.
    #[schema(examples("15.00"))]
    amount: String,
    /// ISO 4217.
    #[schema(examples("CNY"))]
    currency: &'static str,
    /// What the phone has to do.
    action: ActionAnswer,
}

/// What the phone has to do to pay.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum ActionAnswer {
    /// Open this address.
    Redirect {
        /// The address.
        url: String,
    },
    /// Show this text as a QR code.
    Qr {
        /// The text.
        text: String,
        /// The code, as the address of a picture.
        image: String,
    },
    /// Hand this to WeChat's browser: `WeixinJSBridge.invoke('getBrandWCPayRequest', request)`.
    Jsapi {
        /// The arguments of the call.
        #[schema(value_type = Object)]
        request: BridgeCall,
    },
}

impl OrderAnswer {
    pub(super) fn new(order: OrderView, zone: Tz) -> Self {
        Self {
            order_id: order.order.to_string(),
            expires_at: time(order.expires_at, zone),
            amount: order.amount.amount(),
            currency: order.amount.currency().code(),
            action: match order.action {
                PayAction::Redirect(url) => ActionAnswer::Redirect { url },
                PayAction::Qr(text) => ActionAnswer::Qr { image: qr_image(&text), text },
                PayAction::Bridge(request) => ActionAnswer::Jsapi { request },
            },
        }
    }
}

/// A QR code as the address of a picture; empty when the text is too long for one.
fn qr_image(text: &str) -> String {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else { return String::new() };
    let picture = code.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(picture))
}

/// How an order stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrderStateAnswer {
    /// `pending`, `paid`, `expired`, `closed`, `refunded`.
    #[schema(examples("pending"))]
    pub(super) state: &'static str,
}

/// The word of an order's state.
pub(super) fn order_word(state: OrderState) -> &'static str {
    match state {
        OrderState::Pending => "pending",
        OrderState::Paid => "paid",
        OrderState::Expired => "expired",
        OrderState::Closed => "closed",
        OrderState::Refunded => "refunded",
    }
}

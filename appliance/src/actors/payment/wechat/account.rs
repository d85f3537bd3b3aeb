//! One merchant number at WeChat Pay: which request is sent for an order, a refund or a statement, and what its answer means.
//! It must not know books or records.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use tollhouse_core::books::Payee;
use tollhouse_core::pay::{Heard, Order, Refund, Way};
use tollhouse_providers::limits::STATEMENT_PACKED_BYTES;
use tollhouse_providers::wechat::{self as wire, ApiV3Key, Call, Merchant, Requests};
use tollhouse_providers::{OrderNumber, PaymentCode, RefundNumber, RequestError};

use super::speaker::Speaker;
use super::{WECHAT, heard, number, ours, refused, unsound};
use crate::actors::payment::line::{Line, Size};
use crate::actors::payment::messages::PayAction;
use crate::actors::payment::provider::{Answer, CodeAnswer, Notified, Provider, ProviderError, RefundAt, StatementAt};
use crate::actors::payment::reach::Reach;
use crate::clock::BoxClock;

pub use super::speaker::PlatformKeys;

/// A number that no order has: asking about it costs nothing and tells whether WeChat Pay answers.
const NOBODYS_NUMBER: &str = "PROBE000000";
/// The most of an answer about who a payer is.
const PAYER_BYTES: usize = 16 << 10;

/// Who we are at WeChat Pay, whole.
pub struct Identity {
    /// Whose money goes there.
    pub payee: Payee,
    /// In which ways it is paid.
    pub ways: Vec<Way>,
    /// The merchant, with its private key.
    pub merchant: Merchant,
    /// The APIv3 key.
    pub api_key: ApiV3Key,
    /// The platform's keys.
    pub platform: PlatformKeys,
    /// The public account's secret: without it nobody pays inside WeChat.
    pub app_secret: Option<String>,
    /// The gateway.
    pub base: String,
    /// Where a code is exchanged for who the payer is.
    pub payers_base: String,
    /// Where WeChat's browser signs in.
    pub sign_in_base: String,
}

/// The account.
pub struct WeChat {
    payee: Payee,
    ways: Vec<Way>,
    app_secret: Option<String>,
    sign_in_base: String,
    payers: Line,
    pub(super) speaker: Speaker,
}

/// Why there is no account.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The line.
    #[error(transparent)]
    Line(#[from] crate::actors::payment::line::LineError),
    /// What stands in the configuration.
    #[error(transparent)]
    Request(#[from] RequestError),
}

impl WeChat {
    /// An account.
    pub fn new(identity: Identity, clock: BoxClock) -> Result<Self, AccountError> {
        let (line, payers) = (Line::to(&identity.base)?, Line::to(&identity.payers_base)?);
        let sign_in_base = crate::actors::payment::line::checked_base(&identity.sign_in_base)?;
        let Identity { payee, ways, app_secret, merchant, api_key, platform, .. } = identity;
        let speaker = Speaker::new(merchant, api_key, platform, line, clock)?;
        Ok(Self { payee, ways, app_secret, sign_in_base, payers, speaker })
    }

    fn requests(&self) -> Requests<'_> {
        Requests(&self.speaker.merchant)
    }

    /// Sends a call and gives the body of a success.
    async fn success(&self, call: &Call) -> Result<Vec<u8>, ProviderError> {
        let (status, body) = self.speaker.ask(call).await?;
        wire::check_success(status, &body).map_err(|fault| refused(&fault))?;
        Ok(body)
    }

    fn intent(order: &Order) -> Result<wire::Intent, ProviderError> {
        Ok(wire::Intent {
            number: number(order)?,
            description: order.terms.description.clone(),
            total: order.amount,
            expires_at: order.expires_at,
            notify_url: order.terms.notify_url.clone(),
        })
    }

    async fn created(&self, order: &Order) -> Result<PayAction, ProviderError> {
        let intent = Self::intent(order)?;
        let call = match order.way {
            Way::Native => self.requests().native(&intent),
            Way::Jsapi => self.requests().jsapi(&intent, &order.terms.payer),
            Way::H5 => {
                let payer_ip = order.terms.payer_address.parse().map_err(|_| ProviderError::NotOffered)?;
                self.requests().h5(&intent, &wire::H5Scene { payer_ip })
            }
            _ => return Err(ProviderError::NotOffered),
        };
        let body = self.success(&call.map_err(|fault| ours(&fault))?).await?;
        match wire::prepared(&body).map_err(|fault| unsound(&fault))? {
            wire::Prepared::Native(code) => Ok(PayAction::Qr(code)),
            wire::Prepared::H5(page) => {
                let mut page = reqwest::Url::parse(&page).map_err(|fault| ProviderError::Unsound(fault.to_string()))?;
                page.query_pairs_mut().append_pair("redirect_url", &order.terms.return_url);
                Ok(PayAction::Redirect(page.into()))
            }
            wire::Prepared::Jsapi(prepay) => {
                let call = self.speaker.merchant.bridge_call(&prepay, self.speaker.now(), &Speaker::nonce()?);
                Ok(PayAction::Bridge(call.map_err(|fault| ours(&fault))?))
            }
        }
    }

    async fn asked(&self, order: &Order) -> Result<Heard, ProviderError> {
        let (status, body) = self.speaker.ask(&self.requests().query(&number(order)?)).await?;
        match wire::check_success(status, &body) {
            Err(fault) if fault.refusal == wire::Refusal::NoSuchOrder => return Ok(Heard::Unknown),
            Err(fault) => return Err(refused(&fault)),
            Ok(()) => {}
        }
        heard(order, wire::transaction(&body).map_err(|fault| unsound(&fault))?, &self.speaker.merchant)
    }

    /// A report has to be about the refund that was asked for.
    fn refund_stands(body: &[u8], refund: &Refund) -> Result<RefundAt, ProviderError> {
        let report = wire::refund_report(body).map_err(|fault| unsound(&fault))?;
        if report.number.as_str() != refund.number() || report.amount.refund != refund.amount {
            return Err(ProviderError::Unsound("it is about another refund".into()));
        }
        Ok(match report.state {
            wire::RefundState::Done => RefundAt::Done,
            wire::RefundState::Accepted => RefundAt::Pending,
            wire::RefundState::Closed => RefundAt::Closed,
            wire::RefundState::Abnormal => RefundAt::Abnormal,
        })
    }

    async fn refunded(&self, order: &Order, refund: &Refund) -> Result<RefundAt, ProviderError> {
        let intent = wire::RefundIntent {
            order: number(order)?,
            number: refund_number(refund)?,
            refund: refund.amount,
            total: order.amount,
            reason: String::new(),
            notify_url: Some(order.terms.notify_url.clone()).filter(|url| !url.is_empty()),
        };
        let call = self.requests().refund(&intent).map_err(|fault| ours(&fault))?;
        let at = Self::refund_stands(&self.success(&call).await?, refund)?;
        // Only the answer to a question may lead to a new number.
        Ok(if at == RefundAt::Closed { RefundAt::Pending } else { at })
    }

    async fn coded(&self, order: &Order, code: &PaymentCode) -> Result<CodeAnswer, ProviderError> {
        let Order { terms, amount, .. } = order;
        let call = self.requests().codepay(&number(order)?, &terms.description, *amount, code, &terms.lane);
        let (status, body) = self.speaker.ask(&call.map_err(|fault| ours(&fault))?).await?;
        match wire::check_success(status, &body) {
            Ok(()) => Ok(CodeAnswer::Taken),
            Err(fault) => match fault.refusal {
                wire::Refusal::UserPaying | wire::Refusal::AlreadyPaid => Ok(CodeAnswer::Taken),
                wire::Refusal::Unknown | wire::Refusal::TooOften => Err(refused(&fault)),
                _ => Ok(CodeAnswer::NotTaken),
            },
        }
    }

    async fn statement_of(&self, day: NaiveDate) -> Result<StatementAt, ProviderError> {
        let (status, body) = self.speaker.ask(&self.requests().trade_bill(day)).await?;
        match wire::check_success(status, &body) {
            Err(fault) if fault.refusal == wire::Refusal::NoStatement => return Ok(StatementAt::NoTrade),
            Err(fault) if fault.refusal == wire::Refusal::StatementNotReady => return Ok(StatementAt::NotYet),
            Err(fault) => return Err(refused(&fault)),
            Ok(()) => {}
        }
        let place = wire::bill_location(&body).map_err(|fault| unsound(&fault))?;
        let call =
            self.requests().download(self.speaker.line.base(), &place.download_url).map_err(|fault| ours(&fault))?;
        let packed = self.speaker.download(&call, STATEMENT_PACKED_BYTES).await?;
        let unsound = |fault: tollhouse_providers::StatementError| ProviderError::Unsound(fault.to_string());
        let file = wire::unpack(&packed).map_err(unsound)?;
        wire::check_hash(&file, &place.sha1).map_err(unsound)?;
        Ok(StatementAt::File(file))
    }

    async fn payer_of(&self, code: &str) -> Result<String, ProviderError> {
        #[derive(Deserialize)]
        struct Said {
            openid: Option<String>,
            errcode: Option<i64>,
        }
        let secret = self.app_secret.as_deref().ok_or(ProviderError::NotOffered)?;
        let query = [
            ("appid", self.speaker.merchant.appid()),
            ("secret", secret),
            ("code", code),
            ("grant_type", "authorization_code"),
        ];
        let mut to = reqwest::Url::parse(&format!("{}/sns/oauth2/access_token", self.payers.base()))
            .map_err(|fault| ProviderError::Unsound(fault.to_string()))?;
        to.query_pairs_mut().extend_pairs(query);
        let came = self.payers.call(self.payers.get_at(to.as_str()), Size::Answer(PAYER_BYTES)).await?;
        let said: Said = serde_json::from_slice(&came.body)
            .map_err(|_| ProviderError::Unsound("nobody says who the payer is".into()))?;
        match (said.openid, said.errcode) {
            (Some(openid), None | Some(0)) => Ok(openid),
            (_, code) => {
                Err(ProviderError::Refused(format!("WeChat does not say who pays ({code:?}): open the page anew")))
            }
        }
    }
}

fn refund_number(refund: &Refund) -> Result<RefundNumber, ProviderError> {
    RefundNumber::new(&refund.number()).map_err(|fault| ProviderError::Refused(fault.to_string()))
}

impl Provider for WeChat {
    fn name(&self) -> &'static str {
        WECHAT
    }

    fn merchant(&self) -> &str {
        self.speaker.merchant.mchid()
    }

    fn payee(&self) -> Payee {
        self.payee
    }

    fn ways(&self) -> &[Way] {
        &self.ways
    }

    fn reach(&self) -> &Reach {
        &self.speaker.reach
    }

    fn create<'a>(&'a self, order: &'a Order) -> Answer<'a, PayAction> {
        Box::pin(self.created(order))
    }

    fn query<'a>(&'a self, order: &'a Order) -> Answer<'a, Heard> {
        Box::pin(self.asked(order))
    }

    fn close<'a>(&'a self, order: &'a Order) -> Answer<'a, ()> {
        Box::pin(async move { self.success(&self.requests().close(&number(order)?)).await.map(|_| ()) })
    }

    fn refund<'a>(&'a self, order: &'a Order, refund: &'a Refund) -> Answer<'a, RefundAt> {
        Box::pin(self.refunded(order, refund))
    }

    fn query_refund<'a>(&'a self, _: &'a Order, refund: &'a Refund) -> Answer<'a, RefundAt> {
        Box::pin(async move {
            let (status, body) = self.speaker.ask(&self.requests().query_refund(&refund_number(refund)?)).await?;
            match wire::check_success(status, &body) {
                Err(fault) if fault.refusal == wire::Refusal::NoSuchRefund => Ok(RefundAt::NotThere),
                Err(fault) => Err(refused(&fault)),
                Ok(()) => Self::refund_stands(&body, refund),
            }
        })
    }

    fn pay_by_code<'a>(&'a self, order: &'a Order, code: &'a PaymentCode) -> Answer<'a, CodeAnswer> {
        Box::pin(self.coded(order, code))
    }

    fn reverse<'a>(&'a self, order: &'a Order) -> Answer<'a, ()> {
        Box::pin(async move { self.success(&self.requests().reverse(&number(order)?)).await.map(|_| ()) })
    }

    fn statement(&self, day: NaiveDate) -> Answer<'_, StatementAt> {
        Box::pin(self.statement_of(day))
    }

    fn probe(&self) -> Answer<'_, ()> {
        Box::pin(async {
            if self.speaker.fetching_is_due().is_some() {
                return self.speaker.fetch_certificates().await.map(|_| ());
            }
            let nobodys =
                OrderNumber::new(NOBODYS_NUMBER).map_err(|fault| ProviderError::Refused(fault.to_string()))?;
            self.speaker.ask(&self.requests().query(&nobodys)).await.map(|_| ())
        })
    }

    fn payer<'a>(&'a self, code: &'a str) -> Answer<'a, String> {
        Box::pin(self.payer_of(code))
    }

    fn sign_in(&self, back: &str, state: &str) -> Option<String> {
        self.app_secret.as_ref()?;
        let mut to = reqwest::Url::parse(&format!("{}/connect/oauth2/authorize", self.sign_in_base)).ok()?;
        // In this order: WeChat has refused others.
        to.query_pairs_mut()
            .append_pair("appid", self.speaker.merchant.appid())
            .append_pair("redirect_uri", back)
            .append_pair("response_type", "code")
            .append_pair("scope", "snsapi_base")
            .append_pair("state", state);
        to.set_fragment(Some("wechat_redirect"));
        Some(to.into())
    }

    fn callback(&self, headers: &[(&str, &str)], body: &[u8], now: DateTime<Utc>) -> Option<Notified> {
        Some(self.notified(headers, body, now))
    }
}

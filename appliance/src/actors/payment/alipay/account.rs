//! One application at Alipay: which request is sent for an order, a refund or a statement, and what its answer means.
//! It must not know books or records.

use chrono::{DateTime, NaiveDate, Utc};
use tollhouse_core::books::Payee;
use tollhouse_core::pay::{Heard, Order, Refund, Way};
use tollhouse_providers::alipay::{self as wire, AnswerError, App, Call, Distrust, FundChange, RefundQuery, Retry};
use tollhouse_providers::key::VerifyingKey;
use tollhouse_providers::limits::{ANSWER_BYTES, STATEMENT_PACKED_BYTES};
use tollhouse_providers::{OrderNumber, PaymentCode, RefundNumber, RequestError};

use super::{ALIPAY, heard, number, told};
use crate::actors::payment::line::{Line, LineError, Size, checked_base};
use crate::actors::payment::messages::PayAction;
use crate::actors::payment::provider::{Answer, CodeAnswer, Notified, Provider, ProviderError, RefundAt, StatementAt};
use crate::actors::payment::reach::Reach;
use crate::clock::BoxClock;

/// A number that no trade has: asking about it costs nothing and tells whether Alipay answers.
const NOBODYS_NUMBER: &str = "PROBE000000";
const GATEWAY: &str = "/gateway.do";

/// Who we are at Alipay, whole.
pub struct Identity {
    /// Whose money goes there.
    pub payee: Payee,
    /// In which ways it is paid.
    pub ways: Vec<Way>,
    /// The application, with its private key.
    pub app: App,
    /// Alipay's public keys: one, or two during a change.
    pub keys: Vec<VerifyingKey>,
    /// The gateway's host.
    pub base: String,
}

/// The account.
pub struct Alipay {
    payee: Payee,
    ways: Vec<Way>,
    pub(super) app: App,
    pub(super) keys: Vec<VerifyingKey>,
    line: Line,
    reach: Reach,
    clock: BoxClock,
}

fn ours(fault: &RequestError) -> ProviderError {
    ProviderError::Refused(format!("nothing was sent: {fault}"))
}

fn refund_number(refund: &Refund) -> Result<RefundNumber, ProviderError> {
    RefundNumber::new(&refund.number()).map_err(|fault| ProviderError::Refused(fault.to_string()))
}

impl Alipay {
    /// An account.
    pub fn new(identity: Identity, clock: BoxClock) -> Result<Self, LineError> {
        let Identity { payee, ways, app, keys, base } = identity;
        Ok(Self { payee, ways, app, keys, line: Line::to(&base)?, reach: Reach::default(), clock })
    }

    fn signed(&self, call: &Call) -> Result<wire::Signed, ProviderError> {
        self.app.sign(call, self.clock.now()).map_err(|fault| ProviderError::Refused(fault.to_string()))
    }

    /// Sends a call and reads its answer, whichever of Alipay's keys has signed it.
    async fn ask<T>(
        &self,
        call: &Call,
        read: impl Fn(&[u8], &VerifyingKey) -> Result<T, AnswerError> + Send,
    ) -> Result<Result<T, AnswerError>, ProviderError> {
        let signed = self.signed(call)?;
        let request = self
            .line
            .post(&format!("{GATEWAY}?{}", signed.query()))
            .header("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
            .body(signed.body());
        let came = self.line.call(request, Size::Answer(ANSWER_BYTES)).await;
        match &came {
            Err(ProviderError::Away(_)) => self.reach.silent(self.clock.now()),
            _ => self.reach.answered(self.clock.now()),
        }
        let body = came?.body;
        Ok(self.by_any_key(|key| read(&body, key)))
    }

    /// During a change of keys either signs.
    pub(super) fn by_any_key<T>(
        &self,
        read: impl Fn(&VerifyingKey) -> Result<T, AnswerError>,
    ) -> Result<T, AnswerError> {
        let mut last = Err(AnswerError::Distrust(Distrust::WrongSignature));
        for key in &self.keys {
            last = read(key);
            if !matches!(last, Err(AnswerError::Distrust(Distrust::WrongSignature))) {
                break;
            }
        }
        last
    }

    fn intent(order: &Order) -> Result<wire::Intent, ProviderError> {
        Ok(wire::Intent {
            number: number(order)?,
            subject: order.terms.description.clone(),
            total: order.amount,
            expires_at: order.expires_at,
            notify_url: order.terms.notify_url.clone(),
        })
    }

    async fn created(&self, order: &Order) -> Result<PayAction, ProviderError> {
        let intent = Self::intent(order)?;
        match order.way {
            // A page of ours leads there: nothing is sent from here.
            Way::Wap => {
                let call = Call::wap_pay(&intent, &order.terms.return_url).map_err(|fault| ours(&fault))?;
                Ok(PayAction::Redirect(self.signed(&call)?.page(&format!("{}{GATEWAY}", self.line.base()))))
            }
            Way::Precreate => {
                let call = Call::precreate(&intent).map_err(|fault| ours(&fault))?;
                let (made, code) = self.ask(&call, wire::precreated).await?.map_err(|fault| told(&fault))?;
                if made != intent.number {
                    return Err(ProviderError::Unsound("it is about another order".into()));
                }
                Ok(PayAction::Qr(code))
            }
            _ => Err(ProviderError::NotOffered),
        }
    }

    async fn asked(&self, order: &Order) -> Result<Heard, ProviderError> {
        match self.ask(&Call::query(&number(order)?), wire::trade).await? {
            Ok(trade) => heard(order, trade, &self.app),
            Err(AnswerError::Refused(refused)) if refused.refusal == wire::Refusal::NoSuchTrade => Ok(Heard::Unknown),
            Err(fault) => Err(told(&fault)),
        }
    }

    async fn refunded(&self, order: &Order, refund: &Refund) -> Result<RefundAt, ProviderError> {
        let intent = wire::RefundIntent {
            order: number(order)?,
            number: refund_number(refund)?,
            refund: refund.amount,
            reason: String::new(),
        };
        let call = Call::refund(&intent).map_err(|fault| ours(&fault))?;
        let reply = self.ask(&call, wire::refunded).await?.map_err(|fault| told(&fault))?;
        if reply.order != intent.order {
            return Err(ProviderError::Unsound("it is about another order".into()));
        }
        // Code 10000 is not a refund: only money that moved is. An earlier call may have moved it, which a query tells.
        match reply.fund_change {
            FundChange::Moved => Ok(RefundAt::Done),
            FundChange::NotMoved => Ok(RefundAt::Pending),
        }
    }

    async fn refund_asked(&self, order: &Order, refund: &Refund) -> Result<RefundAt, ProviderError> {
        let number = refund_number(refund)?;
        let call = Call::query_refund(&super::number(order)?, &number);
        match self.ask(&call, wire::refund_query).await?.map_err(|fault| told(&fault))? {
            RefundQuery::Done { number: done, refund: amount } if done == number && amount == refund.amount => {
                Ok(RefundAt::Done)
            }
            RefundQuery::Done { .. } => Err(ProviderError::Unsound("it is about another refund".into())),
            // Not received, failed or under way: Alipay does not tell them apart. The same number again does no harm.
            RefundQuery::NotDone => Ok(RefundAt::NotThere),
        }
    }

    async fn coded(&self, order: &Order, code: &PaymentCode) -> Result<CodeAnswer, ProviderError> {
        let Order { terms, amount, .. } = order;
        let call = Call::pay(&number(order)?, &terms.description, *amount, code, &terms.lane);
        match self.ask(&call.map_err(|fault| ours(&fault))?, wire::code_payment).await? {
            Ok(_) => Ok(CodeAnswer::Taken),
            Err(AnswerError::Refused(refused)) => match refused.refusal {
                wire::Refusal::AlreadyPaid => Ok(CodeAnswer::Taken),
                // 40004 is a failure of the business: no money, a spent code. Whatever it was, the order is taken back.
                _ if refused.code == "40004" => Ok(CodeAnswer::NotTaken),
                _ => Err(told(&AnswerError::Refused(refused))),
            },
            Err(fault) => Err(told(&fault)),
        }
    }

    async fn cancelled(&self, order: &Order) -> Result<(), ProviderError> {
        let number = number(order)?;
        let done = self.ask(&Call::cancel(&number), wire::cancelled).await?.map_err(|fault| told(&fault))?;
        match done.retry {
            _ if done.order != number => Err(ProviderError::Unsound("it is about another order".into())),
            Retry::Again => Err(ProviderError::Unsound("the cancel is not done".into())),
            Retry::Done => Ok(()),
        }
    }

    async fn statement_of(&self, day: NaiveDate) -> Result<StatementAt, ProviderError> {
        let address = match self.ask(&Call::bill(day), wire::bill_url).await? {
            Ok(address) => address,
            // Alipay says the same of a day without a trade and of one that is not made up yet.
            Err(AnswerError::Refused(refused)) if refused.refusal == wire::Refusal::NoStatement => {
                return Ok(StatementAt::NotYet);
            }
            Err(fault) => return Err(told(&fault)),
        };
        let host = address.split('?').next().unwrap_or_default();
        if checked_base(host).is_err() {
            return Err(ProviderError::Unsound("the statement's address is not an https one".into()));
        }
        let came = self.line.call(self.line.get_at(&address), Size::Download(STATEMENT_PACKED_BYTES)).await?;
        if came.status != 200 {
            return Err(ProviderError::Unsound(format!("the download is answered with {}", came.status)));
        }
        let file = wire::unpack(&came.body).map_err(|fault| ProviderError::Unsound(fault.to_string()))?;
        Ok(StatementAt::File(file))
    }
}

impl Provider for Alipay {
    fn name(&self) -> &'static str {
        ALIPAY
    }

    fn merchant(&self) -> &str {
        self.app.seller_id()
    }

    fn payee(&self) -> Payee {
        self.payee
    }

    fn ways(&self) -> &[Way] {
        &self.ways
    }

    fn reach(&self) -> &Reach {
        &self.reach
    }

    fn create<'a>(&'a self, order: &'a Order) -> Answer<'a, PayAction> {
        Box::pin(self.created(order))
    }

    fn query<'a>(&'a self, order: &'a Order) -> Answer<'a, Heard> {
        Box::pin(self.asked(order))
    }

    fn close<'a>(&'a self, order: &'a Order) -> Answer<'a, ()> {
        Box::pin(async move {
            let number = number(order)?;
            self.ask(&Call::close(&number), wire::closed).await?.map(|_| ()).map_err(|fault| told(&fault))
        })
    }

    fn refund<'a>(&'a self, order: &'a Order, refund: &'a Refund) -> Answer<'a, RefundAt> {
        Box::pin(self.refunded(order, refund))
    }

    fn query_refund<'a>(&'a self, order: &'a Order, refund: &'a Refund) -> Answer<'a, RefundAt> {
        Box::pin(self.refund_asked(order, refund))
    }

    fn pay_by_code<'a>(&'a self, order: &'a Order, code: &'a PaymentCode) -> Answer<'a, CodeAnswer> {
        Box::pin(self.coded(order, code))
    }

    fn reverse<'a>(&'a self, order: &'a Order) -> Answer<'a, ()> {
        Box::pin(self.cancelled(order))
    }

    fn statement(&self, day: NaiveDate) -> Answer<'_, StatementAt> {
        Box::pin(self.statement_of(day))
    }

    fn probe(&self) -> Answer<'_, ()> {
        Box::pin(async {
            let nobodys =
                OrderNumber::new(NOBODYS_NUMBER).map_err(|fault| ProviderError::Refused(fault.to_string()))?;
            self.ask(&Call::query(&nobodys), wire::trade).await.map(|_| ())
        })
    }

    fn callback(&self, _: &[(&str, &str)], body: &[u8], _: DateTime<Utc>) -> Option<Notified> {
        Some(self.notified(body))
    }
}

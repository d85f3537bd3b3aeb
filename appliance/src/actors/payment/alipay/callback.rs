//! Alipay's notifies: whom they are about, and how each is answered, in exactly the seven letters that Alipay waits for.

use tollhouse_providers::alipay::{self as wire, AnswerError, FAILURE, SUCCESS};

use super::Alipay;
use crate::actors::payment::provider::{About, Notified, NotifyAnswer};

fn failed(outcome: &'static str, about: About) -> Notified {
    Notified { answer: NotifyAnswer { status: 401, body: FAILURE, outcome }, about }
}

impl Alipay {
    pub(super) fn notified(&self, body: &[u8]) -> Notified {
        match self.by_any_key(|key| wire::read_notice(body, key)) {
            Ok(notice) if notice.seller_id != self.app.seller_id() => taken("foreign", About::ForeignMerchant),
            Ok(notice) => {
                let order = notice.trade.order.as_str().to_owned();
                let refund = notice.is_about_payment() == wire::AboutPayment::No && notice.refund_number.is_some();
                let about = if refund { About::Refund(order) } else { About::Order(order) };
                taken("taken", about)
            }
            // What cannot be verified but names an order makes us ask, no more.
            Err(AnswerError::Distrust(_)) => failed("forged", hint(body)),
            Err(_) => Notified {
                answer: NotifyAnswer { status: 400, body: FAILURE, outcome: "malformed" },
                about: hint(body),
            },
        }
    }
}

fn taken(outcome: &'static str, about: About) -> Notified {
    Notified { answer: NotifyAnswer { status: 200, body: SUCCESS, outcome }, about }
}

fn hint(body: &[u8]) -> About {
    let number = wire::parameters(body).ok().and_then(|mut parameters| parameters.remove("out_trade_no"));
    number.filter(|number| number.len() <= 64).map_or(About::Nothing, About::Order)
}

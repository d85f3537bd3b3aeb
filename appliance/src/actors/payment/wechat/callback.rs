//! WeChat Pay's callbacks: whom they are about, and how each is answered. A callback is never the truth, so what cannot be
//! believed but names an order of ours makes us ask about it all the same.

use chrono::{DateTime, Utc};
use tollhouse_providers::wechat::{self as wire, CallbackError, Distrust, Envelope, Event, SignatureHeaders};

use super::WeChat;
use crate::actors::payment::provider::{About, Notified, NotifyAnswer};

const FAILED: &str = r#"{"code":"FAIL","message":"not taken"}"#;

fn failed(status: u16, outcome: &'static str, about: About) -> Notified {
    Notified { answer: NotifyAnswer { status, body: FAILED, outcome }, about }
}

impl WeChat {
    pub(super) fn notified(&self, headers: &[(&str, &str)], body: &[u8], now: DateTime<Utc>) -> Notified {
        // What does not even look like one of WeChat Pay's is nobody's.
        if let Err(distrust) = SignatureHeaders::read(headers.iter().copied()) {
            return failed(distrust.status(), "unsigned", About::Nothing);
        }
        let callback =
            wire::read_callback(headers.iter().copied(), body, now, &self.speaker.trust(), &self.speaker.api_key);
        match callback {
            Ok(callback) => {
                let about = self.about(callback.event);
                let outcome = if about == About::ForeignMerchant { "foreign" } else { "taken" };
                Notified { answer: NotifyAnswer { status: 204, body: "", outcome }, about }
            }
            Err(CallbackError::Distrust(Distrust::Probe)) => failed(401, "probe", About::Nothing),
            Err(CallbackError::Distrust(distrust)) => {
                let outcome = match distrust {
                    Distrust::Stale(_) => "stale",
                    Distrust::UnknownSerial(_) => "unknown_key",
                    Distrust::WrongSignature => "forged",
                    _ => "unsigned",
                };
                failed(distrust.status(), outcome, self.hint(body))
            }
            Err(fault @ CallbackError::Seal(_)) => {
                tracing::error!(%fault, "WeChat Pay's callback does not open: is the APIv3 key that of the console?");
                failed(fault.status(), "sealed", About::Nothing)
            }
            Err(fault) => failed(fault.status(), "malformed", About::Nothing),
        }
    }

    fn about(&self, event: Event) -> About {
        match event {
            Event::Transaction(told) if told.mchid != self.speaker.merchant.mchid() => About::ForeignMerchant,
            Event::Transaction(told) => About::Order(told.order.as_str().to_owned()),
            Event::Refund(told) if told.mchid != self.speaker.merchant.mchid() => About::ForeignMerchant,
            Event::Refund(told) => About::Refund(told.report.order.as_str().to_owned()),
            Event::Other(_) => About::Nothing,
        }
    }

    /// What cannot be verified may still have been sealed with our key: then it says what to ask about.
    fn hint(&self, body: &[u8]) -> About {
        let opened = Envelope::read(body).ok().and_then(|envelope| envelope.event(&self.speaker.api_key).ok());
        match opened.map(|event| self.about(event)) {
            Some(About::ForeignMerchant) | None => About::Nothing,
            Some(about) => about,
        }
    }
}

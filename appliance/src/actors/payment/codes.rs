//! The way from a lane's scanner to payment. Owns that a code is read off an event and handed on; it must not keep or show it.

use std::sync::OnceLock;

use actix::Recipient;
use tollhouse_core::id::{DeviceId, LaneId};
use tollhouse_drivers::event::{Notice, NoticeKind};
use tollhouse_providers::PaymentCode;

use super::messages::CodeScanned;

/// Where scanned codes go; lanes are there before payment is.
#[derive(Default)]
pub struct Codes(OnceLock<Recipient<CodeScanned>>);

impl Codes {
    /// From now on codes go there.
    pub fn lead_to(&self, payment: Recipient<CodeScanned>) {
        // Wired once; a second wiring would be the same actor.
        let _ = self.0.set(payment);
    }

    /// Hands on what a scanner at this lane has read, if it is a payment code.
    pub fn scanned(&self, lane: &LaneId, device: &DeviceId, notice: &Notice) {
        if notice.kind != NoticeKind::Code {
            return;
        }
        let Some(code) = notice.body.get("code").and_then(|code| code.as_str()) else { return };
        let (Ok(code), Some(payment)) = (PaymentCode::scan(code), self.0.get()) else { return };
        let scanned =
            CodeScanned { lane: lane.clone(), device: device.clone(), event_id: notice.head.event_id.clone(), code };
        if payment.try_send(scanned).is_err() {
            tracing::warn!(%lane, "payment is too busy for a payment code: the driver shows it again");
        }
    }
}

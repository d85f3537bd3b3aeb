//! Makes metrics, readiness and log lines of what a device link sees.
//!
//! Knows no lane and no car. A device that shouts fills no log: one warning per device and reason in ten seconds, with
//! the number of those that were left out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tollhouse_core::id::DeviceId;
use tollhouse_drivers::event::Presence;
use tollhouse_drivers::link::{LinkState, Refused};
use tollhouse_drivers::{Clock, Observer};

use super::Metrics;
use crate::pictures::{HandedOver, Pictures};
use crate::readiness::{Part, Readiness, Standing};

const QUIET_FOR: Duration = Duration::from_secs(10);
/// Contracts.md: a clock more than 5 s off is shown.
const CLOCK_OFF_MS: i64 = 5_000;
/// The link that carries the subscriptions.
const MQTT: &str = "mqtt";

/// The box's ear at its device links.
pub struct LinkObserver {
    metrics: Arc<Metrics>,
    readiness: Arc<Readiness>,
    said: Mutex<HashMap<(Option<DeviceId>, &'static str), Said>>,
    ending: AtomicBool,
    pictures: Option<(Arc<Pictures>, Clock)>,
}

struct Said {
    at: Instant,
    left_out: u64,
}

impl LinkObserver {
    /// Counts into `metrics` and tells `readiness` of devices and of the subscription.
    pub fn new(metrics: Arc<Metrics>, readiness: Arc<Readiness>) -> Self {
        Self { metrics, readiness, said: Mutex::default(), ending: AtomicBool::new(false), pictures: None }
    }

    /// The same, with a place for pictures.
    #[must_use]
    pub fn keeping(self, pictures: Arc<Pictures>, clock: Clock) -> Self {
        Self { pictures: Some((pictures, clock)), ..self }
    }

    /// The box ends: links that go down are no news.
    pub fn ending(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// How many were left out since the last warning of this kind, or `None` when this one is to be left out too.
    fn may_say(&self, device: Option<&DeviceId>, what: &'static str, now: Instant) -> Option<u64> {
        // The keys are configured devices times a few words: bounded.
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match said.get_mut(&(device.cloned(), what)) {
            Some(last) if now.duration_since(last.at) < QUIET_FOR => {
                last.left_out += 1;
                None
            }
            Some(last) => {
                last.at = now;
                Some(std::mem::take(&mut last.left_out))
            }
            None => {
                said.insert((device.cloned(), what), Said { at: now, left_out: 0 });
                Some(0)
            }
        }
    }
}

impl Observer for LinkObserver {
    fn refused(&self, device: Option<&DeviceId>, reason: Refused, detail: &str) {
        self.metrics.event_refused(device, reason);
        if let Some(left_out) = self.may_say(device, reason.as_str(), Instant::now()) {
            let device = device.map_or("unknown", DeviceId::as_str);
            // The detail may quote a stranger: it is cut, and the formatter escapes it.
            let detail: String = detail.chars().take(200).collect();
            tracing::warn!(device, reason = reason.as_str(), ?detail, left_out, "refused what a device sent");
        }
    }

    fn gap(&self, device: &DeviceId, missing: u64) {
        self.metrics.event_gap(device, missing);
        if let Some(left_out) = self.may_say(Some(device), "gap", Instant::now()) {
            tracing::warn!(%device, missing, left_out, "events of a device never arrived");
        }
    }

    fn clock_offset(&self, device: &DeviceId, offset_ms: i64) {
        self.metrics.device_clock_offset(device, offset_ms);
        if offset_ms.abs() > CLOCK_OFF_MS
            && let Some(left_out) = self.may_say(Some(device), "clock", Instant::now())
        {
            tracing::warn!(%device, offset_ms, left_out, "a device's clock is off: set it, or let it ask a time server");
        }
    }

    fn link(&self, name: &str, state: LinkState) {
        self.metrics.link(name, state);
        let standing = match state {
            LinkState::Up | LinkState::Restarted => Standing::Up,
            LinkState::Down | LinkState::Quarantined => Standing::Down,
        };
        if name == MQTT {
            self.readiness.part(Part::Subscriptions, standing);
        } else {
            self.readiness.device(&format!("driver {name}"), standing);
        }
        match state {
            LinkState::Up => tracing::info!(link = name, "the link to devices is up"),
            LinkState::Down if self.ending.load(Ordering::Relaxed) => tracing::info!(link = name, "the link has ended"),
            LinkState::Down => tracing::warn!(link = name, "the link to devices is down"),
            LinkState::Quarantined => {
                tracing::error!(
                    link = name,
                    "a driver fails again and again and is left alone for ten minutes: look at it"
                );
            }
            LinkState::Restarted => tracing::warn!(link = name, "a driver was started again"),
        }
    }

    fn presence(&self, device: &DeviceId, presence: Presence) {
        self.metrics.device(device, presence);
        match presence {
            Presence::Online => {
                self.readiness.device(device.as_str(), Standing::Up);
                tracing::info!(%device, "a device is there");
            }
            Presence::Offline => {
                self.readiness.device(device.as_str(), Standing::Down);
                tracing::warn!(%device, "a device is gone");
            }
        }
    }

    fn picture(&self, device: &DeviceId, event_id: &str, jpeg: &[u8]) {
        let Some((pictures, clock)) = &self.pictures else { return };
        let what = match pictures.take(device, event_id, jpeg, clock()) {
            HandedOver::Taken => return,
            HandedOver::NoPicture => "a picture is no JPEG",
            HandedOver::LeftOut => "the disk is slow: a picture is left out",
        };
        if let Some(left_out) = self.may_say(Some(device), "picture", Instant::now()) {
            tracing::warn!(%device, left_out, "{what}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> DeviceId {
        DeviceId::new("cam-in-1").expect("a name")
    }

    fn observer() -> LinkObserver {
        LinkObserver::new(Arc::new(Metrics::new("test").expect("metrics")), Arc::default())
    }

    #[test]
    fn a_device_that_shouts_is_warned_of_once_in_ten_seconds() {
        let observer = observer();
        let start = Instant::now();
        let device = device();
        let may_say = |after_s| observer.may_say(Some(&device), "bad_json", start + Duration::from_secs(after_s));
        assert_eq!(
            [may_say(0), may_say(1), may_say(9), may_say(10), may_say(21)],
            [Some(0), None, None, Some(2), Some(0)]
        );
    }

    #[test]
    fn the_mqtt_link_decides_on_the_subscriptions_and_a_driver_only_degrades() {
        let observer = observer();
        observer.link("mqtt", LinkState::Up);
        observer.link("sim", LinkState::Down);
        observer.presence(&device(), Presence::Offline);
        let report = observer.readiness.report();
        assert!(!report.missing.contains(&Part::Subscriptions));
        assert_eq!(report.degraded, ["cam-in-1", "driver sim"]);
    }
}

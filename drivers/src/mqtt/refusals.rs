//! Counts and logs what the link refuses, at most one line a second for each reason: nobody may fill the disk with log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tollhouse_core::id::DeviceId;

use crate::link::{Observer, Refused};

const ONE_LINE_EACH: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Refusals {
    observer: Arc<dyn Observer>,
    lines: HashMap<Refused, Line>,
}

struct Line {
    last: Instant,
    unsaid: u64,
}

impl Refusals {
    pub(super) fn new(observer: Arc<dyn Observer>) -> Self {
        Self { observer, lines: HashMap::new() }
    }

    /// `device` is `None` when the sender is not configured.
    pub(super) fn refuse(&mut self, device: Option<&DeviceId>, reason: Refused, detail: &str) {
        self.observer.refused(device, reason, detail);
        let now = Instant::now();
        let unsaid = match self.lines.get_mut(&reason) {
            Some(line) if now.duration_since(line.last) < ONE_LINE_EACH => {
                line.unsaid += 1;
                return;
            }
            Some(line) => std::mem::take(&mut line.unsaid),
            None => 0,
        };
        self.lines.insert(reason, Line { last: now, unsaid: 0 });
        let device = device.map_or("-", DeviceId::as_str);
        tracing::warn!(device, reason = reason.as_str(), ?detail, unsaid, "refused a message");
    }
}

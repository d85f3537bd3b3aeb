//! A driver's log lines, as many as people can read.

use tokio::time::{Duration, Instant};
use tollhouse_abi::LogLevel;
use tracing::{debug, error, info, warn};

use super::short;

const MOST_LINES_A_SECOND: u32 = 20;
const MAX_LINE_CHARS: usize = 2048;

/// Counts what a driver writes, and leaves out what is too much.
#[derive(Debug)]
pub(super) struct Chatter {
    second: Instant,
    lines: u32,
    left_out: u64,
}

impl Chatter {
    pub(super) fn new() -> Self {
        Self { second: Instant::now(), lines: 0, left_out: 0 }
    }

    /// Passes a line on to the box's log.
    pub(super) fn line(&mut self, driver: &str, level: i32, message: &str) {
        let Some(left_out) = self.admit(Instant::now()) else { return };
        if left_out > 0 {
            warn!(driver, left_out, "it wrote too much for the log");
        }
        let message = short(message, MAX_LINE_CHARS);
        match LogLevel::from_code(level) {
            LogLevel::Error => error!(driver, "{message}"),
            LogLevel::Warn => warn!(driver, "{message}"),
            LogLevel::Info => info!(driver, "{message}"),
            LogLevel::Debug => debug!(driver, "{message}"),
        }
    }

    /// Whether there is room for a line, and if so how many were left out before it.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            (self.second, self.lines) = (now, 0);
        }
        if self.lines >= MOST_LINES_A_SECOND {
            self.left_out += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_chatters_fills_no_log_and_the_rest_is_counted() {
        let mut chatter = Chatter::new();
        let start = chatter.second;
        let admitted = (0..1000).filter(|_| chatter.admit(start).is_some()).count();
        assert_eq!(admitted, 20);
        assert_eq!(chatter.admit(start + Duration::from_secs(1)), Some(980));
        assert_eq!(chatter.admit(start + Duration::from_secs(1)), Some(0));
    }
}

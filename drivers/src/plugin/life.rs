//! One life of a child: how far it has come, and by when it has to be further.

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::time::Instant;

use super::Patience;
use super::process::Process;
use super::report::Run;

/// A life of the child.
pub(super) struct Life {
    pub(super) process: Process,
    pub(super) stage: Stage,
    /// What the driver emitted in `start`: it is heard once the devices are there.
    pub(super) early: Vec<(Box<RawValue>, Vec<u8>)>,
}

/// How far it has come.
pub(super) enum Stage {
    /// On its way: this step has to be done by then.
    Coming { step: Step, until: Instant },
    /// The driver is at work.
    Ready { run: Run, since: Instant, ping: Ping },
}

/// What a child does before it is ready, each with a deadline of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Locks itself up and loads the library, whose constructors run.
    Loading,
    /// Inside `create`.
    Creating,
    /// Inside `start`.
    Starting,
}

impl Step {
    pub(super) fn time(self, patience: &Patience) -> Duration {
        match self {
            Self::Loading => patience.load,
            Self::Creating => patience.create,
            Self::Starting => patience.start,
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Loading => "it was not ready in time: its library did not finish loading",
            Self::Creating => "it was not ready in time: create did not return",
            Self::Starting => "it was not ready in time: start did not return",
        }
    }

    pub(super) fn begin(self, patience: &Patience) -> Stage {
        Stage::Coming { step: self, until: Instant::now() + self.time(patience) }
    }
}

/// The question that goes through the control thread, and so behind every call that it is in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ping {
    /// The next one goes out then, or with the next command.
    Due(Instant),
    /// This one has to be answered by then.
    Out { number: u64, until: Instant },
}

impl Life {
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Ready { .. })
    }

    /// When this life next needs looking after.
    pub(super) fn wake_at(&self) -> Instant {
        match &self.stage {
            Stage::Coming { until, .. } => *until,
            Stage::Ready { ping: Ping::Due(at) | Ping::Out { until: at, .. }, .. } => *at,
        }
    }

    /// What it has missed by now, in words.
    pub(super) fn overdue(&self, now: Instant) -> Option<&'static str> {
        match &self.stage {
            Stage::Coming { step, until } if *until <= now => Some(step.words()),
            Stage::Ready { ping: Ping::Out { until, .. }, .. } if *until <= now => {
                Some("it hangs: its control thread does not answer")
            }
            _ => None,
        }
    }
}

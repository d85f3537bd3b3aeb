//! Owns a lane as a test sees it: its camera, its barrier, its display, and one car after the other.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::device::{Command, DeviceEvent, Manners, TestDevice};
use crate::wait::PATIENCE;

/// An entry whose devices the test plays.
#[derive(Debug)]
pub struct Entry {
    /// Reads plates, and says that a car has passed.
    pub camera: TestDevice,
    /// Opens.
    pub barrier: TestDevice,
}

/// An exit whose devices the test plays.
#[derive(Debug)]
pub struct Exit {
    /// Reads plates, and says that a car has passed.
    pub camera: TestDevice,
    /// Opens.
    pub barrier: TestDevice,
    /// Shows what is owed.
    pub display: TestDevice,
}

impl Entry {
    /// The devices of lane `in-N`.
    pub fn connect(broker: SocketAddr, number: usize) -> Self {
        Self {
            camera: TestDevice::connect(broker, &format!("cam-in-{number}"), "camera", Manners::Silent),
            barrier: TestDevice::connect(broker, &format!("gate-in-{number}"), "barrier", Manners::Obliging),
        }
    }

    /// Reads this event, waits for the next opening, and lets the car pass. Tells how long the opening took.
    ///
    /// # Panics
    /// When the barrier does not open.
    pub fn drive_in(&self, event: &DeviceEvent) -> (Command, Duration) {
        let before = self.barrier.commands("open").len();
        let read_at = Instant::now();
        self.camera.publish(event);
        let opened = self.barrier.command("open", before, PATIENCE);
        let opened = opened.unwrap_or_else(|| panic!("no opening for {}", event.body));
        // The news that it is open comes from another device: no car passes before that is out.
        assert!(self.barrier.has_answered(&opened, PATIENCE), "the broker does not take the barrier's answers");
        self.camera.publish(&self.camera.passed());
        let took = opened.arrived.saturating_duration_since(read_at);
        (opened, took)
    }

    /// Sends another car through and waits for its opening. Commands of one lane come in order, so all that the lane was
    /// ever going to do about earlier events is done when this returns: it is how a test sees that nothing happened.
    pub fn another_car(&self, plate: &str) {
        self.drive_in(&self.camera.plate(plate));
    }

    /// How many different openings there have been.
    pub fn openings(&self) -> usize {
        self.barrier.commands("open").len()
    }
}

impl Exit {
    /// The devices of lane `out-N`.
    pub fn connect(broker: SocketAddr, number: usize) -> Self {
        Self {
            camera: TestDevice::connect(broker, &format!("cam-out-{number}"), "camera", Manners::Silent),
            barrier: TestDevice::connect(broker, &format!("gate-out-{number}"), "barrier", Manners::Obliging),
            display: TestDevice::connect(broker, &format!("display-out-{number}"), "display", Manners::Obliging),
        }
    }

    /// Whether the display has shown this text, waiting for it.
    pub fn shows(&self, text: &str) -> bool {
        self.display.command_like("display", PATIENCE, |shown| shown.body.to_string().contains(text)).is_some()
    }

    /// How many different openings there have been.
    pub fn openings(&self) -> usize {
        self.barrier.commands("open").len()
    }
}

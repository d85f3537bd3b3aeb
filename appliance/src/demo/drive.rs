//! The cars of the sample estate: they come, stay, pay with a phone and leave, at both kinds of lane.
//!
//! Chance decides who and when; what happens to a car is decided by the box alone.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use tollhouse_core::id::{CommandId, DeviceId};
use tollhouse_core::record::Records;
use tollhouse_core::stay::Inside;
use tollhouse_drivers::DeviceCommand;

use super::hardware::{Hardware, Opened};
use super::phone;
use super::seed::KNOWN_CARS;
use crate::clock::BoxClock;
use crate::devices::Devices;
use crate::live::{Live, News};
use crate::store::Store;

/// Cars that are inside when the estate is new.
const INSIDE_AT_FIRST: usize = 40;
/// Between two moves, on average.
const PAUSE: Duration = Duration::from_millis(2_500);
/// A driver looks for the phone so long.
const THINK: Duration = Duration::from_millis(1_800);
/// A lane is given up on after this.
const PATIENCE: Duration = Duration::from_secs(15);

/// What driving needs.
pub struct Cars {
    /// The hardware of lanes 1.
    pub hardware: Hardware,
    /// The way to the driver of lanes 2.
    pub devices: Arc<Devices>,
    /// Who is inside.
    pub store: Store,
    /// What happens at the lanes.
    pub live: Arc<Live>,
    /// The pay page.
    pub http: SocketAddr,
    /// The time.
    pub clock: BoxClock,
    /// How much faster.
    pub speed: u32,
    /// Chance.
    pub chance: fastrand::Rng,
}

impl Cars {
    /// Cars that came before the box was there: the camera kept them, and sends them as backlog.
    pub fn fill(&mut self) {
        for _ in 0..INSIDE_AT_FIRST {
            let (plate, colour) = self.stranger();
            // Most have been here for an hour or three, a few since yesterday.
            let minutes = if self.chance.u8(..10) == 0 { self.chance.i64(600..1_700) } else { self.chance.i64(5..240) };
            self.hardware.read_late("in-1", &plate, colour, TimeDelta::minutes(minutes));
        }
    }

    /// Drives until the process ends.
    pub async fn drive(mut self) {
        loop {
            let pause = PAUSE.mul_f64(0.4 + 1.2 * self.chance.f64());
            tokio::time::sleep(pause / self.speed).await;
            let inside = self.inside();
            let leave = inside.len() > INSIDE_AT_FIRST / 2 && self.chance.bool();
            let second = self.chance.bool();
            if leave && !inside.is_empty() {
                let chosen = self.chance.usize(..inside.len());
                let Some(plate) = inside.iter().nth(chosen).cloned() else { continue };
                self.leave(if second { "out-2" } else { "out-1" }, &plate).await;
            } else {
                let (plate, colour) = self.somebody(&inside);
                self.enter(if second { "in-2" } else { "in-1" }, &plate, colour).await;
            }
        }
    }

    fn inside(&self) -> BTreeSet<String> {
        let rows = self.store.snapshot().list::<Inside>("", 500).unwrap_or_default();
        rows.into_iter().map(|kept| kept.record.plate.to_string()).collect()
    }

    fn somebody(&mut self, inside: &BTreeSet<String>) -> (String, &'static str) {
        let (plate, colour) = KNOWN_CARS[self.chance.usize(..KNOWN_CARS.len())];
        if self.chance.u8(..10) < 3 && !inside.contains(plate) { (plate.to_owned(), colour) } else { self.stranger() }
    }

    fn stranger(&mut self) -> (String, &'static str) {
        const PROVINCES: [&str; 6] = ["粤", "粤", "粤", "桂", "湘", "赣"];
        const LETTERS: [char; 8] = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'K'];
        let province = PROVINCES[self.chance.usize(..PROVINCES.len())];
        let letter = LETTERS[self.chance.usize(..LETTERS.len())];
        let number = self.chance.u32(10_000..100_000);
        match self.chance.u8(..10) {
            0..3 => (format!("{province}{letter}D{number}"), "green"),
            3 => (format!("{province}{letter}{number}"), "yellow"),
            _ => (format!("{province}{letter}{number}"), "blue"),
        }
    }

    async fn enter(&mut self, lane: &str, plate: &str, colour: &str) {
        if lane == "in-1" {
            let before = self.hardware.openings(lane);
            self.hardware.read(lane, plate, colour);
            self.hardware.opens(lane, before, THINK / self.speed).await;
        } else {
            let mut news = self.live.watch();
            self.arrive(lane, plate, colour);
            until_done(&mut news, lane, PATIENCE / self.speed).await;
        }
    }

    async fn leave(&mut self, lane: &str, plate: &str) {
        let mut news = self.live.watch();
        let before = self.hardware.openings(lane);
        if lane == "out-1" {
            self.hardware.read(lane, plate, "blue");
        } else {
            self.arrive(lane, plate, "blue");
        }
        let decided = until_decided(&mut news, lane, PATIENCE / self.speed).await;
        if decided.as_deref() == Some("exit_payment_due") {
            tokio::time::sleep(THINK / self.speed).await;
            let (http, lane) = (self.http, lane.to_owned());
            match tokio::task::spawn_blocking(move || phone::pay_at_lane(http, &lane)).await {
                Ok(Ok(amount)) => tracing::debug!(amount, "a driver has paid"),
                Ok(Err(fault)) => tracing::warn!(%fault, "a driver's phone could not pay"),
                Err(fault) => tracing::warn!(%fault, "a driver's phone broke"),
            }
        }
        if lane == "out-1" {
            let opened = self.hardware.opens(lane, before, PATIENCE / self.speed).await;
            if opened == Opened::NotYet {
                tracing::warn!(lane, plate, "the barrier did not open in time");
            }
        } else {
            until_done(&mut news, lane, PATIENCE / self.speed).await;
        }
    }

    /// A car drives up to a lane behind the simulated driver.
    fn arrive(&mut self, lane: &str, plate: &str, colour: &str) {
        let Ok(device) = DeviceId::new(format!("cam-{lane}")) else { return };
        let mut bytes = [0; 16];
        self.chance.fill(&mut bytes);
        let command = DeviceCommand {
            device,
            cmd_id: CommandId::from_bytes(bytes),
            name: "x-arrive",
            args: json!({ "plate": plate, "colour": colour }),
            expires_at: self.clock.now() + TimeDelta::seconds(30),
        };
        if let Err(fault) = self.devices.hand_over(command) {
            tracing::warn!(%fault, "a car could not drive up");
        }
    }
}

/// The code of what is decided next at the lane.
async fn until_decided(
    news: &mut tokio::sync::broadcast::Receiver<News>,
    lane: &str,
    within: Duration,
) -> Option<String> {
    let decided = async {
        loop {
            match news.recv().await {
                Ok(News::Happening(told)) if told.lane.as_ref().is_some_and(|at| at.as_str() == lane) => {
                    if told.code != "passed" && told.code != "lapsed" {
                        return Some(told.code);
                    }
                }
                Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return None,
            }
        }
    };
    tokio::time::timeout(within, decided).await.ok().flatten()
}

/// Waits until the car at the lane has passed, was refused, or the time is over.
async fn until_done(news: &mut tokio::sync::broadcast::Receiver<News>, lane: &str, within: Duration) {
    let done = async {
        loop {
            match news.recv().await {
                Ok(News::Happening(told)) if told.lane.as_ref().is_some_and(|at| at.as_str() == lane) => {
                    if matches!(told.code.as_str(), "passed" | "lapsed" | "entry_full" | "entry_blocked") {
                        return;
                    }
                }
                Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            }
        }
    };
    // A car that takes too long is left to the box.
    let _ = tokio::time::timeout(within, done).await;
}

//! What the link knows of each configured device: whether it is there, which run, what it is, its states, its clock.
//! Pure; bounded by the configuration. It decides nothing about lanes.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use tollhouse_core::id::{BootId, DeviceId};

use crate::event::{Availability, ChannelState, EventHead, Presence};
use crate::wire::Meta;

/// Place of a device in the configuration.
pub(super) type DeviceIndex = usize;

/// More channels of one device are not kept.
const MAX_CHANNELS: usize = 16;
/// Of so many events the least delayed tells the offset of the device's clock.
const CLOCK_SAMPLES: usize = 4;
/// A smaller change of the offset is not news.
const CLOCK_NEWS_MS: i64 = 100;

/// What is known of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceStatus {
    /// Which.
    pub device: DeviceId,
    /// Whether it is there; `None` until it or its last will has spoken.
    pub presence: Option<Presence>,
    /// Its run, as its last sign of being there says.
    pub boot_id: Option<BootId>,
    /// What it says about itself.
    pub meta: Option<Meta>,
    /// Last known state of each channel, by the channel's name.
    pub states: Vec<(String, ChannelState)>,
    /// Number of its last event in the run.
    pub last_seq: Option<(Option<BootId>, u64)>,
    /// Its clock less the box's, in milliseconds, as far as the network's delay lets tell.
    pub clock_offset_ms: Option<i64>,
}

/// What an availability means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// The device has come or gone, or started anew.
    News,
    /// Known already.
    Known,
    /// The last will of an older run, come late: it says nothing about this one.
    OlderBoot,
}

#[derive(Debug)]
struct Known {
    status: DeviceStatus,
    offsets: [Option<i64>; CLOCK_SAMPLES],
    next_offset: usize,
    told_offset: Option<i64>,
}

/// All devices of the configuration.
#[derive(Debug)]
pub(super) struct Directory {
    by_name: HashMap<String, DeviceIndex>,
    known: Vec<Known>,
}

impl Directory {
    pub(super) fn new(devices: &[DeviceId]) -> Self {
        let known = |device: &DeviceId| Known {
            status: DeviceStatus {
                device: device.clone(),
                presence: None,
                boot_id: None,
                meta: None,
                states: Vec::new(),
                last_seq: None,
                clock_offset_ms: None,
            },
            offsets: [None; CLOCK_SAMPLES],
            next_offset: 0,
            told_offset: None,
        };
        Self {
            by_name: devices.iter().enumerate().map(|(index, device)| (device.to_string(), index)).collect(),
            known: devices.iter().map(known).collect(),
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<DeviceIndex> {
        self.by_name.get(name).copied()
    }

    pub(super) fn boot(&self, device: DeviceIndex) -> Option<BootId> {
        self.known[device].status.boot_id.clone()
    }

    pub(super) fn statuses(&self) -> Vec<DeviceStatus> {
        self.known.iter().map(|known| known.status.clone()).collect()
    }

    pub(super) fn describe(&mut self, device: DeviceIndex, meta: Meta) {
        self.known[device].status.meta = Some(meta);
    }

    pub(super) fn state(&mut self, device: DeviceIndex, channel: &str, state: &ChannelState) {
        let states = &mut self.known[device].status.states;
        match states.iter().position(|(name, _)| name == channel) {
            Some(place) => states[place].1 = state.clone(),
            None if states.len() < MAX_CHANNELS => states.push((channel.chars().take(64).collect(), state.clone())),
            None => {}
        }
    }

    pub(super) fn available(&mut self, device: DeviceIndex, said: &Availability) -> Sign {
        let status = &mut self.known[device].status;
        let same_boot = status.boot_id == said.boot_id;
        if said.presence == Presence::Offline && !same_boot && status.boot_id.is_some() {
            return Sign::OlderBoot;
        }
        if same_boot && status.presence == Some(said.presence) {
            return Sign::Known;
        }
        status.presence = Some(said.presence);
        status.boot_id.clone_from(&said.boot_id);
        Sign::News
    }

    /// Notes the number of an event; how many are missing before it. Repetitions and latecomers leave no gap.
    pub(super) fn number(&mut self, device: DeviceIndex, head: &EventHead) -> u64 {
        let Some(seq) = head.seq else { return 0 };
        let last = &mut self.known[device].status.last_seq;
        match last {
            Some((boot, last)) if *boot == head.boot_id => {
                let missing = seq.saturating_sub(*last).saturating_sub(1);
                *last = seq.max(*last);
                missing
            }
            _ => {
                *last = Some((head.boot_id.clone(), seq));
                0
            }
        }
    }

    /// The device's clock less the box's, in milliseconds, as the last events told.
    pub(super) fn clock_offset(&self, device: DeviceIndex) -> Option<i64> {
        self.known[device].status.clock_offset_ms
    }

    /// Notes what an event tells about the device's clock; the offset, when it is news. Delay makes a clock look slow,
    /// never fast, so the greatest of the last offsets counts.
    pub(super) fn clock(
        &mut self,
        device: DeviceIndex,
        sent_at: DateTime<Utc>,
        received_at: DateTime<Utc>,
    ) -> Option<i64> {
        let known = &mut self.known[device];
        known.offsets[known.next_offset] = Some(sent_at.signed_duration_since(received_at).num_milliseconds());
        known.next_offset = (known.next_offset + 1) % CLOCK_SAMPLES;
        let offset = known.offsets.iter().flatten().copied().max()?;
        known.status.clock_offset_ms = Some(offset);
        if known.told_offset.is_some_and(|told| offset.abs_diff(told) < CLOCK_NEWS_MS.unsigned_abs()) {
            return None;
        }
        known.told_offset = Some(offset);
        Some(offset)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::event::Backlog;

    fn directory() -> Directory {
        Directory::new(&[DeviceId::new("cam").expect("a name")])
    }

    fn said(presence: Presence, boot: &str) -> Availability {
        Availability { presence, boot_id: BootId::new(boot).ok() }
    }

    fn numbered(boot: &str, seq: u64) -> EventHead {
        EventHead {
            event_id: "e".parse().expect("a name"),
            boot_id: BootId::new(boot).ok(),
            seq: Some(seq),
            captured_at: DateTime::UNIX_EPOCH,
            age: TimeDelta::zero(),
            backlog: Backlog::Unmarked,
            fingerprint: [0; 32],
        }
    }

    #[test]
    fn the_last_will_of_an_older_run_does_not_take_a_device_away() {
        let mut directory = directory();
        let steps = [
            (Presence::Online, "one", Sign::News),
            (Presence::Online, "one", Sign::Known),
            (Presence::Online, "two", Sign::News),
            (Presence::Offline, "one", Sign::OlderBoot),
            (Presence::Offline, "two", Sign::News),
            (Presence::Offline, "two", Sign::Known),
        ];
        for (presence, boot, sign) in steps {
            assert_eq!(directory.available(0, &said(presence, boot)), sign, "{presence:?} {boot}");
        }
    }

    #[test]
    fn a_gap_is_counted_once_and_per_run() {
        let mut directory = directory();
        let steps = [
            ("a", 1, 0),
            ("a", 2, 0),
            ("a", 5, 2),
            ("a", 5, 0),
            ("a", 3, 0),
            ("a", 6, 0),
            ("b", 100, 0),
            ("b", 102, 1),
        ];
        for (boot, seq, missing) in steps {
            assert_eq!(directory.number(0, &numbered(boot, seq)), missing, "{boot} {seq}");
        }
        assert_eq!(directory.number(0, &numbered("b", u64::MAX)), u64::MAX - 103, "and never overflows");
    }

    #[test]
    fn a_delayed_event_does_not_make_a_good_clock_look_wrong() {
        let mut directory = directory();
        let box_time = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let late_ms = |late_ms| box_time - TimeDelta::milliseconds(late_ms);
        assert_eq!(directory.clock(0, late_ms(2), box_time), Some(-2));
        assert_eq!(directory.clock(0, late_ms(60_000), box_time), None);
        assert_eq!(directory.clock(0, late_ms(-7_000), box_time), Some(7_000));
        assert_eq!(directory.statuses()[0].clock_offset_ms, Some(7_000));
    }
}

//! What each lane goes by: its part of the configuration, as `core` and the lane's actor take it.

use std::sync::Arc;

use chrono::TimeDelta;
use tollhouse_core::lane::{self as core_lane, LaneRules};

use super::{Shared, public_url};
use crate::actors::lane::LaneWatch;
use crate::config::{Config, Direction, ExitWithoutEntry, HolderOwes, LaneConfig, PassedBy};

/// Without a loop, the same plate read again within this time after the opening is still the same car.
const SAME_CAR_WITHIN: TimeDelta = TimeDelta::seconds(10);

pub(super) fn rules(config: &Config, lane: &LaneConfig, shared: &Shared) -> LaneRules {
    let policy = &config.policy;
    let seconds = |count: u32| TimeDelta::seconds(i64::from(count));
    LaneRules {
        lane: lane.id.clone(),
        direction: match lane.direction {
            Direction::Entry => core_lane::Direction::Entry,
            Direction::Exit => core_lane::Direction::Exit,
        },
        area: lane.area.clone(),
        within: lane.within.clone(),
        capacity: config.capacity_of(&lane.area),
        barrier: lane.barrier.clone(),
        display: lane.display.clone(),
        passed_by: match lane.passed_by {
            PassedBy::Event => core_lane::PassedBy::Event,
            PassedBy::Opening => core_lane::PassedBy::Opening,
        },
        stale_after: seconds(policy.stale_after_s),
        command_ttl: seconds(policy.command_ttl_s),
        passed_after: seconds(policy.passed_after_s),
        same_car_within: SAME_CAR_WITHIN,
        exit_without_entry: match policy.exit_without_entry {
            ExitWithoutEntry::Open => core_lane::ExitWithoutEntry::Open,
            ExitWithoutEntry::Attend => core_lane::ExitWithoutEntry::Attend,
        },
        holder_owes: match policy.holder_owes {
            HolderOwes::Arrears => core_lane::HolderOwes::Arrears,
            HolderOwes::Pays => core_lane::HolderOwes::Pays,
        },
        tariff: Arc::clone(&shared.tariff),
        tax_rate: config.lot.tax_rate,
        self_opening: lane.self_opening.clone(),
        key: shared.key.clone(),
        pay_url: Some(format!("{}/pay/lanes/{}", public_url(config), lane.code)),
    }
}

/// What the lane's actor watches beside its cars.
pub(super) fn watch(lane: &LaneConfig) -> LaneWatch {
    let told = lane.passed_by == PassedBy::Event || lane.loop_device.is_some();
    LaneWatch {
        confirmed_by: lane.confirmed_by,
        passing: if told { core_lane::PassingIsTold::Yes } else { core_lane::PassingIsTold::No },
        cameras: lane.cameras.clone(),
        spare_cameras: lane.spare_cameras.clone(),
        spare_after: TimeDelta::milliseconds(i64::from(lane.spare_after_ms)),
    }
}

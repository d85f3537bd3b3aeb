//! What only several sections together can get wrong: names given twice, devices that no lane uses.

use std::collections::{BTreeMap, BTreeSet};

use tollhouse_core::id::{AreaId, DeviceId};

use super::reader::{At, Document};
use super::{AreaConfig, LaneConfig, PluginConfig};

/// A lane and where its names stand.
pub(super) struct LinedLane {
    pub(super) id_line: usize,
    pub(super) code_line: usize,
    /// Where `within` stands, if it does.
    pub(super) within_line: usize,
    pub(super) devices: Vec<At<DeviceId>>,
    pub(super) lane: LaneConfig,
}

/// A plugin and where its names stand.
pub(super) struct LinedPlugin {
    pub(super) name_line: usize,
    pub(super) devices: Vec<At<DeviceId>>,
    pub(super) plugin: PluginConfig,
}

/// Tells what is given twice or leads nowhere.
pub(super) fn check_together(document: &mut Document<'_>, lanes: &[LinedLane], plugins: &[LinedPlugin]) {
    if lanes.is_empty() && document.faults.is_empty() {
        document.fault(0, "there is no lane: a box needs at least one [[lanes]]");
    }
    twice(document, "lane id", lanes.iter().map(|l| (l.lane.id.as_str(), l.id_line)));
    twice(document, "lane code", lanes.iter().map(|l| (l.lane.code.as_str(), l.code_line)));
    twice(document, "plugin name", plugins.iter().map(|p| (p.plugin.name.as_str(), p.name_line)));

    // One device may be camera and barrier of one lane, but it stands at one lane only.
    let mut at_lane: BTreeMap<&DeviceId, &str> = BTreeMap::new();
    for lined in lanes {
        for device in &lined.devices {
            let lane = lined.lane.id.as_str();
            match at_lane.insert(&device.value, lane) {
                Some(other) if other != lane => {
                    let message = format!("device {} stands at lane {other} already", device.value);
                    document.fault(device.line, message);
                }
                _ => {}
            }
        }
    }
    let mut behind: BTreeMap<&DeviceId, &str> = BTreeMap::new();
    for lined in plugins {
        for device in &lined.devices {
            if let Some(other) = behind.insert(&device.value, &lined.plugin.name) {
                document.fault(device.line, format!("device {} is behind plugin {other} already", device.value));
            }
            if !at_lane.contains_key(&device.value) {
                document.fault(device.line, format!("device {} stands at no lane", device.value));
            }
        }
    }
}

/// Tells areas that lead nowhere, and lanes that lead from an area into itself.
pub(super) fn check_areas(document: &mut Document<'_>, areas: &[(AreaConfig, usize)], lanes: &[LinedLane]) {
    twice(document, "area", areas.iter().map(|(area, line)| (area.id.as_str(), *line)));
    let at_a_lane = |id: &AreaId| lanes.iter().any(|l| l.lane.area == *id || l.lane.within.as_ref() == Some(id));
    for (area, line) in areas.iter().filter(|(area, _)| !at_a_lane(&area.id)) {
        document.fault(*line, format!("no lane leads into or out of area {}", area.id));
    }
    // An area is reached from the street, or through another one that is.
    let mut reached: BTreeSet<&AreaId> =
        lanes.iter().filter(|l| l.lane.within.is_none()).map(|l| &l.lane.area).collect();
    let between: Vec<(&AreaId, &AreaId, usize)> = lanes
        .iter()
        .filter_map(|l| l.lane.within.as_ref().map(|within| (within, &l.lane.area, l.within_line)))
        .collect();
    for _ in &between {
        let further: Vec<&AreaId> =
            between.iter().filter(|(within, ..)| reached.contains(within)).map(|(_, area, _)| *area).collect();
        reached.extend(further);
    }
    for (within, area, line) in between {
        if within == area {
            document.fault(line, format!("the lane leads from area {area} into itself"));
        } else if !reached.contains(within) {
            document.fault(line, format!("no lane leads from the street into area {within}"));
        }
    }
}

fn twice<'a>(document: &mut Document<'_>, what: &str, names: impl Iterator<Item = (&'a str, usize)>) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, line) in names {
        if let Some(before) = first.get(name) {
            document.fault(line, format!("{what} {name:?} is given twice, first in line {before}"));
        } else {
            first.insert(name, line);
        }
    }
}

//! What a person orders of the box's drivers, and what the box answers: the words that go through the control socket.

use serde::{Deserialize, Serialize};
use tollhouse_core::record::Revision;
use utoipa::ToSchema;

use super::record::DriverRecord;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Order {
    /// Keep the library that comes along; instances that have no version yet run it.
    Install,
    /// Run a newer version: the library that comes along, or one that is kept.
    Upgrade {
        /// The kept one.
        kept: Option<Named>,
        /// Only these instances; all of the driver's when it is empty.
        instances: Vec<String>,
    },
    /// Run an older version again: the one before, or a named one; it may come along when it is not kept.
    Rollback {
        /// Which driver.
        id: String,
        /// To which version.
        to: Option<String>,
        /// Only these instances; all of the driver's when it is empty.
        instances: Vec<String>,
    },
    /// Keep a version no longer, or the whole driver.
    Remove {
        /// Which driver.
        id: String,
        /// Which version; all of them when there is none.
        version: Option<String>,
        /// Whether lanes are left without their driver.
        force: Force,
    },
    /// Start an instance that is left alone, or waits, at once.
    Release {
        /// Its name.
        instance: String,
    },
}

/// A version of a driver by name: `acme.barrier@1.2.0`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Which driver.
    pub id: String,
    /// Which version.
    pub version: String,
}

/// Whether a driver is taken from under its lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    /// Not while one needs it.
    No,
    /// All the same.
    Yes,
}

/// Whether an order is only looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Earnest {
    /// It is told what would happen.
    Rehearsal,
    /// It happens.
    Yes,
}

/// A library that comes along with an order, behind it and byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Luggage {
    /// What its file is called where it comes from.
    pub name: String,
    /// So many bytes follow.
    pub bytes: u64,
    /// The text of its signature.
    pub signature: Option<String>,
}

/// An order, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What is to be done.
    pub order: Order,
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Whether it is only looked at.
    pub earnest: Earnest,
    /// What the person saw when they agreed: the order is refused when somebody has changed it since.
    pub seen: Option<Option<Revision>>,
    /// The library that comes along.
    pub luggage: Option<Luggage>,
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What happens, or has happened, step by step.
    pub steps: Vec<String>,
    /// The revision of the record that this is seen from.
    pub seen: Option<Revision>,
}

/// How the box's drivers stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Roll {
    /// Whether the box runs: else nothing can be said of instances but what they would run.
    pub running: bool,
    /// The instances of the configuration.
    pub instances: Vec<InstanceStanding>,
    /// The drivers on record.
    pub drivers: Vec<DriverRecord>,
}

/// How an instance stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstanceStanding {
    /// Its name.
    pub name: String,
    /// Which driver it runs: as it says, or as it is configured.
    pub driver: Option<String>,
    /// The file that the configuration names; of an installed driver, none.
    pub library: Option<String>,
    /// Which version runs, or would run.
    pub version: Option<String>,
    /// `ready`, `starting`, `waiting` (it failed and is tried again), `quarantined`, `absent`, or `off` when the box does not run.
    pub state: String,
    /// Its process.
    pub pid: Option<u32>,
    /// How often it came back by itself.
    pub restarts: u64,
    /// How often it failed.
    pub failures: u64,
    /// Why it went down last, or why it does not run.
    pub fault: Option<String>,
    /// The devices behind it.
    pub devices: Vec<String>,
    /// The lanes that use them.
    pub lanes: Vec<String>,
}

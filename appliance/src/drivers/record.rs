//! What is on record of a driver: which versions are kept, which one each instance runs, and how far it has come.
//!
//! Pure. It owns the record and how it changes. Files and processes are others'.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use semver::Version;
use serde::{Deserialize, Serialize};
use tollhouse_core::record::{Record, Table};
use utoipa::ToSchema;

/// So many versions back the way is remembered.
const MOST_BACK: usize = 32;

/// A driver, by its id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriverRecord {
    /// Which driver: `acme.barrier`.
    pub id: String,
    /// The versions whose files are kept, the oldest first.
    #[serde(default)]
    pub versions: Vec<KeptVersion>,
    /// What its instances run, but for those that go their own way.
    #[serde(default)]
    pub chosen: Option<Course>,
    /// Instances that run another version than the rest, by name.
    #[serde(default)]
    pub own: BTreeMap<String, Course>,
    /// The newest signed version that has run here.
    #[serde(default)]
    pub newest: Option<String>,
    /// An older signed version than this is not taken in; only a rollback lowers it.
    #[serde(default)]
    pub floor: Option<String>,
}

/// A version whose file is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeptVersion {
    /// `1.2.0`.
    pub version: String,
    /// SHA-256 of the file, as hexadecimal digits.
    pub digest: String,
    /// Whose key signed it; of an unsigned one, nobody's.
    #[serde(default)]
    pub vendor: Option<String>,
    /// How long the file is.
    pub bytes: u64,
    /// Since when it is kept.
    #[schema(value_type = String, format = "date-time")]
    pub installed_at: DateTime<Utc>,
    /// Who installed it.
    pub installed_by: String,
}

/// Which version runs, and which ones ran before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Course {
    /// What runs.
    pub version: String,
    /// What ran before, the last one last.
    #[serde(default)]
    pub before: Vec<String>,
}

impl Course {
    /// Begins with a version.
    pub fn begin(version: &str) -> Self {
        Self { version: version.to_owned(), before: Vec::new() }
    }

    /// Goes on to another version; the way back is remembered.
    pub fn go_on(&mut self, version: &str) {
        let left = std::mem::replace(&mut self.version, version.to_owned());
        self.before.push(left);
        if self.before.len() > MOST_BACK {
            self.before.remove(0);
        }
    }

    /// Goes back to a version, and forgets the way on from there.
    pub fn go_back(&mut self, version: &str) {
        let place = self.before.iter().rposition(|before| before == version).unwrap_or(self.before.len());
        self.before.truncate(place);
        version.clone_into(&mut self.version);
    }
}

impl Record for DriverRecord {
    const TABLE: Table = Table::Drivers;
    fn key(&self) -> String {
        self.id.clone()
    }
}

/// A version as a number to compare; what is on record was one when it was written.
pub fn number(version: &str) -> Version {
    Version::parse(version).unwrap_or(Version::new(0, 0, 0))
}

impl DriverRecord {
    /// Of a driver that nothing is known of yet.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }

    /// What is kept of a version.
    pub fn kept(&self, version: &str) -> Option<&KeptVersion> {
        self.versions.iter().find(|kept| kept.version == version)
    }

    /// Keeps a version, in the order of versions.
    pub fn keep(&mut self, kept: KeptVersion) {
        self.versions.push(kept);
        self.versions.sort_by_key(|kept| number(&kept.version));
    }

    /// Which way an instance goes.
    pub fn course(&self, instance: &str) -> Option<&Course> {
        self.own.get(instance).or(self.chosen.as_ref())
    }

    /// A signed version has run: from now on an older one is a step back.
    pub fn ran(&mut self, version: &str) {
        let raised = |known: &Option<String>| known.as_ref().is_none_or(|known| number(known) < number(version));
        for known in [&mut self.newest, &mut self.floor] {
            if raised(known) {
                *known = Some(version.to_owned());
            }
        }
    }

    /// A person goes back: from now on this version is welcome again.
    pub fn lower_floor(&mut self, version: &str) {
        if self.floor.as_ref().is_some_and(|floor| number(floor) > number(version)) {
            self.floor = Some(version.to_owned());
        }
    }

    /// Forgets a version that is no longer kept.
    pub fn forget(&mut self, version: &str) {
        self.versions.retain(|kept| kept.version != version);
        for course in self.chosen.iter_mut().chain(self.own.values_mut()) {
            course.before.retain(|before| before != version);
        }
        self.own.retain(|_, course| course.version != version);
        if self.chosen.as_ref().is_some_and(|course| course.version == version) {
            self.chosen = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_rises_with_what_ran_and_falls_only_when_a_person_goes_back() {
        let mut record = DriverRecord::new("acme.barrier");
        for (ran, floor) in [("1.9.0", "1.9.0"), ("1.10.0", "1.10.0"), ("1.2.0", "1.10.0")] {
            record.ran(ran);
            assert_eq!(record.floor.as_deref(), Some(floor));
        }
        record.lower_floor("1.9.0");
        assert_eq!((record.floor.as_deref(), record.newest.as_deref()), (Some("1.9.0"), Some("1.10.0")));
        record.lower_floor("1.9.5");
        assert_eq!(record.floor.as_deref(), Some("1.9.0"), "lowering never raises");
    }

    #[test]
    fn the_way_back_is_the_way_that_was_come() {
        let mut course = Course::begin("1.0.0");
        course.go_on("1.1.0");
        course.go_on("1.2.0");
        course.go_back("1.0.0");
        assert_eq!(course, Course::begin("1.0.0"), "two steps at once");
        course.go_on("1.2.0");
        course.go_back("1.1.0");
        assert_eq!((course.version.as_str(), course.before.as_slice()), ("1.1.0", &["1.0.0".to_owned()][..]));
    }

    #[test]
    fn an_instance_that_goes_its_own_way_comes_back_to_the_others_when_that_version_goes() {
        let mut record = DriverRecord { chosen: Some(Course::begin("1.0.0")), ..DriverRecord::new("acme.barrier") };
        let mut own = Course::begin("1.0.0");
        own.go_on("1.1.0");
        record.own.insert("north".to_owned(), own);
        assert_eq!(record.course("north").map(|course| course.version.as_str()), Some("1.1.0"));
        record.forget("1.1.0");
        assert_eq!(record.course("north").map(|course| course.version.as_str()), Some("1.0.0"));
    }

    #[test]
    fn a_record_of_today_opens_in_every_later_release() {
        let json = r#"{"id":"acme.barrier"}"#;
        assert_eq!(serde_json::from_str::<DriverRecord>(json).expect("a record"), DriverRecord::new("acme.barrier"));
    }
}

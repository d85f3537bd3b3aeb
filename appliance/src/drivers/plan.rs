//! What an order comes to: what will happen, said step by step before anybody agrees, or why it is refused and what to do.
//!
//! Pure. It owns the rules of installing, upgrading, going back and removing; who carries a plan out is [`super::desk`].

use chrono::{DateTime, Utc};
use tollhouse_core::record::ChangeKind;

use super::order::{Force, Named, Order};
use super::record::{Course, DriverRecord, KeptVersion, number};

/// So many versions of a driver are kept.
const MOST_KEPT: usize = 20;

/// An instance of the configuration that runs an installed driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// The driver that it runs.
    pub driver: String,
    /// The lanes that need it.
    pub lanes: Vec<String>,
}

impl Instance {
    fn shown(&self) -> String {
        match self.lanes.as_slice() {
            [] => self.name.clone(),
            [lane] => format!("{} (lane {lane})", self.name),
            lanes => format!("{} (lanes {})", self.name, lanes.join(", ")),
        }
    }
}

/// A library that came along, as the box took it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Which driver.
    pub id: String,
    /// In which version.
    pub version: String,
    /// SHA-256 of the file.
    pub digest: String,
    /// Whose key signed it.
    pub vendor: Option<String>,
    /// How long it is.
    pub bytes: u64,
}

impl Offered {
    fn shown(&self) -> String {
        let signed = self.vendor.as_ref().map_or_else(|| "unsigned".to_owned(), |vendor| format!("signed by {vendor}"));
        let digest = self.digest.get(..16).unwrap_or(&self.digest);
        format!("{} {} ({signed}, {} KiB, SHA-256 {digest}...)", self.id, self.version, self.bytes.div_ceil(1024))
    }
}

/// An instance that another version begins to run in, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// Which instance.
    pub instance: String,
    /// What it runs from now on.
    pub to: Option<String>,
}

/// What will happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// As what it stands in the journal.
    pub kind: ChangeKind,
    /// In words.
    pub steps: Vec<String>,
    /// The record afterwards.
    pub after: DriverRecord,
    /// A version whose file is put on the shelf.
    pub keep: Option<String>,
    /// Versions whose files go.
    pub drop: Vec<String>,
    /// Instances that change.
    pub switches: Vec<Switch>,
}

/// What an order is looked at with.
pub struct Scene<'a> {
    /// What is on record of the driver.
    pub record: &'a DriverRecord,
    /// The instances of the configuration that run installed drivers.
    pub instances: &'a [Instance],
    /// Drivers that instances run from a file that the configuration names.
    pub from_files: &'a [String],
    /// The library that came along.
    pub offered: Option<&'a Offered>,
    /// Who orders.
    pub by: &'a str,
    /// When.
    pub now: DateTime<Utc>,
}

/// Looks at an order; in words, why it is refused. [`Order::Release`] changes no record and has no plan.
pub fn plan(order: &Order, scene: &Scene<'_>) -> Result<Plan, String> {
    match order {
        Order::Install => scene.install(),
        Order::Upgrade { kept, instances } => scene.upgrade(kept.as_ref(), instances),
        Order::Rollback { to, instances, .. } => scene.rollback(to.as_deref(), instances),
        Order::Remove { version, force, .. } => scene.remove(version.as_deref(), *force),
        Order::Release { .. } => Err("releasing an instance changes nothing that is kept".to_owned()),
    }
}

impl Scene<'_> {
    fn begin(&self, kind: ChangeKind) -> Plan {
        let after = self.record.clone();
        Plan { kind, steps: Vec::new(), after, keep: None, drop: Vec::new(), switches: Vec::new() }
    }

    fn of_driver(&self) -> impl Iterator<Item = &Instance> {
        self.instances.iter().filter(|instance| instance.driver == self.record.id)
    }

    fn runs(&self, instance: &str) -> Option<&str> {
        self.record.course(instance).map(|course| course.version.as_str())
    }

    /// Puts what came along on the shelf, unless it stands there already.
    fn keep_offered(&self, offered: &Offered, plan: &mut Plan) -> Result<(), String> {
        match self.record.kept(&offered.version) {
            Some(kept) if kept.digest == offered.digest => {
                plan.steps.push(format!("{} is kept already", offered.shown()));
                return Ok(());
            }
            Some(_) => {
                return Err(format!(
                    "{} {} is kept with other content: a file that changed is another version; ask {} for one",
                    offered.id,
                    offered.version,
                    offered.vendor.as_deref().unwrap_or("its vendor")
                ));
            }
            None if self.record.versions.len() >= MOST_KEPT => {
                return Err(format!(
                    "{MOST_KEPT} versions of {id} are kept, which is as many as there may be: remove an old one with \
                     tollhouse driver remove {id}@{}",
                    self.record.versions[0].version,
                    id = offered.id
                ));
            }
            None => {}
        }
        plan.steps.push(format!("{} is kept on the box", offered.shown()));
        plan.keep = Some(offered.version.clone());
        plan.after.keep(KeptVersion {
            version: offered.version.clone(),
            digest: offered.digest.clone(),
            vendor: offered.vendor.clone(),
            bytes: offered.bytes,
            installed_at: self.now,
            installed_by: self.by.to_owned(),
        });
        Ok(())
    }

    fn install(&self) -> Result<Plan, String> {
        let offered = self.offered.ok_or("a library is wanted: tollhouse driver install FILE")?;
        let (id, version) = (&offered.id, &offered.version);
        let mut plan = self.begin(ChangeKind::DriverInstalled);
        self.keep_offered(offered, &mut plan)?;
        if let Some(course) = &self.record.chosen {
            if plan.keep.is_none() {
                return Err(format!("{id} {version} is kept already, and {} is what runs", course.version));
            }
            let next = if number(version) > number(&course.version) {
                format!("{} goes on; tollhouse driver upgrade {id}@{version} lets the new one run", course.version)
            } else {
                format!("{} goes on; tollhouse driver rollback {id} --to {version} lets it run", course.version)
            };
            plan.steps.push(next);
            return Ok(plan);
        }
        plan.after.chosen = Some(Course::begin(version));
        for instance in self.of_driver() {
            plan.steps.push(format!("{} begins to run {id} {version}", instance.shown()));
            plan.switches.push(Switch { instance: instance.name.clone(), to: Some(version.clone()) });
        }
        if plan.switches.is_empty() {
            plan.steps.push(format!(
                "no instance runs it yet: one that says driver = \"{id}\" in the box's configuration does, after a restart"
            ));
        }
        Ok(plan)
    }

    /// The instances that are meant, and the course that is changed: their own, or that of all.
    fn meant(&self, names: &[String]) -> Result<Vec<&Instance>, String> {
        let of_driver: Vec<&Instance> = self.of_driver().collect();
        if names.is_empty() {
            return Ok(of_driver);
        }
        let find = |name: &String| {
            let found = of_driver.iter().find(|instance| instance.name == *name).copied();
            found.ok_or_else(|| {
                let known: Vec<&str> = of_driver.iter().map(|instance| instance.name.as_str()).collect();
                let known = if known.is_empty() { "none does".to_owned() } else { known.join(", ") };
                format!("no instance {name} runs {}: {known}", self.record.id)
            })
        };
        names.iter().map(find).collect()
    }

    fn upgrade(&self, stored: Option<&Named>, names: &[String]) -> Result<Plan, String> {
        let mut plan = self.begin(ChangeKind::DriverUpgraded);
        let id = &self.record.id;
        let version = match (self.offered, stored) {
            (Some(offered), None) => {
                self.keep_offered(offered, &mut plan)?;
                offered.version.clone()
            }
            (None, Some(one)) if self.record.kept(&one.version).is_some() => one.version.clone(),
            (None, Some(one)) => return Err(self.not_kept(&one.version)),
            _ => return Err("a library or a kept version is wanted: tollhouse driver upgrade FILE".to_owned()),
        };
        let meant = self.meant(names)?;
        let runs: Vec<&str> = match meant.as_slice() {
            [] => self.record.chosen.iter().map(|course| course.version.as_str()).collect(),
            meant => meant.iter().filter_map(|instance| self.runs(&instance.name)).collect(),
        };
        if let Some(newer) = runs.iter().find(|runs| number(runs) > number(&version)) {
            return Err(format!(
                "{newer} of {id} runs, and {version} is older: going back is a decision of its own: tollhouse driver \
                 rollback {id} --to {version}"
            ));
        }
        if !runs.is_empty() && runs.iter().all(|runs| *runs == version) {
            return Err(format!("{id} {version} runs already"));
        }
        self.redirect(&mut plan, names, &meant, &version, Way::On);
        plan.steps.push("if it does not become ready, the one before it comes back by itself".to_owned());
        plan.steps.push(format!("the way back: tollhouse driver rollback {id}"));
        Ok(plan)
    }

    fn not_kept(&self, version: &str) -> String {
        format!("{version} of {} is not kept on this box: {}", self.record.id, self.are_kept())
    }

    fn are_kept(&self) -> String {
        let kept: Vec<&str> = self.record.versions.iter().map(|kept| kept.version.as_str()).collect();
        if kept.is_empty() { "none is".to_owned() } else { format!("{} are", kept.join(", ")) }
    }

    /// Sends instances on another course; without names all of them, and those that are not configured yet.
    fn redirect(&self, plan: &mut Plan, names: &[String], meant: &[&Instance], version: &str, way: Way) {
        let turn = |course: Option<&Course>| {
            let Some(mut course) = course.cloned() else { return Course::begin(version) };
            match way {
                Way::On if course.version != version => course.go_on(version),
                Way::Back => course.go_back(version),
                Way::On => {}
            }
            course
        };
        if names.is_empty() {
            plan.after.chosen = Some(turn(self.record.chosen.as_ref()));
            plan.after.own.clear();
        } else {
            for name in names {
                plan.after.own.insert(name.clone(), turn(self.record.course(name)));
            }
        }
        for instance in meant {
            let from = self.runs(&instance.name);
            if from == Some(version) {
                continue;
            }
            let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
            plan.steps.push(format!(
                "{} goes{from} to {version}: its devices are away for a moment, and a command under way there ends with \
                 an unknown outcome",
                instance.shown()
            ));
            plan.switches.push(Switch { instance: instance.name.clone(), to: Some(version.to_owned()) });
        }
        if meant.is_empty() {
            plan.steps.push(format!("no instance of the configuration runs {}", self.record.id));
        }
    }

    fn rollback(&self, to: Option<&str>, names: &[String]) -> Result<Plan, String> {
        let id = &self.record.id;
        let mut plan = self.begin(ChangeKind::DriverRolledBack);
        if self.record.versions.is_empty() && self.offered.is_none() {
            return self.lower(to, plan);
        }
        let meant = self.meant(names)?;
        let course = match names {
            [] => self.record.chosen.as_ref(),
            [name, ..] => self.record.course(name),
        };
        let course = course.ok_or_else(|| format!("no version of {id} runs here"))?;
        let to = match (to, course.before.last()) {
            (Some(to), _) => to.to_owned(),
            (None, Some(before)) => before.clone(),
            (None, None) => {
                return Err(format!(
                    "no version ran before {} of {id}: say which one with --to ({} kept)",
                    course.version,
                    self.are_kept()
                ));
            }
        };
        match self.offered {
            Some(offered) if offered.version != to => {
                return Err(format!("the file is {} {}, and not {to}", offered.id, offered.version));
            }
            Some(offered) => self.keep_offered(offered, &mut plan)?,
            None if self.record.kept(&to).is_none() => {
                return Err(format!("{}; give its library with --file", self.not_kept(&to)));
            }
            None => {}
        }
        if number(&to) >= number(&course.version) {
            return Err(format!(
                "{} of {id} runs, and {to} is not older: tollhouse driver upgrade {id}@{to}",
                course.version
            ));
        }
        self.redirect(&mut plan, names, &meant, &to, Way::Back);
        plan.after.lower_floor(&to);
        plan.steps.push(format!("{} stays on the box: tollhouse driver upgrade {id}@{0}", course.version));
        Ok(plan)
    }

    /// Where the configuration names the driver's file itself, going back is to say that an older one is welcome.
    fn lower(&self, to: Option<&str>, mut plan: Plan) -> Result<Plan, String> {
        let id = &self.record.id;
        let Some(floor) = &self.record.floor else {
            let known = if self.from_files.contains(id) { "has not run yet" } else { "is not known" };
            return Err(format!("the driver {id} {known} on this box: there is nothing to go back from"));
        };
        let to = to.ok_or_else(|| format!("{floor} of {id} has run here: say with --to which older one is to run"))?;
        if number(to) >= number(floor) {
            return Err(format!("{floor} of {id} has run here, and {to} is not older: it is welcome as it is"));
        }
        plan.after.lower_floor(to);
        plan.steps.push(format!("{to} of {id} and what is newer is taken in again; {floor} has run here"));
        plan.steps.push("put that file where the configuration says, and start the box again".to_owned());
        Ok(plan)
    }

    fn remove(&self, version: Option<&str>, force: Force) -> Result<Plan, String> {
        let id = &self.record.id;
        let mut plan = self.begin(ChangeKind::DriverRemoved);
        plan.drop = match version {
            Some(version) if self.record.kept(version).is_none() => return Err(self.not_kept(version)),
            Some(version) => vec![version.to_owned()],
            None => self.record.versions.iter().map(|kept| kept.version.clone()).collect(),
        };
        if plan.drop.is_empty() {
            return Err(format!("no version of {id} is kept on this box"));
        }
        for gone in &plan.drop {
            plan.after.forget(gone);
        }
        let needed = |instance: &&Instance| self.runs(&instance.name).is_some_and(|v| plan.drop.iter().any(|d| d == v));
        let users: Vec<&Instance> = self.of_driver().filter(needed).collect();
        if force == Force::No && !users.is_empty() {
            let shown: Vec<String> = users.iter().map(|instance| instance.shown()).collect();
            let other = match version {
                Some(_) => format!("go to another version first (tollhouse driver rollback {id}, or upgrade)"),
                None => "take the instance out of the configuration first".to_owned(),
            };
            return Err(format!(
                "{} needs it: {other}; or say --force, and its lane waits for a person from then on",
                shown.join(" and ")
            ));
        }
        for instance in users {
            let to = plan.after.course(&instance.name).map(|course| course.version.clone());
            let then = to.as_ref().map_or_else(
                || "stops: its devices are gone, and its lane waits for a person".to_owned(),
                |to| format!("runs {to} like the others"),
            );
            plan.steps.push(format!("{} {then}", instance.shown()));
            plan.switches.push(Switch { instance: instance.name.clone(), to });
        }
        plan.steps
            .extend(plan.drop.iter().map(|gone| format!("{id} {gone} is kept no longer, and its file is deleted")));
        Ok(plan)
    }
}

/// In which direction a course turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    On,
    Back,
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;

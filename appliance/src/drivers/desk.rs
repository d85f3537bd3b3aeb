//! The desk at which drivers are installed, upgraded, set back and removed, one order after the other.
//!
//! It takes libraries in, carries plans out and puts them on record, with who and why. It does its slow work on the thread
//! that asks, never on the lanes' or links'. What an order comes to is decided in [`super::plan`].

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;
use tollhouse_core::record::{Cause, Change, ChangeKind, Kept, Records};
use tollhouse_drivers::link::LinkState;
use tollhouse_drivers::plugin::signature::Statement;
use tollhouse_drivers::plugin::{PluginHost, SealedLibrary, Standing, Trust, describe_sealed};

use super::order::{Asked, Earnest, Order, Roll, Told};
use super::plan::{self, Instance, Offered, Plan, Scene, Switch};
use super::record::{DriverRecord, number};
use super::shelf::Shelf;
use super::slot::{DriverSlot, Surroundings};
use crate::config::{DriverSource, DriversConfig};
use crate::store::Store;

/// So many drivers are told of at once.
const MOST_DRIVERS: usize = 1000;

/// What the desk is made of.
pub struct DeskParts {
    /// Where records are.
    pub store: Store,
    /// Where copies are.
    pub shelf: Shelf,
    /// Whose signature counts.
    pub keys: DriversConfig,
    /// The places of the configured instances.
    pub slots: Vec<Arc<DriverSlot>>,
    /// The executable that reads descriptors: the box's own.
    pub executable: PathBuf,
    /// The time of day.
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// A running box's surroundings; a stopped one has none.
    pub around: Option<Surroundings>,
}

/// See the module.
pub struct DriverDesk {
    parts: DeskParts,
    turn: Mutex<()>,
}

/// A library that came along with an order.
struct Came {
    library: SealedLibrary,
    offered: Offered,
}

impl DriverDesk {
    /// A desk; nothing is started by it.
    pub fn new(parts: DeskParts) -> Arc<Self> {
        Arc::new(Self { parts, turn: Mutex::new(()) })
    }

    /// The shelf, to receive what comes along.
    pub fn shelf(&self) -> &Shelf {
        &self.parts.shelf
    }

    /// The places of the instances.
    pub fn slots(&self) -> &[Arc<DriverSlot>] {
        &self.parts.slots
    }

    /// Starts what the configuration and the records say, once, at the box's start. A file that the configuration names
    /// and that is refused keeps the box from starting; an installed driver that is refused leaves its own place empty.
    pub fn start_all(self: &Arc<Self>, around: &Surroundings) -> Result<(), (String, String)> {
        for slot in &self.parts.slots {
            let host = match &slot.config().driver {
                DriverSource::File(path) => {
                    let taken = self
                        .trust(None)
                        .and_then(|trust| SealedLibrary::take(path, &trust).map_err(|fault| fault.to_string()));
                    slot.start(taken.map_err(|why| (slot.name().to_owned(), why))?, around)
                }
                DriverSource::Installed(id) => match self.chosen(id, slot.name()) {
                    Ok(library) => slot.start(library, around),
                    Err(why) => {
                        tracing::error!(instance = slot.name(), "no driver runs: {why}");
                        slot.wrong(Some(why));
                        around.observer.link(slot.name(), LinkState::Down);
                        continue;
                    }
                },
            };
            tokio::spawn(Self::note_when_ready(Arc::clone(self), host));
        }
        Ok(())
    }

    /// How all of them stand.
    pub fn roll(&self) -> Result<Roll, String> {
        let drivers = self.records()?;
        let running = self.parts.around.is_some();
        let instances = self.parts.slots.iter().map(|slot| {
            let record = slot.installed().and_then(|id| drivers.iter().find(|record| record.id == id));
            let meant = record.and_then(|record| record.course(slot.name())).map(|course| course.version.clone());
            let mut standing = slot.standing(meant);
            if !running {
                "off".clone_into(&mut standing.state);
            }
            standing
        });
        Ok(Roll { running, instances: instances.collect(), drivers })
    }

    /// Looks at an order, or carries it out. Call it on a thread that may be slow.
    pub async fn order(&self, asked: &Asked, luggage: Option<File>) -> Result<Told, String> {
        let _turn = self.turn.lock().await;
        if let Order::Release { instance } = &asked.order {
            return self.release(instance, asked.earnest).await;
        }
        let came = match (&asked.luggage, luggage) {
            (Some(what), Some(file)) => {
                Some(self.take_in(&what.name, file, what.signature.clone(), &asked.order).await?)
            }
            _ => None,
        };
        let offered = came.as_ref().map(|came| &came.offered);
        let id = Self::subject(&asked.order, offered)?;
        let kept = self.record(&id)?;
        let seen = kept.as_ref().map(|kept| kept.revision);
        let record = kept.map_or_else(|| DriverRecord::new(&id), |kept| kept.record);
        let instances: Vec<Instance> = self.parts.slots.iter().filter_map(|slot| slot.instance()).collect();
        let from_files = self.file_drivers();
        let now = (self.parts.now)();
        let scene =
            Scene { record: &record, instances: &instances, from_files: &from_files, offered, by: &asked.by, now };
        let plan = plan::plan(&asked.order, &scene)?;
        if asked.earnest == Earnest::Rehearsal {
            return Ok(Told { steps: plan.steps, seen });
        }
        if asked.seen.is_some_and(|agreed| agreed != seen) {
            return Err(format!("the driver {id} was changed by somebody else meanwhile: look again"));
        }
        self.carry_out(asked, plan, &record, came).await
    }

    /// Which driver an order is about.
    fn subject(order: &Order, offered: Option<&Offered>) -> Result<String, String> {
        let named = match order {
            Order::Upgrade { kept, .. } => kept.as_ref().map(|named| named.id.clone()),
            Order::Rollback { id, .. } | Order::Remove { id, .. } => Some(id.clone()),
            Order::Install | Order::Release { .. } => None,
        };
        match (named, offered) {
            (Some(named), Some(offered)) if named != offered.id => {
                Err(format!("the file is the driver {}, and not {named}", offered.id))
            }
            (Some(named), _) => Statement::new(&named, "0.0.0").map(|_| named).map_err(|fault| fault.to_string()),
            (None, Some(offered)) => Ok(offered.id.clone()),
            (None, None) => Err("a library is wanted".to_owned()),
        }
    }

    async fn release(&self, name: &str, earnest: Earnest) -> Result<Told, String> {
        let slot = self.slot(name)?;
        let host = slot.host().ok_or_else(|| format!("no driver runs at {name}: there is nothing to start"))?;
        let standing = host.status().standing;
        if matches!(standing, Standing::Ready | Standing::Starting) {
            return Err(format!("{name} is at work: there is nothing to release"));
        }
        if earnest == Earnest::Yes {
            host.release().await;
        }
        Ok(Told { steps: vec![format!("{name} is started again at once, as if it had never failed")], seen: None })
    }

    async fn carry_out(
        &self,
        asked: &Asked,
        plan: Plan,
        before: &DriverRecord,
        came: Option<Came>,
    ) -> Result<Told, String> {
        let id = &plan.after.id;
        if let (Some(version), Some(came)) = (&plan.keep, &came) {
            let kept = self.parts.shelf.keep(id, version, &came.library);
            kept.map_err(|fault| format!("{id} {version} cannot be kept on the box: {fault}"))?;
            if plan.kind != ChangeKind::DriverInstalled || !plan.switches.is_empty() {
                // It is kept, whatever becomes of the attempt to run it.
                let mut only_kept = before.clone();
                plan.after.kept(version).cloned().into_iter().for_each(|kept| only_kept.keep(kept));
                self.commit(ChangeKind::DriverInstalled, &only_kept, person(asked)).await?;
            }
        }
        // Taking away cannot fail, so it is on record before it happens; a new version is once it has become ready.
        if plan.kind == ChangeKind::DriverRemoved {
            self.commit(plan.kind, &plan.after, person(asked)).await?;
            self.switch_all(&plan, before).await?;
            for version in &plan.drop {
                if let Err(fault) = self.parts.shelf.drop(id, version) {
                    tracing::warn!(%fault, "the file of {id} {version} could not be deleted");
                }
            }
        } else {
            self.switch_all(&plan, before).await?;
            let mut after = plan.after.clone();
            for version in plan.switches.iter().filter_map(|switch| switch.to.as_deref()) {
                let signed = after.kept(version).is_some_and(|kept| kept.vendor.is_some());
                if signed && self.parts.around.is_some() && plan.kind != ChangeKind::DriverRolledBack {
                    after.ran(version);
                }
            }
            self.commit(plan.kind, &after, person(asked)).await?;
        }
        tracing::info!(by = asked.by, reason = asked.reason, steps = ?plan.steps, "drivers were changed");
        let seen = self.record(id)?.map(|kept| kept.revision);
        Ok(Told { steps: plan.steps, seen })
    }

    /// Brings instances to their versions, one after the other; when one does not come up, all go back.
    async fn switch_all(&self, plan: &Plan, before: &DriverRecord) -> Result<(), String> {
        let Some(around) = &self.parts.around else { return Ok(()) };
        let id = &plan.after.id;
        let mut done: Vec<&Switch> = Vec::new();
        for switch in &plan.switches {
            let slot = self.slot(&switch.instance)?;
            let Some(version) = &switch.to else {
                slot.clear(around).await;
                continue;
            };
            let switched = match self.shelved(&plan.after, version) {
                Ok(library) => slot.switch(library, around).await,
                Err(why) => Err(why),
            };
            let Err(why) = switched else {
                done.push(switch);
                continue;
            };
            let mut words = vec![format!("{id} {version} does not become ready at {}: {why}.", switch.instance)];
            for back in done.into_iter().rev() {
                if let Err(again) = self.set_back(back, before, around).await {
                    words.push(format!("{} could not be set back: {again}.", back.instance));
                }
            }
            words.push(
                before.course(&switch.instance).map_or_else(
                    || "Nothing runs there.".to_owned(),
                    |course| format!("{} runs again.", course.version),
                ),
            );
            words.push(format!("{id} {version} is kept: tollhouse driver upgrade {id}@{version} tries it again"));
            return Err(words.join(" "));
        }
        Ok(())
    }

    async fn set_back(&self, switch: &Switch, before: &DriverRecord, around: &Surroundings) -> Result<(), String> {
        let slot = self.slot(&switch.instance)?;
        if let Some(course) = before.course(&switch.instance) {
            return slot.switch(self.shelved(before, &course.version)?, around).await;
        }
        slot.clear(around).await;
        Ok(())
    }

    fn slot(&self, name: &str) -> Result<&Arc<DriverSlot>, String> {
        self.parts.slots.iter().find(|slot| slot.name() == name).ok_or_else(|| format!("no instance is called {name}"))
    }

    /// Drivers that run from files which the configuration names, as far as they have said who they are.
    fn file_drivers(&self) -> Vec<String> {
        let files = self.parts.slots.iter().filter(|slot| slot.installed().is_none());
        files.filter_map(|slot| slot.standing(None).driver).collect()
    }
}

/// Taking libraries in.
impl DriverDesk {
    /// What the box trusts now: the revocation list is read anew, and the newest versions stand in the records. A version
    /// that a person has chosen is welcome however old it is.
    fn trust(&self, welcome: Option<(&str, &str)>) -> Result<Trust, String> {
        let mut trust = self.parts.keys.trust()?;
        for record in self.records()? {
            let Some(floor) = &record.floor else { continue };
            trust.floors.insert(record.id.clone(), number(floor));
        }
        if let Some((id, version)) = welcome
            && let Some(floor) = trust.floors.get_mut(id)
        {
            *floor = number(version).min(floor.clone());
        }
        Ok(trust)
    }

    async fn take_in(&self, name: &str, file: File, signature: Option<String>, order: &Order) -> Result<Came, String> {
        let welcome = match order {
            Order::Rollback { id, to: Some(to), .. } => Some((id.as_str(), to.as_str())),
            _ => None,
        };
        let trust = self.trust(welcome)?;
        let bytes = file.metadata().map_err(|fault| format!("{name} cannot be read: {fault}"))?.len();
        let library =
            SealedLibrary::take_open(Path::new(name), file, signature, &trust).map_err(|fault| fault.to_string())?;
        let described = describe_sealed(&library, &self.parts.executable).await.map_err(|fault| fault.to_string())?;
        let statement = Statement::new(&described.id, &described.version)
            .map_err(|fault| format!("the driver {name} cannot be kept: {fault}"))?;
        let identity = library.identity();
        let vendor = identity.signed.as_ref().map(|(_, vendor)| vendor.clone());
        let (id, version) = (statement.id, statement.version.to_string());
        let offered = Offered { id, version, digest: identity.digest.clone(), vendor, bytes };
        Ok(Came { library, offered })
    }

    /// The version that an instance is to run, from the shelf.
    fn chosen(&self, id: &str, instance: &str) -> Result<SealedLibrary, String> {
        let none = || format!("no version of {id} is installed: tollhouse driver install FILE");
        let record = self.record(id)?.ok_or_else(none)?.record;
        let version = record.course(instance).ok_or_else(none)?.version.clone();
        self.shelved(&record, &version)
    }

    fn shelved(&self, record: &DriverRecord, version: &str) -> Result<SealedLibrary, String> {
        let id = &record.id;
        let kept = record.kept(version).ok_or_else(|| format!("{id} {version} is not kept on this box"))?;
        let trust = self.trust(Some((id, version)))?;
        let library =
            SealedLibrary::take(&self.parts.shelf.path(id, version), &trust).map_err(|fault| fault.to_string())?;
        if library.identity().digest != kept.digest {
            return Err(format!(
                "the kept file of {id} {version} is not the one that was installed: remove that version, and install it again"
            ));
        }
        Ok(library)
    }
}

/// What is on record.
impl DriverDesk {
    fn records(&self) -> Result<Vec<DriverRecord>, String> {
        let listed = self.parts.store.snapshot().list::<DriverRecord>("", MOST_DRIVERS);
        Ok(listed.map_err(|fault| fault.to_string())?.into_iter().map(|kept| kept.record).collect())
    }

    fn record(&self, id: &str) -> Result<Option<Kept<DriverRecord>>, String> {
        self.parts.store.snapshot().get::<DriverRecord>(id).map_err(|fault| fault.to_string())
    }

    async fn commit(&self, kind: ChangeKind, record: &DriverRecord, cause: Cause) -> Result<(), String> {
        let mut change = Change::new(kind, (self.parts.now)(), cause);
        change.put(record);
        let committed = self.parts.store.commit(change).await;
        committed.map(drop).map_err(|fault| format!("it could not be put on record: {fault}"))
    }

    /// A signed version that becomes ready raises the floor of its driver.
    async fn note_when_ready(self: Arc<Self>, host: Arc<PluginHost>) {
        let mut status = host.watch();
        if status.wait_for(|status| status.standing == Standing::Ready).await.is_err() {
            return;
        }
        let Some((statement, _)) = host.identity().signed else { return };
        let _turn = self.turn.lock().await;
        let version = statement.version.to_string();
        let mut record = match self.record(&statement.id) {
            Ok(kept) => kept.map_or_else(|| DriverRecord::new(&statement.id), |kept| kept.record),
            Err(why) => return tracing::error!("the version that runs cannot be put on record: {why}"),
        };
        let known = record.floor.as_ref().is_some_and(|floor| number(floor) >= statement.version);
        if known {
            return;
        }
        record.ran(&version);
        let cause = Cause::Box(format!("{} {version} has become ready", statement.id));
        if let Err(why) = self.commit(ChangeKind::DriverRan, &record, cause).await {
            tracing::error!("the version that runs cannot be put on record: {why}");
        }
    }
}

fn person(asked: &Asked) -> Cause {
    Cause::Person { name: asked.by.clone(), reason: asked.reason.clone() }
}

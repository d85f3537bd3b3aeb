//! One seed's world: the box, its hardware, the cars, the bank, and the virtual clock that moves them all.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use tollhouse_core::id::{AreaId, DeviceId, IdKey, LaneId};
use tollhouse_core::lane::{Direction, ExitWithoutEntry, HolderOwes, LaneRules, PassedBy};
use tollhouse_core::tariff::{Plan, TariffBook, parse};

use crate::bank::Bank;
use crate::cars::{Car, Crossing};
use crate::chance::Chance;
use crate::faults::{Faults, Planted};
use crate::hardware::Place;
use crate::lot::Shell;
use crate::queue::{Happens, Queue, Seen};
use crate::watch::Watch;

/// Faults go on for this long.
const STORM: TimeDelta = TimeDelta::hours(4);
/// Within this time after the last fault everybody must be where they want to be.
pub(crate) const CALM: TimeDelta = TimeDelta::hours(4);
/// A world that does not come to rest has a loop in it.
const MOST_HAPPENINGS: usize = 400_000;
/// How many cars the lot takes.
pub(crate) const CAPACITY: i64 = 8;

pub(crate) struct World {
    pub(crate) queue: Queue,
    pub(crate) chance: Chance,
    pub(crate) faults: Faults,
    pub(crate) planted: Planted,
    pub(crate) watch: Watch,
    /// The box while it runs; `None` while it is down.
    pub(crate) shell: Option<Shell>,
    pub(crate) run: u32,
    /// Device events that are not done with, by token.
    pub(crate) unacknowledged: BTreeMap<u64, (usize, Seen)>,
    pub(crate) names: u64,
    pub(crate) rules: Vec<LaneRules>,
    pub(crate) places: Vec<Place>,
    pub(crate) cars: Vec<Car>,
    pub(crate) crossings: Vec<Crossing>,
    pub(crate) bank: Bank,
    pub(crate) calm_from: DateTime<Utc>,
    /// Whether the provider calls back at all.
    pub(crate) callbacks: Callbacks,
    pub(crate) trace: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callbacks {
    On,
    Off,
}

pub(crate) fn key() -> IdKey {
    IdKey::new([1; 32])
}

pub(crate) fn tax_rate() -> Decimal {
    Decimal::new(9, 2)
}

pub(crate) fn tariff() -> Arc<TariffBook> {
    static NESTED: LazyLock<Arc<TariffBook>> = LazyLock::new(|| {
        let file = parse::parse(include_str!("../../../appliance/tariffs/nested-court.toml")).expect("a tariff");
        Arc::new(TariffBook::of(Plan::new(Arc::new(file)).expect("a plan")))
    });
    Arc::clone(&NESTED)
}

/// The lanes: two entries, two exits, and one each way between the lot and its inner court.
pub(crate) const COURT_IN: usize = 4;
pub(crate) const COURT_OUT: usize = 5;
const LANES: usize = 6;
/// In one seed of so many the box hears in time which car stands where, and can be held to it.
const QUIET_EVERY: u64 = 15;
/// Places for temporary cars in the court.
const COURT_CAPACITY: i64 = 3;

fn rules(number: usize, passed_by: PassedBy, exit_without_entry: ExitWithoutEntry) -> LaneRules {
    let inward = number < 2 || number == COURT_IN;
    let direction = if inward { Direction::Entry } else { Direction::Exit };
    let name = match number {
        COURT_IN => "court-in".to_owned(),
        COURT_OUT => "court-out".to_owned(),
        _ => format!("{}-{}", direction.as_str(), number % 2 + 1),
    };
    let area = |name: &str| AreaId::new(name).expect("a name");
    let inner = number >= COURT_IN;
    LaneRules {
        lane: LaneId::new(&*name).expect("a name"),
        direction,
        area: area(if inner { "court" } else { "main" }),
        within: inner.then(|| area("main")),
        capacity: if inner { COURT_CAPACITY } else { CAPACITY },
        barrier: DeviceId::new(format!("gate-{name}")).expect("a name"),
        display: Some(DeviceId::new(format!("display-{name}")).expect("a name")),
        passed_by,
        stale_after: TimeDelta::seconds(60),
        command_ttl: TimeDelta::seconds(10),
        passed_after: TimeDelta::seconds(10),
        same_car_within: TimeDelta::seconds(10),
        exit_without_entry,
        holder_owes: HolderOwes::Arrears,
        tariff: tariff(),
        tax_rate: tax_rate(),
        self_opening: vec![],
        key: key(),
        pay_url: None,
    }
}

/// What came of a seed.
pub(crate) struct Story {
    pub(crate) failure: Option<String>,
    pub(crate) commits: u64,
    pub(crate) crashes: u32,
    pub(crate) trace: Vec<String>,
}

/// Plays one seed to its end.
pub(crate) fn play(seed: u64, planted: Planted, traced: Option<()>) -> Story {
    let mut world = World::new(seed, planted);
    world.trace = traced.map(|()| vec![]);
    let failure = world.go().err();
    Story {
        failure,
        commits: world.watch.records.revision(),
        crashes: world.run - 1,
        trace: world.trace.unwrap_or_default(),
    }
}

impl World {
    fn new(seed: u64, planted: Planted) -> Self {
        let mut chance = Chance::new(seed);
        let faults = Faults::drawn(&mut chance);
        let faults = if seed.is_multiple_of(QUIET_EVERY) { faults.without_those_of_reads() } else { faults };
        let start = DateTime::from_timestamp(1_800_000_000, 0).expect("in range");
        let without = if chance.happens(800) { ExitWithoutEntry::Open } else { ExitWithoutEntry::Attend };
        let rules: Vec<LaneRules> = (0..LANES)
            .map(|number| {
                let by = if chance.happens(750) { PassedBy::Event } else { PassedBy::Opening };
                rules(number, by, without)
            })
            .collect();
        let callbacks = if chance.happens(500) { Callbacks::On } else { Callbacks::Off };
        let mut world = Self {
            queue: Queue::starting_at(start),
            chance,
            faults,
            planted,
            watch: Watch::new(),
            shell: None,
            run: 0,
            unacknowledged: BTreeMap::new(),
            names: 0,
            places: rules.iter().map(|_| Place::default()).collect(),
            rules,
            cars: vec![],
            crossings: vec![],
            bank: Bank::default(),
            calm_from: start + STORM,
            callbacks,
            trace: None,
        };
        world.cars_arrive();
        world.queue.at(start, Happens::Start);
        // The last fault is that the process dies.
        world.queue.at(start + STORM, Happens::Crash);
        world
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.queue.now
    }

    /// Whether faults still happen.
    pub(crate) fn stormy(&self) -> bool {
        self.now() < self.calm_from
    }

    /// A fault with this chance in a thousand; never once the faults have stopped.
    pub(crate) fn fault(&mut self, permille: u64) -> bool {
        self.chance.happens(permille) && self.stormy()
    }

    /// A name that was never used before.
    pub(crate) fn fresh(&mut self, what: &str) -> String {
        self.names += 1;
        format!("{what}{}", self.names)
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        let now = self.queue.now;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {}", now.format("%H:%M:%S%.3f"), line()));
        }
    }

    fn go(&mut self) -> Result<(), String> {
        for _ in 0..MOST_HAPPENINGS {
            if self.now() >= self.calm_from + CALM {
                return self.verdict();
            }
            let Some(happens) = self.queue.next() else { return self.verdict() };
            self.happen(happens)?;
        }
        Err("the world does not come to rest".into())
    }

    fn happen(&mut self, happens: Happens) -> Result<(), String> {
        match happens {
            Happens::Told { lane, told, token } => self.told(lane, told, token),
            Happens::Timer { run, lane, timer } => self.timer(run, lane, timer),
            Happens::Commit { run, lane } => self.answer_commit(run, lane),
            Happens::Carry { run, lane, effect } => self.carry(run, lane, effect),
            Happens::Hears { lane, command } => self.barrier_hears(lane, &command),
            Happens::Arm { lane, up } => self.arm_moved(lane, up),
            Happens::Car { car } => self.car_acts(car),
            Happens::Wallet { order } => {
                self.wallet(order);
                Ok(())
            }
            Happens::Round { run } => self.round(run),
            Happens::Desk { run, job } => self.desk(run, job),
            Happens::DeskCommit { run, job, change } => self.desk_commit(run, job, *change),
            Happens::Callback { order } => {
                self.callback(order);
                Ok(())
            }
            Happens::Crash => {
                self.crash();
                Ok(())
            }
            Happens::Start => self.start(),
        }
    }
}

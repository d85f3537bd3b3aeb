//! The cars and their drivers: where they want to be, and whether, when and how often they pay.

use chrono::{DateTime, TimeDelta, Utc};
use tollhouse_core::lane::{Input, OnLoop, Passage, Standing, Way};
use tollhouse_core::pass::{GatePass, Grants, MorePolicy, OverduePolicy, Places};
use tollhouse_core::plate::Plate;
use tollhouse_core::record::{Cause, Change, ChangeKind};

use crate::desk::DeskJob;
use crate::queue::{Arm, Happens, Told};
use crate::world::{COURT_IN, COURT_OUT, World};

/// How many cars there are.
const CARS: usize = 12;
/// A car whose fee is on record as paid stands no longer than this before a lane that runs.
const PAID_AND_OPEN: TimeDelta = TimeDelta::minutes(2);
/// When nothing goes wrong, no car stands in a lane longer than this.
const SERVED: TimeDelta = TimeDelta::minutes(40);

#[derive(Debug)]
pub(crate) struct Car {
    pub(crate) plate: String,
    pub(crate) pays: Pays,
    pub(crate) stands: Stands,
    pub(crate) trips: usize,
    /// When the driver last began to pay.
    asked_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Temporary,
    Pass,
    Free,
    Blocked,
    /// One of three cars on a card with two places.
    Tandem(MorePolicy),
    /// Its card's bill is overdue until its holder pays at the office.
    Overdue(OverduePolicy),
}

/// The card with two places.
pub(crate) const TANDEM: &str = "C-tandem";
const TANDEM_PLACES: u32 = 2;
/// The car whose bill is overdue.
const DEBTOR: usize = 7;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pays {
    Once,
    /// Two orders, both paid.
    Twice,
    /// Inside, before driving to the exit.
    Early,
    /// After a long time at the exit.
    Late,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    Outside,
    At(usize),
    Inside,
    /// In the inner court, which has lanes of its own inside the lot.
    InCourt,
    /// Where it wants to be, for good.
    Content,
}

/// A car drove through a lane between areas.
#[derive(Debug)]
pub(crate) struct Crossing {
    pub(crate) car: usize,
    pub(crate) lane: usize,
    /// It stood there from then, as far as the lane could tell,
    pub(crate) from: DateTime<Utc>,
    /// until then.
    pub(crate) to: DateTime<Utc>,
}

impl World {
    pub(crate) fn cars_arrive(&mut self) {
        let more = [MorePolicy::Refuse, MorePolicy::ChargeAsTemporary, MorePolicy::AdmitFree][self.chance.below(3)];
        let overdue = [OverduePolicy::OpenAndWarn, OverduePolicy::ChargeAsTemporary, OverduePolicy::RefuseEntry];
        let overdue = overdue[self.chance.below(3)];
        for number in 0..CARS {
            let kind = match number {
                0 => Kind::Pass,
                1 => Kind::Free,
                2 => Kind::Blocked,
                3 => [Kind::Pass, Kind::Temporary][self.chance.below(2)],
                4..=6 => Kind::Tandem(more),
                DEBTOR => Kind::Overdue(overdue),
                _ => Kind::Temporary,
            };
            let pays = [Pays::Once, Pays::Once, Pays::Twice, Pays::Early, Pays::Late, Pays::Never];
            let pays = pays[self.chance.below(pays.len())];
            let trips = 1 + self.chance.below(3);
            let (plate, asked_at) = (format!("粤C{:05}", 10_000 + number), self.now());
            self.write_pass(&plate, kind);
            self.cars.push(Car { plate, pays, stands: Stands::Outside, trips, asked_at });
            let wait = self.chance.ms(1_000, 5_400_000);
            self.queue.after(wait, Happens::Car { car: number });
        }
    }

    fn write_pass(&mut self, plate: &str, kind: Kind) {
        let now = self.now();
        let days = TimeDelta::days(30);
        let mut places = None;
        let card = plate.replace('粤', "C");
        let grants = match kind {
            Kind::Temporary => return,
            Kind::Free => Grants::Free { until: None },
            Kind::Blocked => Grants::Blocked { reason: "stolen".into() },
            Kind::Pass => {
                let overdue = OverduePolicy::OpenAndWarn;
                Grants::Owned { card, paid_until: now + days, grace_days: 0, overdue }
            }
            Kind::Tandem(more) => {
                places = Some(Places { count: TANDEM_PLACES, more });
                let overdue = OverduePolicy::RefuseEntry;
                Grants::Owned { card: TANDEM.into(), paid_until: now + days, grace_days: 0, overdue }
            }
            Kind::Overdue(overdue) => Grants::Owned { card, paid_until: now - days, grace_days: 0, overdue },
        };
        let mut change = Change::new(ChangeKind::PassWritten, now, Cause::Time);
        change.put(&GatePass { places, ..GatePass::new(Plate::new(plate).expect("a plate"), grants) });
        self.watch.take(change, None).expect("sound").expect("relies on nothing");
    }

    /// The follower of the journal has lanes look again, sooner or later; now and then the debtor pays at the office.
    pub(crate) fn passes_moved(&mut self) {
        if self.chance.happens(5) {
            let plate = self.cars[DEBTOR].plate.clone();
            self.write_pass(&plate, Kind::Pass);
        }
        for lane in 0..4 {
            if !self.fault(self.faults.lost) {
                let wait = self.chance.ms(0, 900);
                let told = Told::Input(Input::LookAtPass);
                self.queue.after(wait, Happens::Told { lane, told, token: None });
            }
        }
    }

    /// A car and its driver do what they do next.
    pub(crate) fn car_acts(&mut self, car: usize) -> Result<(), String> {
        match self.cars[car].stands {
            Stands::Content => {}
            Stands::Outside if self.cars[car].trips == 0 => self.cars[car].stands = Stands::Content,
            Stands::Outside => self.drive_to_one_of(car, 0),
            Stands::Inside if self.wants_to_pay_early(car) => {
                self.ask_early(car);
                let wait = self.chance.ms(5_000, 900_000);
                self.queue.after(wait, Happens::Car { car });
            }
            Stands::Inside if self.stormy() && self.chance.happens(400) => self.drive_to(car, COURT_IN),
            Stands::Inside => self.drive_to_one_of(car, 2),
            Stands::InCourt => self.drive_to(car, COURT_OUT),
            Stands::At(lane) => {
                self.is_served(car, lane)?;
                self.stands_in_lane(car, lane);
            }
        }
        Ok(())
    }

    /// Of two lanes that lead the same way, one.
    fn drive_to_one_of(&mut self, car: usize, first: usize) {
        let lane = first + self.chance.below(2);
        self.drive_to(car, lane);
    }

    fn drive_to(&mut self, car: usize, lane: usize) {
        let wait = self.chance.ms(4_000, 15_000);
        if self.places[lane].car.is_none() && self.places[lane].arm == Arm::Down {
            self.places[lane].car = Some(car);
            self.places[lane].since = self.now();
            for (number, place) in self.places.iter_mut().enumerate() {
                place.backed_out.take_if(|(who, _)| (number == lane) != (*who == car));
            }
            self.cars[car].stands = Stands::At(lane);
            self.note(|| format!("car {car} stands at lane {lane}"));
            self.loop_tells(lane, OnLoop::Occupied);
            let plate = self.cars[car].plate.clone();
            self.cameras_read(lane, &plate);
        }
        self.queue.after(wait, Happens::Car { car });
    }

    /// Nobody is shut in: who has paid is let out, and nobody stands for ever.
    fn is_served(&self, car: usize, lane: usize) -> Result<(), String> {
        let stood = self.now() - self.places[lane].since.max(self.calm_from);
        if stood > SERVED {
            return Err(format!("car {car} {:?} is not served at lane {lane}", self.cars[car]));
        }
        let Some((Passage { bill: Some(bill), .. }, Shows::Waiting)) = self.shown(car, lane) else { return Ok(()) };
        let started = self.shell.as_ref().map_or(self.now(), |shell| shell.started_at);
        let paid = self.watch.settled_at.get(bill).is_some_and(|at| self.now() - *at.max(&started) > PAID_AND_OPEN);
        if paid { Err(format!("car {car} has paid and lane {lane} stays shut")) } else { Ok(()) }
    }

    fn stands_in_lane(&mut self, car: usize, lane: usize) {
        let stood = self.now() - self.places[lane].since;
        let (before, behind) = match lane {
            0 | 1 => (Stands::Outside, Stands::Inside),
            COURT_IN => (Stands::Inside, Stands::InCourt),
            COURT_OUT => (Stands::InCourt, Stands::Inside),
            _ => (Stands::Inside, Stands::Outside),
        };
        let exit = behind == Stands::Outside;
        if self.places[lane].arm == Arm::Up && !self.fault(100) {
            if exit {
                self.cars[car].trips -= 1;
            }
            if lane >= COURT_IN {
                let place = &self.places[lane];
                let (from, to) = (place.backed_out.map_or(place.since, |(_, since)| since), self.now());
                self.crossings.push(Crossing { car, lane, from, to });
            }
            return self.leaves(car, lane, Way::Through, behind);
        }
        let stays = if exit { TimeDelta::minutes(20) } else { TimeDelta::minutes(3) };
        let refused = !exit && self.is_refused(car, lane);
        let gives_up = self.stormy() && (self.chance.happens(15) || stood > stays);
        if refused && before == Stands::Outside && stood > TimeDelta::seconds(20) && !self.stormy() {
            self.cars[car].trips = 0;
        }
        if gives_up || refused && stood > TimeDelta::seconds(20) {
            return self.leaves(car, lane, Way::Back, before);
        }
        if exit {
            self.at_exit(car, lane, stood);
        } else if self.fault(self.faults.person) {
            self.person_opens(lane);
        }
        let plate = self.cars[car].plate.clone();
        self.cameras_read(lane, &plate);
        let wait = self.chance.ms(4_000, 15_000);
        self.queue.after(wait, Happens::Car { car });
    }

    fn leaves(&mut self, car: usize, lane: usize, way: Way, to: Stands) {
        self.note(|| format!("car {car} leaves lane {lane} {way:?}"));
        self.loop_saw(lane, way);
        let place = &mut self.places[lane];
        let stood = place.backed_out.take().or(place.presence());
        place.backed_out = stood.filter(|_| way == Way::Back);
        place.car = None;
        self.loop_tells(lane, OnLoop::Clear);
        self.cars[car].stands = to;
        let wait = if self.stormy() { self.chance.ms(10_000, 5_400_000) } else { self.chance.ms(10_000, 600_000) };
        self.queue.after(wait, Happens::Car { car });
    }

    /// The passage that the lane's display shows, if it is this car's.
    fn shown(&self, car: usize, lane: usize) -> Option<(&Passage, Shows)> {
        let lane = &self.shell.as_ref()?.lanes[lane].lane;
        let (passage, shows) = match lane.standing() {
            Standing::Waiting(passage) => (passage, Shows::Waiting),
            Standing::Refused(passage) => (passage, Shows::Refused),
            Standing::Opening(_) | Standing::Free => return None,
        };
        let own = passage.plate.as_ref().is_some_and(|plate| plate.as_str() == self.cars[car].plate);
        own.then_some((passage, shows))
    }

    pub(crate) fn is_refused(&self, car: usize, lane: usize) -> bool {
        self.shown(car, lane).is_some_and(|(_, shows)| shows == Shows::Refused)
    }

    /// At an exit that waits for money, or for the attendant.
    fn at_exit(&mut self, car: usize, lane: usize, stood: TimeDelta) {
        if self.fault(self.faults.person) {
            self.person_opens(lane);
        }
        let Some((passage, Shows::Waiting)) = self.shown(car, lane) else { return };
        let bill = passage.bill;
        let pays = self.cars[car].pays;
        let Some(bill) = bill else {
            // The lot wants the attendant to look at cars without an entry.
            return self.person_opens(lane);
        };
        let patience = match pays {
            Pays::Never if stood > TimeDelta::minutes(10) => return self.person_opens(lane),
            Pays::Never => return,
            Pays::Late => TimeDelta::minutes(12),
            Pays::Once | Pays::Twice | Pays::Early => TimeDelta::zero(),
        };
        // A driver who has tried to pay tries again after a minute.
        if stood < patience || self.now() - self.cars[car].asked_at < TimeDelta::seconds(60) {
            return;
        }
        self.cars[car].asked_at = self.now();
        for _ in 0..=usize::from(pays == Pays::Twice) {
            self.desk_later(DeskJob::Order { bill, within_ms: if self.stormy() { 330_000 } else { 20_000 } });
        }
    }

    fn wants_to_pay_early(&self, car: usize) -> bool {
        let asked = self.cars[car].asked_at;
        self.cars[car].pays == Pays::Early && self.now() - asked > TimeDelta::minutes(40)
    }

    fn ask_early(&mut self, car: usize) {
        self.cars[car].asked_at = self.now();
        let plate = Plate::new(&self.cars[car].plate).expect("a plate");
        self.desk_later(DeskJob::Early { plate });
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    Waiting,
    Refused,
}

//! All desks of the box: what stands behind HTTP calls, the control socket and commands on a stopped box alike.
//!
//! A desk decides in `core` against a snapshot and commits. Here they are made, once, from what they share; who asks them
//! and how is not their business.

mod command;

use std::path::Path;
use std::sync::Arc;

use tollhouse_core::id::{DeviceId, IdKey};
use tollhouse_core::lot::{Lot, LotArea, LotLane};
use tollhouse_core::record::{By, Cause, Change, ChangeKind, ReadError, Records};

use crate::admin::Admin;
use crate::books::BooksDesk;
use crate::charging::{ChargingDesks, ChargingParts};
use crate::clock::BoxClock;
use crate::config::{Config, Direction, LaneConfig};
use crate::coupons::{CouponDesk, CouponParts};
use crate::invoices::{InvoiceDesk, InvoiceParts, ReceiptProvider};
use crate::reconciliation::{CaseDesk, Reconciler, Surroundings};
use crate::secret::{self, SecretError};
use crate::store::{Snapshot, Store, StoreError, StoreOptions, Undone};
use crate::users::UserDesk;

pub use command::{DeskCommand, answer};

/// What desks are made of.
#[derive(Clone)]
pub struct DeskParts {
    /// Where they read and commit.
    pub store: Store,
    /// The time.
    pub clock: BoxClock,
    /// From which ids are derived.
    pub key: IdKey,
    /// The lot, as the configuration says it.
    pub lot: Arc<Lot>,
    /// The administrator, whose password is kept elsewhere; a stopped box has none.
    pub admin: Option<Arc<Admin>>,
}

/// The desks.
#[derive(Clone)]
pub struct Desks {
    /// What they all stand on; for lists, which only read.
    pub store: Store,
    /// The time.
    pub clock: BoxClock,
    /// The lot, as the configuration says it.
    pub lot: Arc<Lot>,
    /// Accounts, tokens, sessions.
    pub users: UserDesk,
    /// The books.
    pub books: BooksDesk,
    /// Reconciliation.
    pub reconciler: Reconciler,
    /// Cases of the gate and of reconciliation.
    pub cases: CaseDesk,
    /// Property charging.
    pub charging: ChargingDesks,
    /// Merchants, coupons, discounts by hand, the free list.
    pub coupons: CouponDesk,
    /// Invoices and receipts.
    pub invoices: InvoiceDesk,
}

impl Desks {
    /// All desks over the same parts.
    pub fn new(parts: &DeskParts) -> Self {
        let DeskParts { store, clock, key, lot, admin } = parts.clone();
        let charging = ChargingDesks::new(&ChargingParts::new(parts));
        let coupons =
            CouponParts { store: store.clone(), clock: clock.clone(), key: key.clone(), lot: Arc::clone(&lot) };
        let receipts = Arc::new(ReceiptProvider::new(clock.clone(), lot.zone));
        let invoices = InvoiceParts {
            store: store.clone(),
            clock: clock.clone(),
            lot: Arc::clone(&lot),
            providers: vec![receipts],
        };
        Self {
            books: BooksDesk::new(store.clone(), clock.clone(), key.clone(), lot.zone),
            reconciler: Reconciler::new(store.clone(), clock.clone(), key.clone(), Arc::clone(&lot)),
            cases: CaseDesk::new(store.clone(), clock.clone()),
            users: UserDesk::new(store.clone(), clock.clone(), key, lot.limits.clone(), admin),
            charging,
            coupons: CouponDesk::new(coupons),
            invoices: InvoiceDesk::new(invoices),
            store,
            clock,
            lot,
        }
    }

    /// The records as they are.
    pub fn records(&self) -> Snapshot {
        self.store.snapshot()
    }
}

/// Why a stopped box's desks cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NoDesks {
    /// Its files cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its key cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Its records cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The box has never run on this folder since it keeps its lot there.
    #[error(
        "the data folder does not say what its lot is; give --config FILE instead of --data, or start the box once"
    )]
    NoLot,
}

/// The desks of a stopped box. Close the store when done: it holds the folder's lock.
pub fn of_folder(data: &Path, config: Option<&Config>) -> Result<Desks, NoDesks> {
    let store = Store::open(data, StoreOptions::default())?;
    let lot = match config {
        Some(config) => lot(config),
        None => first_lot(&store.snapshot())?.ok_or(NoDesks::NoLot)?,
    };
    let key = secret::box_key(data)?;
    let clock = BoxClock::start(1);
    let desks = Desks::new(&DeskParts { store, clock, key, lot: Arc::new(lot), admin: None });
    desks.reconciler.settle_in(Surroundings { data: data.to_owned(), ..Surroundings::default() });
    Ok(desks)
}

fn first_lot(records: &Snapshot) -> Result<Option<Lot>, ReadError> {
    Ok(records.list::<Lot>("", 1)?.into_iter().next().map(|kept| kept.record))
}

/// The lot as the configuration says it.
pub fn lot(config: &Config) -> Lot {
    let areas = config.areas();
    let areas = areas.iter().map(|area| LotArea { id: area.to_string(), capacity: config.capacity_of(area) });
    Lot {
        id: config.lot.id.clone(),
        name: config.lot.name.clone(),
        zone: config.lot.zone,
        currency: config.lot.currency,
        tax_rate: config.lot.tax_rate,
        capacity: config.lot.capacity,
        areas: areas.collect(),
        lanes: config.lanes.iter().map(lane).collect(),
        limits: config.limits.clone(),
        charging: config.charging.clone(),
        documents: config.documents.clone(),
    }
}

fn lane(lane: &LaneConfig) -> LotLane {
    let one = |part: &str, device: &DeviceId| (device.to_string(), part.to_owned());
    let all = |part: &'static str, devices: &[DeviceId]| devices.iter().map(|device| one(part, device)).collect();
    let parts: [Vec<(String, String)>; 5] = [
        vec![one("barrier", &lane.barrier)],
        all("camera", &lane.cameras),
        all("spare_camera", &lane.spare_cameras),
        lane.display.iter().map(|device| one("display", device)).collect(),
        lane.loop_device.iter().map(|device| one("loop", device)).collect(),
    ];
    LotLane {
        id: lane.id.to_string(),
        direction: if lane.direction == Direction::Entry { "entry" } else { "exit" }.to_owned(),
        area: lane.area.to_string(),
        within: lane.within.as_ref().map(ToString::to_string),
        devices: parts.concat(),
    }
}

/// Puts the lot on record when it is new or has changed, for commands on the stopped box.
pub async fn keep_lot(desks: &Desks) -> Result<(), Undone<ReadError>> {
    let (lot, now) = (Arc::clone(&desks.lot), desks.clock.now());
    let by = By { cause: Cause::Box("as the configuration says".to_owned()), once: None };
    let decide = |records: &Snapshot| {
        let kept = records.get::<Lot>(lot.id.as_str())?;
        if kept.as_ref().is_some_and(|kept| kept.record == *lot) {
            return Ok(((), None));
        }
        let mut change: Change = by.change(ChangeKind::LotChanged, now);
        change.rely_on(lot.id.as_str(), kept.as_ref());
        change.put(lot.as_ref());
        Ok(((), Some(change)))
    };
    desks.store.decide(&by, decide).await
}

//! Where everything meets: from a configuration to a running box, and back down in good order. Links, actors and server
//! know message types and traits; only this module knows who they are.

mod fault;
mod lanes;
mod money;
mod passes;
mod payment;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Arbiter};
use actix_web::dev::ServerHandle;
use chrono::{DateTime, Utc};
use futures_util::future::{join_all, join3};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tollhouse_core::id::{DeviceId, IdKey};
use tollhouse_core::tariff::TariffBook;
use tollhouse_drivers::event::Presence;
use tollhouse_drivers::mqtt::{MqttConfig, MqttLink};
use tollhouse_drivers::plugin::{FileWall, file_wall};
use tollhouse_drivers::{DeviceLink, EventSink, Observer};

use crate::actors::billing::{BillingActor, BillingParts};
use crate::actors::lane::LaneParts;
use crate::actors::lot::messages::{BillMoved, FinishLanes};
use crate::actors::lot::{HousekeepingPlace, LotActor, LotParts, Outbox, Rounds, Routes};
use crate::actors::payment::codes::Codes;
use crate::actors::whitelist::{Ear, ListedCamera, WhitelistActor, WhitelistParts};
use crate::admin::Admin;
use crate::charging::ChargingDesks;
use crate::charging::bills::remind::NoticeLog;
use crate::charging::bills::round::{BillClock, BillRound};
use crate::clock::BoxClock;
use crate::config::{Config, LaneConfig};
use crate::control::{ControlSocket, Reach};
use crate::desks::{self, DeskParts as DeskShare, Desks};
use crate::devices::Devices;
use crate::drivers::{DeskParts, DriverDesk, DriverSlot, Shelf, Surroundings, slots};
use crate::http::{self, Doors};
use crate::invoices::InvoiceActor;
use crate::live::Live;
use crate::metrics::{LinkObserver, Metrics};
use crate::past;
use crate::pictures::Pictures;
use crate::readiness::{Part, Readiness, Standing};
use crate::secret;
use crate::store::{Store, StoreOptions};
use crate::tariffs::{self, Tariffs};

pub use fault::StartError;
use lanes::{rules, watch};

/// Lanes run on so many threads of their own.
const LANE_THREADS: usize = 2;
/// How long the box finishes what is decided before it closes the store all the same.
const FINISH_WITHIN: Duration = Duration::from_secs(1);
/// A visitor whose time has come has a pass at the gate within this time.
const INVITED_EVERY: Duration = Duration::from_secs(15);
/// How long links and pages may take to hang up.
const HANG_UP_WITHIN: Duration = Duration::from_millis(2_500);

/// A running box.
pub struct Running {
    /// Where it serves.
    pub http: SocketAddr,
    /// Its lot.
    pub lot: Addr<LotActor>,
    /// What people watch.
    pub live: Arc<Live>,
    /// What it keeps.
    pub store: Store,
    /// Whether it is ready.
    pub readiness: Arc<Readiness>,
    /// The way to its devices.
    pub devices: Arc<Devices>,
    links: Links,
    server: ServerHandle,
    arbiters: Vec<Arbiter>,
    _control: ControlSocket,
    _bills: BillClock,
}

struct Links {
    observer: Arc<LinkObserver>,
    mqtt: Arc<MqttLink>,
    drivers: Arc<DriverDesk>,
}

/// What most parts of the box share.
struct Shared {
    store: Store,
    clock: BoxClock,
    key: IdKey,
    tariff: Arc<TariffBook>,
    tariffs: Arc<Tariffs>,
    live: Arc<Live>,
    metrics: Arc<Metrics>,
    readiness: Arc<Readiness>,
    outbox: Arc<Outbox>,
    codes: Arc<Codes>,
    pictures: Arc<Pictures>,
}

/// Starts the box; `admin` may open lanes by hand. Must be called within an actix system; what it starts ends with [`Running::stop`].
pub fn start(config: &Config, clock: BoxClock, admin: Option<Admin>) -> Result<Running, StartError> {
    let shared = share(config, clock)?;
    let routes = Arc::new(Routes::new(config.lanes.iter().map(|lane| (lane.id.clone(), owned(lane)))));
    let listed = listed_cameras(config);
    let plain: Arc<dyn EventSink> = Arc::<Routes>::clone(&routes);
    let ear = (!listed.is_empty())
        .then(|| Arc::new(Ear::new(Arc::clone(&plain), listed.iter().map(|camera| camera.device.clone()))));
    let sink = ear.as_ref().map_or(plain, |ear| Arc::<Ear>::clone(ear));
    let (links, devices) = connect(config, &shared, sink)?;
    let devices = Arc::new(devices);
    // The lanes' threads, the desk's, and one for what follows the journal.
    let arbiters: Vec<Arbiter> = (0..LANE_THREADS + 2).map(|_| Arbiter::new()).collect();
    let lot = start_lot(config, &shared, &routes, &devices, &arbiters);
    passes::follow(config, &shared, &lot, &arbiters[LANE_THREADS + 1]);
    if let Some(ear) = ear {
        keep_lists(&ear, listed, &shared, &devices, &arbiters[LANE_THREADS]);
    }
    let admin = admin.map(Arc::new);
    let desks = desks(config, &shared, admin);
    let bills = bill_by_itself(config, &desks)?;
    let (server, http) = serve(config, &shared, &lot, &links.drivers, &arbiters, &desks)?;
    let reach =
        Reach { store: shared.store.clone(), drivers: Arc::clone(&links.drivers), desks, runtime: Handle::current() };
    let control = ControlSocket::listen(&config.store.data, reach).map_err(StartError::Control)?;
    let Shared { store, live, readiness, .. } = shared;
    Ok(Running {
        http,
        lot,
        live,
        store,
        readiness,
        devices,
        links,
        server,
        arbiters,
        _control: control,
        _bills: bills,
    })
}

/// What property charging does by itself, on a thread of its own.
fn bill_by_itself(config: &Config, desks: &Desks) -> Result<BillClock, StartError> {
    let reminders = Arc::new(NoticeLog::new(config.store.data.join("reminders.jsonl")));
    let ChargingDesks { bills, runs, .. } = &desks.charging;
    let round = BillRound::new(runs.clone(), bills.parts().clone(), reminders, config.bills.clone());
    round.start().map_err(StartError::Bills)
}

fn share(config: &Config, clock: BoxClock) -> Result<Shared, StartError> {
    let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"))?);
    let counted = Arc::clone(&metrics);
    let options = StoreOptions {
        on_batch: Arc::new(move |batch| counted.committed(batch.took, batch.changes)),
        ..StoreOptions::default()
    };
    let store = Store::open(&config.store.data, options)?;
    let key = secret::box_key(&config.store.data)?;
    let readiness = Arc::new(Readiness::default());
    readiness.part(Part::Store, Standing::Up);
    for device in config.lanes.iter().flat_map(LaneConfig::devices) {
        readiness.device(device.as_str(), Standing::Down);
        metrics.device(device, Presence::Offline);
    }
    let live = Arc::new(Live::new(config.lot.name.clone(), config.lot.capacity));
    let tariffs = Arc::new(tariffs(config, &store, clock.now())?);
    let tariff = Arc::new(tariffs.book.clone());
    let pictures = Pictures::open(&config.store.data, key.clone()).map_err(StartError::Pictures)?;
    Ok(Shared {
        store,
        clock,
        key,
        tariff,
        tariffs,
        live,
        metrics,
        readiness,
        outbox: Arc::default(),
        codes: Arc::default(),
        pictures: Arc::new(pictures),
    })
}

fn owned(lane: &LaneConfig) -> Vec<DeviceId> {
    lane.devices().into_iter().cloned().collect()
}

/// The lot's tariff, with the versions that are no longer configured for the stays that began under them. Each version
/// is put on record, once, before anything is priced by it.
fn tariffs(config: &Config, store: &Store, now: DateTime<Utc>) -> Result<Tariffs, StartError> {
    let mut loaded = tariffs::of_lot(&config.lot, &config.areas()).map_err(|faults| StartError::tariff(&faults))?;
    tariffs::keep(&loaded, store, now)?;
    let former = tariffs::former(&loaded, &store.snapshot());
    loaded.book = loaded.book.with_former(former);
    Ok(loaded)
}

fn connect(config: &Config, shared: &Shared, sink: Arc<dyn EventSink>) -> Result<(Links, Devices), StartError> {
    let ear = LinkObserver::new(Arc::clone(&shared.metrics), Arc::clone(&shared.readiness));
    let ear = Arc::new(ear.keeping(Arc::clone(&shared.pictures), shared.clock.for_drivers()));
    let observer: Arc<dyn Observer> = Arc::<LinkObserver>::clone(&ear);
    let clock = shared.clock.for_drivers();
    let mut devices = Devices::default();
    config.drivers.trust().map_err(StartError::Revocations)?;
    wall_off(config, shared);
    let executable = std::env::current_exe().map_err(StartError::Executable)?;
    let around = Surroundings {
        clock: clock.clone(),
        sink: Arc::clone(&sink),
        observer: Arc::clone(&observer),
        executable: executable.clone(),
    };
    let now = shared.clock.clone();
    let drivers = DriverDesk::new(DeskParts {
        store: shared.store.clone(),
        shelf: Shelf::of(&config.store.data),
        keys: config.drivers.clone(),
        slots: slots(config),
        executable,
        now: Arc::new(move || now.now()),
        around: Some(around.clone()),
    });
    drivers.start_all(&around).map_err(|(name, fault)| StartError::Driver { name, fault })?;
    for slot in drivers.slots() {
        let link: Arc<dyn DeviceLink> = Arc::<DriverSlot>::clone(slot);
        devices.add(slot.config().devices.iter().cloned(), &link);
    }
    let broker = &config.mqtt;
    let mut mqtt = MqttConfig::new(broker.host.clone(), broker.port, config.lot.id.clone(), config.mqtt_devices());
    mqtt.client_id.clone_from(&broker.client_id);
    mqtt.username.clone_from(&broker.username);
    if let Some(file) = &broker.password_file {
        let text = std::fs::read_to_string(file).map_err(|fault| StartError::Password(file.clone(), fault))?;
        mqtt.password = text.lines().next().map(str::to_owned);
    }
    let mqtt = Arc::new(MqttLink::start(mqtt, clock, sink, observer));
    let link: Arc<dyn DeviceLink> = Arc::<MqttLink>::clone(&mqtt);
    devices.add(config.mqtt_devices(), &link);
    Ok((Links { observer: ear, mqtt, drivers }, devices))
}

/// The cameras that can open by themselves, each with what its list is made for.
fn listed_cameras(config: &Config) -> Vec<ListedCamera> {
    let of_lane = |lane: &LaneConfig| {
        let limit = usize::try_from(lane.whitelist_limit).unwrap_or(usize::MAX);
        let area = lane.area.clone();
        let camera = move |device: &DeviceId| ListedCamera { device: device.clone(), area: area.clone(), limit };
        lane.self_opening.iter().map(camera).collect::<Vec<_>>()
    };
    config.lanes.iter().flat_map(of_lane).collect()
}

fn keep_lists(ear: &Arc<Ear>, cameras: Vec<ListedCamera>, shared: &Shared, devices: &Arc<Devices>, desk: &Arbiter) {
    let parts = WhitelistParts {
        cameras,
        store: shared.store.clone(),
        devices: Arc::clone(devices),
        metrics: Arc::clone(&shared.metrics),
        clock: shared.clock.clone(),
        key: shared.key.clone(),
    };
    let lists = WhitelistActor::start_in_arbiter(&desk.handle(), move |_| WhitelistActor::new(parts));
    ear.tell(lists.recipient());
}

/// Says so where the kernel cannot wall drivers off from the box's files: that is nothing to be silent about.
fn wall_off(config: &Config, shared: &Shared) {
    let wall = file_wall();
    shared.metrics.driver_file_wall(wall);
    if wall == FileWall::Missing && !config.plugins.is_empty() {
        shared.readiness.device("the kernel's landlock, which keeps drivers from the box's files", Standing::Down);
        tracing::warn!(
            "this kernel has no landlock, so a driver can read and write whatever the box can: run only drivers that you \
             trust fully, or a kernel of at least 5.13 with landlock switched on (lsm=landlock,... at boot)"
        );
    }
}

fn start_lot(
    config: &Config,
    shared: &Shared,
    routes: &Arc<Routes>,
    devices: &Arc<Devices>,
    arbiters: &[Arbiter],
) -> Addr<LotActor> {
    let lanes = config.lanes.iter().map(|lane| LaneParts {
        rules: rules(config, lane, shared),
        own_devices: owned(lane),
        store: shared.store.clone(),
        devices: Arc::clone(devices),
        live: Arc::clone(&shared.live),
        metrics: Arc::clone(&shared.metrics),
        clock: shared.clock.clone(),
        outbox: Arc::clone(&shared.outbox),
        barrier_run: Arc::default(),
        watch: watch(lane),
        codes: Arc::clone(&shared.codes),
    });
    let rounds = Rounds {
        live: Arc::clone(&shared.live),
        metrics: Arc::clone(&shared.metrics),
        store: shared.store.clone(),
        clock: shared.clock.clone(),
        zone: config.lot.zone,
        currency: config.lot.currency,
        areas: config.areas(),
        outbox: Arc::clone(&shared.outbox),
        data: config.store.data.clone(),
        place: HousekeepingPlace::default(),
    };
    let parts = LotParts {
        lanes: lanes.collect(),
        routes: Arc::clone(routes),
        arbiters: arbiters.iter().take(LANE_THREADS).map(Arbiter::handle).collect(),
        readiness: Arc::clone(&shared.readiness),
        rounds,
    };
    let desk = &arbiters[LANE_THREADS];
    LotActor::start_in_arbiter(&desk.handle(), move |_| LotActor::new(parts))
}

/// How phones reach the box: as configured, else where it listens.
fn public_url(config: &Config) -> String {
    config.http.public_url.clone().unwrap_or_else(|| format!("http://{}", config.http.listen))
}

/// The desks, which commands and HTTP calls share. The lot is put on record for commands on the stopped box.
fn desks(config: &Config, shared: &Shared, admin: Option<Arc<Admin>>) -> Desks {
    let desks = Desks::new(&DeskShare {
        store: shared.store.clone(),
        clock: shared.clock.clone(),
        key: shared.key.clone(),
        lot: Arc::new(desks::lot(config)),
        admin,
    });
    let kept = desks.clone();
    actix::spawn(async move {
        if let Err(fault) = desks::keep_lot(&kept).await {
            tracing::warn!(%fault, "the lot is not on record: commands on the stopped box will ask for --config");
        }
    });
    let holders = desks.charging.holders.clone();
    actix::spawn(async move {
        let mut turns = tokio::time::interval(INVITED_EVERY);
        loop {
            turns.tick().await;
            if let Err(fault) = holders.admit_invited().await {
                tracing::warn!(%fault, "passes of invited visitors could not be written");
            }
        }
    });
    desks
}

fn serve(
    config: &Config,
    shared: &Shared,
    lot: &Addr<LotActor>,
    drivers: &Arc<DriverDesk>,
    arbiters: &[Arbiter],
    desks: &Desks,
) -> Result<(ServerHandle, SocketAddr), StartError> {
    let desk = arbiters[LANE_THREADS].handle();
    let billing = BillingParts {
        store: shared.store.clone(),
        clock: shared.clock.clone(),
        key: shared.key.clone(),
        tariff: Arc::clone(&shared.tariff),
        tax_rate: config.lot.tax_rate,
        lane_codes: Arc::new(
            config.lanes.iter().map(|lane| (lane.code.clone(), lane.id.clone())).collect::<HashMap<_, _>>(),
        ),
        inside_token: config.payment.inside_token.clone(),
    };
    let billing = BillingActor::start_in_arbiter(&desk, move |_| BillingActor::new(billing));
    let payment = payment::start(config, shared, lot, &desk)?;
    let money = money::start(config, shared, lot, desks, &arbiters[LANE_THREADS], &payment);
    let invoices = desks.invoices.clone();
    InvoiceActor::start_in_arbiter(&desk, move |_| InvoiceActor::new(invoices));
    let doors = Doors {
        ask_lane: billing.clone().recipient(),
        ask_plate: billing.clone().recipient(),
        ask_bill: billing.recipient(),
        make_order: payment.actor.clone().recipient(),
        ask_order: payment.actor.clone().recipient(),
        sandbox_pay: payment.actor.clone().recipient(),
        provider_calls: payment.actor.clone().recipient(),
        sign_in: payment.actor.clone().recipient(),
        offers: payment.offers,
        open_lane: lot.clone().recipient(),
        desks: desks.clone(),
        tell_bill_moved: {
            let lot = lot.clone();
            Arc::new(move || lot.do_send(BillMoved))
        },
        trusted_proxies: config.http.trusted_proxies.clone(),
        live: Arc::clone(&shared.live),
        metrics: Arc::clone(&shared.metrics),
        readiness: Arc::clone(&shared.readiness),
        clock: shared.clock.for_drivers(),
        lot_name: config.lot.name.clone(),
        zone: config.lot.zone,
        currency: config.lot.currency,
        public_url: config.http.public_url.clone(),
        live_page: config.http.live_page,
        sandbox: config.payment.sandbox,
        lane_codes: config.lanes.iter().map(|lane| (lane.id.clone(), lane.code.clone())).collect(),
        tariffs: Arc::clone(&shared.tariffs),
        drivers: {
            let desk = Arc::clone(drivers);
            Arc::new(move || desk.roll())
        },
        past: {
            let store = shared.store.clone();
            Arc::new(move |last| past::ended_stays(&store.snapshot(), last))
        },
        slow: Arc::new(Semaphore::new(1)),
        till: money.till,
        release: payment.actor.clone().recipient(),
        arrears: money.arrears,
        pictures: Arc::clone(&shared.pictures),
    };
    let (address, handle, server) = http::serve(config.http.listen, doors)?;
    actix::spawn(async move {
        if let Err(fault) = server.await {
            tracing::error!(%fault, "the HTTP server has ended");
        }
    });
    Ok((handle, address))
}

impl Running {
    /// Waits until the box is ready: store, lanes and subscriptions are up.
    pub async fn ready(&self) {
        let mut tick = tokio::time::interval(Duration::from_millis(5));
        while !self.readiness.report().missing.is_empty() {
            tick.tick().await;
        }
    }

    /// Ends in good order and within five seconds: no more events, what is decided is finished, everything is flushed.
    pub async fn stop(self) {
        self.links.observer.ending();
        if tokio::time::timeout(FINISH_WITHIN, self.lot.send(FinishLanes)).await.is_err() {
            tracing::warn!("some lanes did not finish in time; what they had open comes again at the next start");
        }
        let hosts: Vec<_> = self.links.drivers.slots().iter().filter_map(|slot| slot.host()).collect();
        let plugins = join_all(hosts.iter().map(|host| host.shutdown()));
        let outside = join3(self.links.mqtt.shutdown(), plugins, self.server.stop(true));
        if tokio::time::timeout(HANG_UP_WITHIN, outside).await.is_err() {
            tracing::warn!("links or pages did not hang up in time; they are left");
        }
        for arbiter in &self.arbiters {
            arbiter.stop();
        }
        // Closing joins the store's threads, which must not hold up the rest of this system.
        let store = self.store.clone();
        if tokio::task::spawn_blocking(move || store.close()).await.is_err() {
            tracing::error!("the store did not close in good order; the journal has everything all the same");
        }
    }
}

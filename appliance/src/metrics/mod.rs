//! What Prometheus sees of the box: every metric of contracts.md by a typed method.
//!
//! Owns the one registry. Knows nothing of who counts. A label is a configured name or a word of the code, never
//! something that came from outside, so the number of series is bounded by the configuration; never a plate.

mod observer;
mod process;

use std::time::Duration;

use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};
use tollhouse_core::id::{AreaId, DeviceId, LaneId};
use tollhouse_core::lane::MainCameras;
use tollhouse_core::whitelist::Pushed;
use tollhouse_drivers::event::Presence;
use tollhouse_drivers::link::{LinkState, Refused};
use tollhouse_drivers::plugin::FileWall;

use crate::actors::payment::reach::Reached;

pub use observer::LinkObserver;

/// What `/metrics` answers as its content type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Half a millisecond to five seconds: a fresh entry opens within one.
const EVENT_TO_COMMAND_S: &[f64] =
    &[0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
/// From a fast disk's append to eMMC on a bad day.
const COMMIT_S: &[f64] = &[0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0];
const BATCH_CHANGES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// Why the metrics could not be set up or written.
#[derive(Debug, thiserror::Error)]
#[error("metrics: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// The box's metrics. Cheap to count into from any thread.
pub struct Metrics {
    registry: Registry,
    passages: IntCounterVec,
    event_to_command: Histogram,
    commit: Histogram,
    commit_batch: Histogram,
    device_up: IntGaugeVec,
    driver_restarts: IntCounterVec,
    driver_quarantined: IntGaugeVec,
    driver_landlock: IntGauge,
    cars_inside: IntGaugeVec,
    bills: IntGaugeVec,
    payments: IntCounterVec,
    payment_callbacks: IntCounterVec,
    provider_up: IntGaugeVec,
    reconciliation_differences: IntGauge,
    reconciliation_open_days: IntGauge,
    outbox_depth: IntGauge,
    bill_days_behind: IntGauge,
    outbox_oldest_age: Gauge,
    clock_jumps: IntCounter,
    disk_free: IntGauge,
    events_refused: IntCounterVec,
    event_gaps: IntCounterVec,
    clock_offset: GaugeVec,
    lane_restarts: IntCounterVec,
    unconfirmed: IntCounterVec,
    spare_reads: IntCounterVec,
    failover: IntGaugeVec,
    whitelist_held: IntGaugeVec,
    whitelist_plates: IntGaugeVec,
    whitelist_left_out: IntGaugeVec,
    link_up: IntGaugeVec,
    process: process::ProcessGauges,
}

/// Registers each metric as it is made, so that none can be forgotten.
struct Desk<'r>(&'r Registry);

impl Desk<'_> {
    fn keep<M: prometheus::core::Collector + Clone + 'static>(&self, metric: M) -> Result<M, prometheus::Error> {
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
        self.keep(IntCounter::with_opts(named(name, help))?)
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
        self.keep(IntCounterVec::new(named(name, help), labels)?)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
        self.keep(IntGauge::with_opts(named(name, help))?)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
        self.keep(IntGaugeVec::new(named(name, help), labels)?)
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Result<Histogram, prometheus::Error> {
        let opts = HistogramOpts { common_opts: named(name, help), buckets: buckets.to_vec() };
        self.keep(Histogram::with_opts(opts)?)
    }
}

fn named(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("tollhouse")
}

impl Metrics {
    /// All metrics, at nothing. `version` is the release that runs.
    pub fn new(version: &str) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let desk = Desk(&registry);
        let build = desk.gauges("build_info", "Always 1; the labels say which release runs.", &["version"])?;
        build.with_label_values(&[version]).set(1);
        Ok(Self {
            passages: desk.counters("passages_total", "Cars at a lane, by what was decided.", &["lane", "outcome"])?,
            event_to_command: desk.histogram(
                "event_to_command_seconds",
                "From a plate event's arrival to its open command.",
                EVENT_TO_COMMAND_S,
            )?,
            commit: desk.histogram("commit_seconds", "From hand-over to durable, per batch of the store.", COMMIT_S)?,
            commit_batch: desk.histogram("commit_batch_changes", "Changes in one durable batch.", BATCH_CHANGES)?,
            device_up: desk.gauges("device_up", "1 while a device is there.", &["device"])?,
            driver_restarts: desk.counters("driver_restarts_total", "Plugin hosts started again.", &["driver"])?,
            driver_quarantined: desk.gauges(
                "driver_quarantined",
                "1 while a driver that failed too often is left alone.",
                &["driver"],
            )?,
            driver_landlock: desk.gauge(
                "driver_landlock_version",
                "The kernel's landlock, which keeps drivers from the box's files; 0 without it.",
            )?,
            cars_inside: desk.gauges("cars_inside", "Cars inside, by area and tenure.", &["area", "tenure"])?,
            bills: desk.gauges("bills", "Bills by kind and state.", &["kind", "state"])?,
            payments: desk.counters(
                "payments_total",
                "Orders that came to an end, by provider and outcome.",
                &["provider", "outcome"],
            )?,
            payment_callbacks: desk.counters(
                "payment_callbacks_total",
                "Callbacks of payment providers, by what came of them.",
                &["provider", "outcome"],
            )?,
            provider_up: desk.gauges(
                "provider_up",
                "1 while a payment provider answers.",
                &["provider", "merchant"],
            )?,
            reconciliation_open_days: desk
                .gauge("reconciliations_open", "Days of providers that stay open for differences without an owner.")?,
            reconciliation_differences: desk
                .gauge("reconciliation_differences", "Differences with a provider that nobody has settled.")?,
            bill_days_behind: desk.gauge(
                "billing_entries_behind",
                "Entries of the journal that the days of temporary bills have not counted yet.",
            )?,
            outbox_depth: desk.gauge("outbox_depth", "Messages that wait to be delivered.")?,
            outbox_oldest_age: desk
                .keep(Gauge::with_opts(named("outbox_oldest_age_seconds", "Age of the oldest that waits."))?)?,
            clock_jumps: desk.counter("clock_jumps_total", "Jumps of the box's clock.")?,
            disk_free: desk.gauge("disk_free_bytes", "Free on the data folder's disk.")?,
            events_refused: desk.counters(
                "events_refused_total",
                "What came from outside and was refused.",
                &["device", "reason"],
            )?,
            event_gaps: desk.counters(
                "event_gaps_total",
                "Events that never arrived, by their numbers.",
                &["device"],
            )?,
            clock_offset: desk.keep(GaugeVec::new(
                named("device_clock_offset_seconds", "A device's clock less the box's."),
                &["device"],
            )?)?,
            lane_restarts: desk.counters("lane_restarts_total", "Lane actors started again.", &["lane"])?,
            unconfirmed: desk.counters(
                "openings_unconfirmed_total",
                "Openings that nothing showed to have happened.",
                &["lane"],
            )?,
            spare_reads: desk.counters("spare_reads_total", "Reads of a spare camera that counted.", &["lane"])?,
            whitelist_held: desk.gauges("whitelist_held", "1 while a camera holds the newest list.", &["device"])?,
            whitelist_plates: desk.gauges("whitelist_plates", "Plates on a camera's list.", &["device"])?,
            whitelist_left_out: desk.gauges(
                "whitelist_left_out",
                "Plates that found no room on a camera's list.",
                &["device"],
            )?,
            failover: desk.gauges("lane_camera_failover", "1 while a spare camera stands in.", &["lane"])?,
            link_up: desk.gauges("link_up", "1 while the link to devices is up.", &["link"])?,
            process: process::ProcessGauges::new(&registry)?,
            registry,
        })
    }

    /// A car at a lane. `outcome` is a word of the code, as `opened`, `waits_for_payment`, `refused`.
    pub fn passage(&self, lane: &LaneId, outcome: &'static str) {
        self.passages.with_label_values(&[lane.as_str(), outcome]).inc();
    }

    /// From the arrival of a plate event to its open command.
    pub fn event_to_command(&self, took: Duration) {
        self.event_to_command.observe(took.as_secs_f64());
    }

    /// A batch is durable.
    pub fn committed(&self, took: Duration, changes: usize) {
        self.commit.observe(took.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a batch is far below 2^52")]
        self.commit_batch.observe(changes as f64);
    }

    /// A device has come or gone.
    pub fn device(&self, device: &DeviceId, presence: Presence) {
        self.device_up.with_label_values(&[device.as_str()]).set(i64::from(presence == Presence::Online));
    }

    /// A link to devices has come or gone: `mqtt`, or a plugin's name.
    pub fn link(&self, link: &str, state: LinkState) {
        let up = matches!(state, LinkState::Up | LinkState::Restarted);
        self.link_up.with_label_values(&[link]).set(i64::from(up));
        match state {
            LinkState::Restarted => self.driver_restarts.with_label_values(&[link]).inc(),
            LinkState::Quarantined => self.driver_quarantined.with_label_values(&[link]).set(1),
            // A series appears with the first quarantine, and ends it with the next sign of life.
            LinkState::Up => drop(self.driver_quarantined.remove_label_values(&[link])),
            LinkState::Down => {}
        }
    }

    /// How far the kernel walls drivers off from the box's files: landlock's version, 0 without it.
    pub fn driver_file_wall(&self, wall: FileWall) {
        self.driver_landlock.set(match wall {
            FileWall::Landlock(version) => i64::from(version),
            FileWall::Missing => 0,
        });
    }

    /// So many cars of that tenure are in that area.
    pub fn cars_inside(&self, area: &AreaId, tenure: &'static str, cars: i64) {
        self.cars_inside.with_label_values(&[area.as_str(), tenure]).set(cars);
    }

    /// So many bills of that kind are in that state.
    pub fn bills(&self, kind: &'static str, state: &'static str, bills: i64) {
        self.bills.with_label_values(&[kind, state]).set(bills);
    }

    /// A bill has changed its state: one fewer in the old one (if it had one), one more in the new one.
    pub fn bill_moved(&self, kind: &'static str, from: Option<&'static str>, to: &'static str) {
        if let Some(from) = from {
            self.bills.with_label_values(&[kind, from]).dec();
        }
        self.bills.with_label_values(&[kind, to]).inc();
    }

    /// A payment has come to an end: `captured`, `refunded`, `expired`, ...
    pub fn payment(&self, provider: &'static str, outcome: &'static str) {
        self.payments.with_label_values(&[provider, outcome]).inc();
    }

    /// A provider called.
    pub fn payment_callback(&self, provider: &'static str, outcome: &'static str) {
        self.payment_callbacks.with_label_values(&[provider, outcome]).inc();
    }

    /// Whether a provider answers, by one of our accounts there.
    pub fn provider_up(&self, provider: &'static str, merchant: &str, reached: Reached) {
        self.provider_up.with_label_values(&[provider, merchant]).set(i64::from(reached == Reached::Yes));
    }

    /// So many days of providers are open.
    pub fn reconciliation_open_days(&self, open: i64) {
        self.reconciliation_open_days.set(open);
    }

    /// Differences with a provider that nobody has.
    pub fn reconciliation_differences(&self, open: i64) {
        self.reconciliation_differences.set(open);
    }

    /// How many entries of the journal the days of temporary bills have not counted yet.
    pub fn bill_days_behind(&self, entries: i64) {
        self.bill_days_behind.set(entries);
    }

    /// How many messages wait in the outbox, and how old the oldest is.
    pub fn outbox(&self, depth: i64, oldest: Duration) {
        self.outbox_depth.set(depth);
        self.outbox_oldest_age.set(oldest.as_secs_f64());
    }

    /// The box's clock has jumped.
    pub fn clock_jumped(&self) {
        self.clock_jumps.inc();
    }

    /// So many bytes are free on the data folder's disk.
    pub fn disk_free(&self, bytes: u64) {
        self.disk_free.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Something from outside was refused; `None` when its sender is not configured.
    pub fn event_refused(&self, device: Option<&DeviceId>, reason: Refused) {
        let device = device.map_or("unknown", DeviceId::as_str);
        self.events_refused.with_label_values(&[device, reason.as_str()]).inc();
    }

    /// So many events of a device never arrived.
    pub fn event_gap(&self, device: &DeviceId, missing: u64) {
        self.event_gaps.with_label_values(&[device.as_str()]).inc_by(missing);
    }

    /// A device's clock less the box's.
    pub fn device_clock_offset(&self, device: &DeviceId, offset_ms: i64) {
        #[expect(clippy::cast_precision_loss, reason = "a clock that is off by 2^52 ms is off either way")]
        self.clock_offset.with_label_values(&[device.as_str()]).set(offset_ms as f64 / 1000.0);
    }

    /// A lane's actor was started again.
    pub fn lane_restarted(&self, lane: &LaneId) {
        self.lane_restarts.with_label_values(&[lane.as_str()]).inc();
    }

    /// Nothing showed that a barrier opened.
    pub fn opening_unconfirmed(&self, lane: &LaneId) {
        self.unconfirmed.with_label_values(&[lane.as_str()]).inc();
    }

    /// A spare camera's read has counted.
    pub fn spare_read(&self, lane: &LaneId) {
        self.spare_reads.with_label_values(&[lane.as_str()]).inc();
    }

    /// How a lane's main cameras do, of a lane that has spares.
    pub fn main_cameras(&self, lane: &LaneId, mains: MainCameras) {
        self.failover.with_label_values(&[lane.as_str()]).set(i64::from(mains != MainCameras::Reading));
    }

    /// A camera's list of plates: how long it is, how many found no room, and whether the camera holds it.
    pub fn whitelist(&self, device: &DeviceId, plates: usize, left_out: usize, held: &Pushed) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.whitelist_plates.with_label_values(&[device.as_str()]).set(number(plates));
        self.whitelist_left_out.with_label_values(&[device.as_str()]).set(number(left_out));
        self.whitelist_held.with_label_values(&[device.as_str()]).set(i64::from(*held == Pushed::Held));
    }

    /// The text that Prometheus scrapes.
    pub fn text(&self) -> Result<String, MetricsError> {
        self.process.read();
        let mut text = Vec::with_capacity(16 * 1024);
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

#[cfg(test)]
mod tests;

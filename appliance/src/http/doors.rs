//! What the HTTP server may reach of the box: payment's messages, the live picture, metrics and readiness.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix::{Message, Recipient};
use tokio::sync::Semaphore;
use tollhouse_core::id::LaneId;
use tollhouse_core::money::Currency;
use tollhouse_core::record::ReadError;
use tollhouse_drivers::Clock;

use super::problem::Problem;
use crate::actors::billing::messages::{AskBill, AskLane, AskPlate};
use crate::actors::lot::messages::OpenLane;
use crate::actors::payment::messages::{
    AskOrder, Browser, MakeOrder, PayProblem, ProviderCalls, ReleaseBill, SandboxPay, SignIn,
};
use crate::actors::payment::offers::Offers;
use crate::arrears::ArrearsDesk;
use crate::cash::CashDesk;
use crate::config::{LivePage, Sandbox};
use crate::desks::Desks;
use crate::drivers::order::Roll;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::past::EndedStay;
use crate::pictures::Pictures;
use crate::readiness::Readiness;
use crate::tariffs::Tariffs;

/// A phone waits no longer for an actor.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// All that the server may ask and tell.
pub struct Doors {
    /// What a lane's car owes.
    pub ask_lane: Recipient<AskLane>,
    /// What a car inside owes.
    pub ask_plate: Recipient<AskPlate>,
    /// How a bill stands.
    pub ask_bill: Recipient<AskBill>,
    /// Makes an order.
    pub make_order: Recipient<MakeOrder>,
    /// How an order stands.
    pub ask_order: Recipient<AskOrder>,
    /// The sandbox's wallet.
    pub sandbox_pay: Recipient<SandboxPay>,
    /// A payment provider calls.
    pub provider_calls: Recipient<ProviderCalls>,
    /// Where WeChat's browser signs in.
    pub sign_in: Recipient<SignIn>,
    /// What a pay page may offer to a browser.
    pub offers: AskOffers,
    /// A person opens a lane.
    pub open_lane: Recipient<OpenLane>,
    /// The desks behind the calls.
    pub desks: Desks,
    /// Tells the lot that a bill was reduced: a waiting lane looks at it at once.
    pub tell_bill_moved: Arc<dyn Fn() + Send + Sync>,
    /// Whose word about a client's address is taken.
    pub trusted_proxies: Vec<IpAddr>,
    /// What people watch.
    pub live: Arc<Live>,
    /// What Prometheus sees.
    pub metrics: Arc<Metrics>,
    /// What `/readyz` says.
    pub readiness: Arc<Readiness>,
    /// The box's clock, to say how long a car has been inside.
    pub clock: Clock,
    /// The lot's name for people.
    pub lot_name: String,
    /// Its zone: times are told with its offset.
    pub zone: chrono_tz::Tz,
    /// Its currency.
    pub currency: Currency,
    /// How phones reach the box, without a slash at the end.
    pub public_url: Option<String>,
    /// Whether the live page is served.
    pub live_page: LivePage,
    /// Whether the sandbox is on: only then its routes exist.
    pub sandbox: Sandbox,
    /// The public code of each lane. With the sandbox on, the live page links to the exits' pay pages.
    pub lane_codes: BTreeMap<LaneId, String>,
    /// The lot's tariff: what it says, and what prices by it.
    pub tariffs: Arc<Tariffs>,
    /// How the drivers stand; it reads records, so call it off the serving threads.
    pub drivers: Arc<dyn Fn() -> Result<Roll, String> + Send + Sync>,
    /// The last so many stays that have ended.
    pub past: AskPast,
    /// What takes long and many cores is done one at a time, so that lanes never wait for it.
    pub slow: Arc<Semaphore>,
    /// The till: shifts, cash, stored value.
    pub till: CashDesk,
    /// No order of a bill shall be paid from now on.
    pub release: Recipient<ReleaseBill>,
    /// Claims on cars that left without paying.
    pub arrears: ArrearsDesk,
    /// Pictures of passages.
    pub pictures: Arc<Pictures>,
}

/// What a pay page may offer to a browser.
pub(super) type AskOffers = Arc<dyn Fn(Browser) -> Offers + Send + Sync>;

/// Asks for the last so many stays that have ended.
pub(super) type AskPast = Arc<dyn Fn(usize) -> Result<Vec<EndedStay>, ReadError> + Send + Sync>;

impl Doors {
    /// A bill was reduced. Lost, it costs time: a waiting lane looks at its bill by itself as well.
    pub(super) fn bill_moved(&self) {
        (self.tell_bill_moved)();
    }

    /// Asks an actor, and says that the box is busy when it does not answer in time.
    pub(super) async fn ask<M, R>(&self, whom: &Recipient<M>, message: M) -> Result<R, Problem>
    where
        M: Message<Result = Result<R, PayProblem>> + Send + 'static,
        R: Send + 'static,
    {
        match tokio::time::timeout(ASK_TIMEOUT, whom.send(message)).await {
            Ok(Ok(answer)) => answer.map_err(Problem::from),
            Ok(Err(_)) | Err(_) => Err(PayProblem::Busy.into()),
        }
    }

    /// Whether this is the public code of a lane.
    pub(super) fn knows_code(&self, code: &str) -> Known {
        if self.lane_codes.values().any(|known| known == code) { Known::Yes } else { Known::No }
    }
}

/// Whether something is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Yes,
    No,
}

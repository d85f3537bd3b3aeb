//! The routes as browsers and programs meet them, over fakes that stand for payment's messages only.

mod asking;
mod drafts;
mod money;
mod opening;
mod operating;
mod paying;
mod refusals;
mod signing_in;
mod tariffs;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use actix::{Actor, Addr, Context, Handler, Message};
use actix_web::App;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tollhouse_core::id::{BillId, IdKey, LaneId, LotId, OrderId};
use tollhouse_core::lot::{Lot, LotArea, LotLane};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::pay::Way;
use tollhouse_core::plate::Plate;
use tollhouse_core::user::RoleLimits;
use tollhouse_core::words::Words;

use super::api::Entry;
use super::rate::{Monotonic, Rates};
use super::{Doors, headers, problem, routes};
use crate::actors::billing::messages::{AskBill, AskLane, AskPlate, PayState, PayView};
use crate::actors::lot::messages::{NotOpened, OpenLane};
use crate::actors::payment::messages::{
    AskOrder, Browser, MakeOrder, OrderState, OrderView, PayAction, PayProblem, ProviderCalls, SandboxPay, SignIn,
};
use crate::actors::payment::offers::{Offer, Offers};
use crate::actors::payment::provider::NotifyAnswer;
use crate::admin::Admin;
use crate::clock::BoxClock;
use crate::config::{LivePage, Sandbox};
use crate::desks::{DeskParts, Desks};
use crate::drivers::order::Roll;
use crate::drivers::record::DriverRecord;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::past::EndedStay;
use crate::readiness::Readiness;
use crate::store::{Store, StoreOptions};

pub(super) fn bill() -> BillId {
    BillId::from_bytes([1; 16])
}

pub(super) fn order() -> OrderId {
    OrderId::from_bytes([2; 16])
}

pub(super) fn noon() -> DateTime<Utc> {
    "2026-03-01T04:00:00Z".parse().expect("a time")
}

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

/// A car at the exit after two hours and a bit, with nothing paid.
pub(super) fn due() -> PayView {
    PayView {
        bill: Some(bill()),
        plate: Plate::new("粤C12345").expect("a plate"),
        entered_at: Some(noon() - TimeDelta::minutes(130)),
        exited_at: Some(noon()),
        total: yuan(1_500),
        paid: yuan(0),
        amount: yuan(1_500),
        lines: vec![(Words::new("3 小时 × 5.00 <b>", "3 hours × 5.00 <b>"), yuan(1_500))],
        state: PayState::Due,
        leave_by: None,
    }
}

/// The last stays on record: an hour and a bit each, and ten minutes.
fn stays() -> Vec<EndedStay> {
    let stay = |minutes| EndedStay {
        entered_at: noon() - TimeDelta::minutes(minutes),
        exited_at: noon(),
        colour: "blue".to_owned(),
        areas: vec![],
        cover: None,
    };
    [70, 80, 10].map(stay).to_vec()
}

/// Answers what it was told to, and keeps what it was asked.
pub(super) struct FakePayment {
    view: Result<PayView, PayProblem>,
    order: Result<OrderState, PayProblem>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Actor for FakePayment {
    type Context = Context<Self>;
}

impl FakePayment {
    fn note(&self, what: &impl std::fmt::Debug) {
        self.asked.lock().expect("no panic").push(format!("{what:?}"));
    }
}

macro_rules! answers_with_the_view {
    ($($message:ty),*) => {$(
        impl Handler<$message> for FakePayment {
            type Result = Result<PayView, PayProblem>;
            fn handle(&mut self, message: $message, _: &mut Context<Self>) -> Self::Result {
                self.note(&message);
                self.view.clone()
            }
        }
    )*};
}
answers_with_the_view!(AskLane, AskPlate, AskBill);

impl Handler<MakeOrder> for FakePayment {
    type Result = Result<OrderView, PayProblem>;
    fn handle(&mut self, message: MakeOrder, _: &mut Context<Self>) -> Self::Result {
        self.note(&message);
        self.order.clone().map(|_| OrderView {
            order: order(),
            expires_at: noon() + TimeDelta::minutes(5),
            amount: yuan(1_500),
            action: PayAction::Redirect(format!("/sandbox/orders/{}", order())),
        })
    }
}

impl Handler<AskOrder> for FakePayment {
    type Result = Result<OrderState, PayProblem>;
    fn handle(&mut self, message: AskOrder, _: &mut Context<Self>) -> Self::Result {
        self.note(&message);
        self.order.clone()
    }
}

impl Handler<SandboxPay> for FakePayment {
    type Result = Result<(), PayProblem>;
    fn handle(&mut self, message: SandboxPay, _: &mut Context<Self>) -> Self::Result {
        self.note(&message);
        match self.order.clone()? {
            OrderState::Pending => {
                self.order = Ok(OrderState::Paid);
                Ok(())
            }
            _ => Err(PayProblem::NotPayable("paid")),
        }
    }
}

impl Handler<ProviderCalls> for FakePayment {
    type Result = actix::MessageResult<ProviderCalls>;
    fn handle(&mut self, call: ProviderCalls, _: &mut Context<Self>) -> Self::Result {
        self.note(&(call.provider, call.body.len()));
        actix::MessageResult(match call.provider {
            "wechat" => NotifyAnswer { status: 204, body: "", outcome: "taken" },
            _ => NotifyAnswer { status: 200, body: "success", outcome: "taken" },
        })
    }
}

impl Handler<SignIn> for FakePayment {
    type Result = Result<String, PayProblem>;
    fn handle(&mut self, ask: SignIn, _: &mut Context<Self>) -> Self::Result {
        self.note(&ask);
        Ok("https://open.example.org/authorize".to_owned())
    }
}

/// The sandbox where it is on; else WeChat Pay, while Alipay is away.
fn offered(sandbox: Sandbox, browser: Browser) -> Offers {
    match (sandbox, browser) {
        (Sandbox::On, _) => Offers { now: vec![Offer { provider: "sandbox", way: Way::Page }], away: vec![] },
        (Sandbox::Off, Browser::Desk) => Offers::default(),
        (Sandbox::Off, Browser::WeChat) => {
            Offers { now: vec![Offer { provider: "wechat", way: Way::Jsapi }], away: vec![] }
        }
        (Sandbox::Off, _) => Offers { now: vec![Offer { provider: "wechat", way: Way::H5 }], away: vec!["alipay"] },
    }
}

impl Handler<OpenLane> for FakePayment {
    type Result = Result<(), NotOpened>;
    fn handle(&mut self, message: OpenLane, _: &mut Context<Self>) -> Self::Result {
        self.note(&message);
        if message.lane.as_str() == "out-2" {
            return Err(NotOpened::AnotherOrder);
        }
        if message.lane.as_str() == "out-1" { Ok(()) } else { Err(NotOpened::NoSuchLane(message.lane)) }
    }
}

/// Changes what the fake answers.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Answer(pub(super) Result<PayView, PayProblem>);

impl Handler<Answer> for FakePayment {
    type Result = ();
    fn handle(&mut self, Answer(view): Answer, _: &mut Context<Self>) {
        self.view = view;
    }
}

/// The box's outside, with what is behind it in the test's hands.
pub(super) struct Box {
    pub(super) doors: Arc<Doors>,
    pub(super) payment: Addr<FakePayment>,
    asked: Arc<Mutex<Vec<String>>>,
    rates: Arc<Rates>,
    entry: Arc<Entry>,
    pub(super) clock: Arc<Mutex<Duration>>,
    _folder: tempfile::TempDir,
}

/// Real desks over a store of their own.
fn desks(folder: &std::path::Path) -> Desks {
    let lot = Lot {
        id: LotId::new("demo").expect("a name"),
        name: "Riverside".to_owned(),
        zone: chrono_tz::Asia::Shanghai,
        currency: Currency::Cny,
        tax_rate: rust_decimal::Decimal::new(9, 2),
        capacity: 100,
        areas: vec![LotArea { id: "main".to_owned(), capacity: 100 }],
        lanes: vec![LotLane {
            id: "out-1".to_owned(),
            direction: "exit".to_owned(),
            area: "main".to_owned(),
            within: None,
            devices: vec![("gate-out-1".to_owned(), "barrier".to_owned())],
        }],
        limits: RoleLimits::default(),
        charging: tollhouse_core::charging::policy::ChargingPolicy::default(),
        documents: tollhouse_core::invoice::Documents::default(),
    };
    Desks::new(&DeskParts {
        store: Store::open(folder, StoreOptions::default()).expect("a store"),
        clock: BoxClock::start(1),
        key: IdKey::new([7; 32]),
        lot: Arc::new(lot),
        admin: Some(Arc::new(Admin::with_password(PASSWORD).expect("long enough"))),
    })
}

pub(super) const PASSWORD: &str = "correct horse";

pub(super) fn a_box() -> Box {
    box_with(Sandbox::On, LivePage::Open)
}

pub(super) fn box_with(sandbox: Sandbox, live_page: LivePage) -> Box {
    let asked = Arc::default();
    let fake = FakePayment { view: Ok(due()), order: Ok(OrderState::Pending), asked: Arc::clone(&asked) };
    let payment = fake.start();
    let clock: Arc<Mutex<Duration>> = Arc::default();
    let hand = Arc::clone(&clock);
    let now: Monotonic = Arc::new(move || *hand.lock().expect("no panic"));
    let folder = tempfile::tempdir().expect("a folder");
    let desks = desks(folder.path());
    let doors = Doors {
        ask_lane: payment.clone().recipient(),
        ask_plate: payment.clone().recipient(),
        ask_bill: payment.clone().recipient(),
        make_order: payment.clone().recipient(),
        ask_order: payment.clone().recipient(),
        sandbox_pay: payment.clone().recipient(),
        provider_calls: payment.clone().recipient(),
        sign_in: payment.clone().recipient(),
        offers: Arc::new(move |browser| offered(sandbox, browser)),
        open_lane: payment.clone().recipient(),
        release: payment.clone().recipient(),
        till: money::till(&desks, payment.clone().recipient()),
        arrears: money::arrears(&desks),
        pictures: Arc::new(crate::pictures::Pictures::open(folder.path(), IdKey::new([7; 32])).expect("pictures")),
        desks,
        tell_bill_moved: Arc::new(|| {}),
        trusted_proxies: vec!["192.0.2.200".parse().expect("an address")],
        live: Arc::new(Live::new("demo", 100)),
        metrics: Arc::new(Metrics::new("test").expect("metrics")),
        readiness: Arc::new(Readiness::default()),
        clock: Arc::new(noon),
        lot_name: "Riverside".to_owned(),
        zone: chrono_tz::Asia::Shanghai,
        currency: Currency::Cny,
        public_url: Some("https://park.example.org".to_owned()),
        live_page,
        sandbox,
        lane_codes: BTreeMap::from([(LaneId::new("out-1").expect("a name"), "out-1".to_owned())]),
        tariffs: Arc::new(crate::tariffs::built_in("demo.toml", crate::demo::estate::TARIFF).expect("a tariff")),
        drivers: Arc::new(|| {
            Ok(Roll { running: true, instances: vec![], drivers: vec![DriverRecord::new("acme.barrier")] })
        }),
        past: Arc::new(|last| Ok(stays().into_iter().take(last).collect())),
        slow: Arc::new(tokio::sync::Semaphore::new(1)),
    };
    let (rates, entry) = (Rates::new(Arc::clone(&now)), Entry::new(now));
    Box {
        doors: Arc::new(doors),
        payment,
        asked,
        rates: Arc::new(rates),
        entry: Arc::new(entry),
        clock,
        _folder: folder,
    }
}

/// What came back, read whole.
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The last word of the problem's type; panics when it is no whole problem document.
    pub(super) fn problem(&self, instance: &str) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["instance"], instance);
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        let kind = problem["type"].as_str().expect("a type");
        kind.strip_prefix("urn:tollhouse:problem:").expect("our own type").to_owned()
    }
}

impl Box {
    pub(super) async fn send(&self, request: TestRequest) -> Got {
        self.send_from("192.0.2.1", request).await
    }

    /// The same from this address.
    pub(super) async fn send_from(&self, address: &str, request: TestRequest) -> Got {
        let app = init_service(
            App::new()
                .wrap(from_fn(problem::as_documents))
                .wrap(headers())
                .configure(|app| routes::configure(app, &self.doors, &self.rates, &self.entry)),
        )
        .await;
        let request = request.peer_addr(format!("{address}:5000").parse().expect("an address"));
        let answer: ServiceResponse<BoxBody> = call_service(&app, request.to_request()).await.map_into_boxed_body();
        let status = answer.status().as_u16();
        let text = |value: &actix_web::http::header::HeaderValue| value.to_str().expect("ASCII").to_owned();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = String::from_utf8(read_body(answer).await.to_vec()).expect("UTF-8");
        Got { status, headers, body }
    }

    pub(super) async fn get(&self, path: &str) -> Got {
        self.send(TestRequest::with_uri(path)).await
    }

    /// What payment was asked so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

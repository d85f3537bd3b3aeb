//! Serves the pages with sample cars, to look at while working on them: `cargo run --release --example pages`.
//!
//! Stands for payment with an actor of its own; every ten seconds something happens. `/pay/lanes/out-1` has a bill to
//! pay, `/pay/plates/粤CD12345?token=demo` a car inside, `/pay/lanes/empty` no car.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler};
use chrono::{DateTime, TimeDelta, Utc};
use tollhouse::actors::payment::messages::{
    AskBill, AskLane, AskOrder, AskPlate, MakeOrder, OrderState, OrderView, PayAction, PayProblem, PayState, PayView,
    SandboxPay,
};
use tollhouse::config::{LivePage, Sandbox};
use tollhouse::http::Doors;
use tollhouse::live::{Happening, LaneView, Live, Tone};
use tollhouse::metrics::Metrics;
use tollhouse::readiness::Readiness;
use tollhouse_core::id::{BillId, LaneId, OrderId};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::plate::Plate;
use tollhouse_core::words::Words;

const PLATES: [&str; 6] = ["粤C12345", "粤CD12345", "京A88888", "粤Z1234港", "沪B7K2M9", "苏E1234学"];

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::Cny)
}

fn lane(name: &str) -> LaneId {
    LaneId::new(name).expect("a name")
}

struct Sample {
    live: Arc<Live>,
    bills: HashMap<BillId, PayView>,
    orders: HashMap<OrderId, (BillId, OrderState)>,
    turn: u64,
}

impl Actor for Sample {
    type Context = Context<Self>;
    fn started(&mut self, context: &mut Self::Context) {
        for _ in 0..12 {
            self.happen();
        }
        context.run_interval(Duration::from_secs(10), |sample, _| sample.happen());
    }
}

impl Sample {
    fn happen(&mut self) {
        self.turn += 1;
        let turn = self.turn;
        let index = usize::try_from(turn).expect("small");
        let plate = PLATES[index % PLATES.len()].to_owned();
        let (name, state, tone, code, words, money) = match turn % 6 {
            0 => (
                "in-1",
                "opening",
                Tone::Open,
                "entry_open",
                Words::new("欢迎光临，请入场", "Welcome, please drive in"),
                None,
            ),
            1 => (
                "out-1",
                "waiting",
                Tone::Wait,
                "fee_due",
                Words::new("请扫码支付 15.00 元", "Please scan and pay 15.00"),
                Some(yuan(1_500)),
            ),
            2 => ("out-1", "opening", Tone::Money, "paid", Words::new("已支付", "Paid"), Some(yuan(1_500))),
            3 => (
                "in-2",
                "refused",
                Tone::Refuse,
                "blocked",
                Words::new("车辆在黑名单中", "This vehicle is on the block list"),
                None,
            ),
            4 => ("out-2", "free", Tone::Quiet, "passed", Words::new("已驶离", "Has left"), None),
            _ => (
                "in-2",
                "free",
                Tone::Alarm,
                "barrier_fault",
                Words::new("道闸故障，请人工处理", "The barrier reports a fault"),
                None,
            ),
        };
        let direction = if name.starts_with("in") { "entry" } else { "exit" };
        let shown = Some(plate.clone()).filter(|_| state != "free");
        self.live.lane(LaneView {
            lane: lane(name),
            direction: direction.to_owned(),
            state: state.to_owned(),
            words: shown.is_some().then(|| words.clone()),
            plate: shown,
            due: money.filter(|_| state == "waiting"),
            degraded: if name == "in-2" { vec!["cam-in-2".to_owned()] } else { vec![] },
            since: Utc::now(),
        });
        let at = Utc::now();
        let (lane, plate, code) = (Some(lane(name)), Some(plate), code.to_owned());
        self.live.happened(Happening { id: turn, at, lane, plate, code, tone, words, money });
        self.live.totals(
            40 + i64::try_from(turn % 7).unwrap_or(0),
            Some(yuan(128_000 + i64::try_from(turn).unwrap_or(0) * 500)),
        );
    }

    fn bill(&mut self, number: u8, plate: &str, exited_at: Option<DateTime<Utc>>) -> PayView {
        let id = BillId::from_bytes([number; 16]);
        let view = PayView {
            bill: Some(id),
            plate: Plate::new(plate).expect("a plate"),
            entered_at: Some(Utc::now() - TimeDelta::minutes(1_575)),
            exited_at,
            total: yuan(5_500),
            paid: yuan(0),
            amount: yuan(5_500),
            lines: vec![
                (Words::new("第 1 天：封顶 40.00", "Day 1: daily cap 40.00"), yuan(4_000)),
                (Words::new("第 2 天：3 小时 × 5.00", "Day 2: 3 hours × 5.00"), yuan(1_500)),
            ],
            state: PayState::Due,
            leave_by: None,
        };
        self.bills.entry(id).or_insert(view).clone()
    }
}

impl Handler<AskLane> for Sample {
    type Result = Result<PayView, PayProblem>;
    fn handle(&mut self, ask: AskLane, _: &mut Self::Context) -> Self::Result {
        match ask.lane_code.as_str() {
            "out-1" => Ok(self.bill(1, "粤C12345", Some(Utc::now()))),
            "out-2" => Err(PayProblem::NoCarWaits),
            _ => Err(PayProblem::Unknown),
        }
    }
}

impl Handler<AskPlate> for Sample {
    type Result = Result<PayView, PayProblem>;
    fn handle(&mut self, ask: AskPlate, _: &mut Self::Context) -> Self::Result {
        if ask.token == "demo" { Ok(self.bill(2, ask.plate.as_str(), None)) } else { Err(PayProblem::WrongToken) }
    }
}

impl Handler<AskBill> for Sample {
    type Result = Result<PayView, PayProblem>;
    fn handle(&mut self, ask: AskBill, _: &mut Self::Context) -> Self::Result {
        self.bills.get(&ask.bill).cloned().ok_or(PayProblem::Unknown)
    }
}

impl Handler<MakeOrder> for Sample {
    type Result = Result<OrderView, PayProblem>;
    fn handle(&mut self, ask: MakeOrder, _: &mut Self::Context) -> Self::Result {
        let amount = self.bills.get(&ask.bill).ok_or(PayProblem::Unknown)?.amount;
        let number = u8::try_from(self.orders.len() % 200).unwrap_or(0) + 1;
        let order = OrderId::from_bytes([number; 16]);
        self.orders.insert(order, (ask.bill, OrderState::Pending));
        let action = PayAction::Redirect(format!("/sandbox/orders/{order}"));
        Ok(OrderView { order, expires_at: Utc::now() + TimeDelta::minutes(5), amount, action })
    }
}

impl Handler<AskOrder> for Sample {
    type Result = Result<OrderState, PayProblem>;
    fn handle(&mut self, ask: AskOrder, _: &mut Self::Context) -> Self::Result {
        self.orders.get(&ask.order).map(|(_, state)| *state).ok_or(PayProblem::Unknown)
    }
}

impl Handler<SandboxPay> for Sample {
    type Result = Result<(), PayProblem>;
    fn handle(&mut self, ask: SandboxPay, _: &mut Self::Context) -> Self::Result {
        let (bill, state) = self.orders.get_mut(&ask.order).ok_or(PayProblem::Unknown)?;
        if *state != OrderState::Pending {
            return Err(PayProblem::NotPayable("paid"));
        }
        *state = OrderState::Paid;
        if let Some(view) = self.bills.get_mut(bill) {
            view.paid = view.total;
            view.amount = yuan(0);
            view.state = PayState::Paid;
            view.leave_by = view.exited_at.is_none().then(|| Utc::now() + TimeDelta::minutes(15));
        }
        Ok(())
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned()).parse()?;
    let live = Arc::new(Live::new("riverside", 320));
    let sample = Sample { live: Arc::clone(&live), bills: HashMap::new(), orders: HashMap::new(), turn: 0 }.start();
    let lanes = ["in-1", "in-2", "out-1", "out-2"];
    let doors = Doors {
        ask_lane: sample.clone().recipient(),
        ask_plate: sample.clone().recipient(),
        ask_bill: sample.clone().recipient(),
        make_order: sample.clone().recipient(),
        ask_order: sample.clone().recipient(),
        sandbox_pay: sample.recipient(),
        live,
        metrics: Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"))?),
        readiness: Arc::new(Readiness::default()),
        clock: Arc::new(Utc::now),
        lot_name: "滨江花园 Riverside".to_owned(),
        zone: chrono_tz::Asia::Shanghai,
        currency: Currency::Cny,
        public_url: None,
        live_page: LivePage::Open,
        sandbox: Sandbox::On,
        lane_codes: lanes.into_iter().map(|name| (lane(name), name.to_owned())).collect::<BTreeMap<_, _>>(),
    };
    let (address, _, server) = tollhouse::http::serve(listen, doors)?;
    println!("http://{address}/");
    server.await?;
    Ok(())
}

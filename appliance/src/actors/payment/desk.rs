//! The service behind payment's actor: makes orders and says how they stand. Settling, refunds, callbacks and payment codes
//! stand beside it, each in a file of its own.
//!
//! Every step is decided in `core` against a snapshot and committed; refused as stale it is decided again.

use std::sync::Arc;

use actix::Recipient;
use chrono::TimeDelta;
use rust_decimal::Decimal;
use tollhouse_core::bill::Bill;
use tollhouse_core::books::Payee;
use tollhouse_core::charging::bills;
use tollhouse_core::id::{BillId, IdKey, OrderId, RefundId};
use tollhouse_core::pay::{self, FreshOrder, Made, Order, OrderRefusal, OrderState, Payable, Terms, Wanted, Way};
use tollhouse_core::record::{Kept, Records, Refusal};
use tollhouse_core::tariff::TariffBook;
use tollhouse_providers::{BoxPrefix, OrderNumber};

use super::messages::{Browser, MakeOrder, OrderView, PayProblem};
use super::provider::{Accounts, Provider, ProviderError};
use super::sandbox::{SANDBOX, SandboxBank, WalletError};
use super::watch::Watch;
use crate::actors::lot::messages::BillMoved;
use crate::clock::BoxClock;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::store::{CommitError, Store};

/// So often a step is decided again when somebody else was faster.
pub(super) const MOST_TRIES: usize = 50;
/// The most of a description, in characters: providers take more, and some count bytes.
const DESCRIPTION_CHARS: usize = 30;

/// What payment works with.
pub struct PaymentParts {
    /// Where it reads and commits.
    pub store: Store,
    /// The time.
    pub clock: BoxClock,
    /// From which ids are derived.
    pub key: IdKey,
    /// What a stay costs, for cars that pay while they are inside.
    pub tariff: Arc<TariffBook>,
    /// The tax rate of parking.
    pub tax_rate: Decimal,
    /// The lot's zone, for its days.
    pub zone: chrono_tz::Tz,
    /// The lot's name, which payers read.
    pub lot_name: String,
    /// How long an order can be paid.
    pub order_life: TimeDelta,
    /// How long a driver may type a password after a payment code was scanned.
    pub code_life: TimeDelta,
    /// Our accounts at providers.
    pub accounts: Accounts,
    /// Whose money the fee of a temporary stay is.
    pub temporary_payee: Payee,
    /// What the numbers of our orders begin with.
    pub prefix: BoxPrefix,
    /// How phones and providers reach the box, without a slash at the end.
    pub public_url: String,
    /// The sandbox's bank, when there is one: its wallet pays through the box.
    pub bank: Option<Arc<SandboxBank>>,
    /// Whom it tells.
    pub live: Arc<Live>,
    /// What it counts.
    pub metrics: Arc<Metrics>,
    /// Who wants to know that a bill was settled.
    pub bill_moved: Recipient<BillMoved>,
}

/// The service.
pub struct PaymentDesk {
    pub(super) parts: PaymentParts,
    pub(super) orders: Watch<OrderId>,
    pub(super) refunds: Watch<RefundId>,
}

impl PaymentDesk {
    /// With these parts.
    pub fn new(parts: PaymentParts) -> Self {
        Self { parts, orders: Watch::default(), refunds: Watch::default() }
    }

    /// The account to which an order belongs.
    pub(super) fn account(&self, order: &Order) -> Result<&Arc<dyn Provider>, PayProblem> {
        self.parts.accounts.of(&order.provider, &order.merchant).ok_or_else(|| {
            let known = format!("{} {}", order.provider, order.merchant);
            tracing::error!(order = %order.id, account = known, "an order's account is not configured any more");
            PayProblem::UnknownProvider(order.provider.chars().take(40).collect())
        })
    }

    /// Makes an order: on record first, then at the provider.
    pub async fn make_order(&self, ask: MakeOrder) -> Result<OrderView, PayProblem> {
        let named = || ask.provider.chars().take(40).collect::<String>();
        let accounts = &self.parts.accounts;
        let account = accounts
            .for_payee(&ask.provider, self.payee_of(ask.bill)?)
            .ok_or_else(|| PayProblem::UnknownProvider(named()))?;
        let way = way(account.as_ref(), &ask).ok_or_else(|| PayProblem::NotOffered(named()))?;
        if let Some(before) = ask.instead_of {
            self.switch_from(before).await?;
        }
        let request = match ask.way {
            Some(way) => format!("{}/{}", ask.provider, way.as_str()),
            None => ask.provider.clone(),
        };
        let idempotency = ask.idempotency_key.clone().map(|key| (key, request));
        let pays = Payable::Bill(ask.bill);
        let before = pay::made_before(&pays, idempotency.as_ref(), &self.parts.store.snapshot()).map_err(refused)?;
        let order = if let Some(order) = before {
            order
        } else {
            let terms = self.terms(account.as_ref(), way, &ask).await?;
            let (provider, merchant) = (account.name().to_owned(), account.merchant().to_owned());
            let life = self.parts.order_life;
            self.order_on_record(&Wanted { pays, provider, merchant, way, terms, idempotency, life }).await?
        };
        self.at_provider(account.as_ref(), order).await
    }

    /// Whose money a bill is: the temporary stays' payee, or that of the card bills, which has to be one.
    fn payee_of(&self, bill: BillId) -> Result<Payee, PayProblem> {
        let records = self.parts.store.snapshot();
        if records.get::<Bill>(&bill.to_string()).map_err(|fault| busy(&fault))?.is_some() {
            return Ok(self.parts.temporary_payee);
        }
        let bills = bills::payable_bills(bill, &records).map_err(|fault| busy(&fault))?.ok_or(PayProblem::Unknown)?;
        let mut payees = bills.iter().flat_map(|kept| &kept.record.lines).map(|line| line.tax.payee);
        let first = payees.next().ok_or(PayProblem::Unknown)?;
        // Each payee has accounts of its own, and an order goes to one.
        if payees.any(|other| other != first) { Err(PayProblem::PayOneByOne) } else { Ok(first) }
    }

    /// What the provider is told; inside WeChat it first has to say who pays.
    async fn terms(&self, account: &dyn Provider, way: Way, ask: &MakeOrder) -> Result<Terms, PayProblem> {
        let mut terms = self.bare_terms(account);
        terms.return_url = format!("{}{}", self.parts.public_url, ask.back);
        match way {
            Way::Jsapi => {
                let code = ask.payer_code.as_deref().ok_or(PayProblem::SignInAgain)?;
                terms.payer = account.payer(code).await.map_err(|fault| {
                    tracing::warn!(%fault, "WeChat does not say who pays");
                    match fault {
                        ProviderError::Away(_) => PayProblem::ProviderAway(account.name().to_owned()),
                        _ => PayProblem::SignInAgain,
                    }
                })?;
            }
            Way::H5 => {
                let address = ask.address.ok_or_else(|| PayProblem::NotOffered(account.name().to_owned()))?;
                terms.payer_address = address.to_string();
            }
            _ => {}
        }
        Ok(terms)
    }

    pub(super) fn bare_terms(&self, account: &dyn Provider) -> Terms {
        // Neither provider takes all of these characters everywhere.
        let name: String = self.parts.lot_name.chars().filter(|c| !c.is_control() && !"/=&,\"".contains(*c)).collect();
        let name: String = name.trim().chars().take(DESCRIPTION_CHARS).collect();
        Terms {
            description: format!("{name} 停车费"),
            notify_url: format!("{}/pay/notify/{}", self.parts.public_url, account.name()),
            ..Terms::default()
        }
    }

    async fn at_provider(&self, account: &dyn Provider, order: Order) -> Result<OrderView, PayProblem> {
        // What has ended is not made known anew. The sandbox answers as it did.
        if order.state != OrderState::Pending && account.name() != SANDBOX {
            return Err(PayProblem::NotPayable(word(order.state)));
        }
        let action = account.create(&order).await.map_err(|fault| {
            tracing::warn!(%fault, order = %order.id, "the provider did not take the order");
            match fault {
                ProviderError::Away(_) => PayProblem::ProviderAway(account.name().to_owned()),
                ProviderError::NotOffered => PayProblem::NotOffered(account.name().to_owned()),
                _ => PayProblem::Busy,
            }
        })?;
        Ok(OrderView { order: order.id, expires_at: order.expires_at, amount: order.amount, action })
    }

    pub(super) async fn order_on_record(&self, wanted: &Wanted) -> Result<Order, PayProblem> {
        let parts = &self.parts;
        for _ in 0..MOST_TRIES {
            let (now, records) = (parts.clock.now(), parts.store.snapshot());
            let tariff = parts.tariff.as_ref();
            let fresh = self.fresh_order()?;
            let made = pay::make_order(wanted, fresh, now, tariff, parts.tax_rate, &parts.key, &records);
            match made.map_err(refused)? {
                Made::Before(order) => return Ok(order),
                Made::Now(order, change) => match parts.store.commit(*change).await {
                    Ok(_) => return Ok(order),
                    Err(fault) => again(&fault)?,
                },
            }
        }
        Err(PayProblem::Busy)
    }

    /// Public id and number of a new order: two numbers that say nothing of each other.
    fn fresh_order(&self) -> Result<FreshOrder, PayProblem> {
        let (mut id, mut chance) = ([0; 16], [0; 10]);
        getrandom::fill(&mut id).and_then(|()| getrandom::fill(&mut chance)).map_err(|fault| busy(&fault))?;
        let number = OrderNumber::make(&self.parts.prefix, self.parts.clock.now(), chance);
        Ok(FreshOrder { id: OrderId::from_bytes(id), number: number.to_string() })
    }

    /// How an order stands, as the books have it. The sandbox is asked first, for that costs nothing.
    pub async fn order_state(&self, id: OrderId) -> Result<OrderState, PayProblem> {
        let order = self.order(id)?.record;
        if order.state == OrderState::Pending && order.provider == SANDBOX {
            self.settle(id).await?;
            return Ok(self.order(id)?.record.state);
        }
        Ok(order.state)
    }

    pub(super) fn order(&self, id: OrderId) -> Result<Kept<Order>, PayProblem> {
        let order = self.parts.store.snapshot().get::<Order>(&id.to_string());
        order.map_err(|fault| busy(&fault))?.ok_or(PayProblem::Unknown)
    }

    /// What a driver's wallet does at the sandbox; the provider's callback then makes payment ask.
    pub async fn sandbox_pay(&self, id: OrderId) -> Result<(), PayProblem> {
        let bank = self.parts.bank.as_ref().ok_or(PayProblem::Unknown)?;
        let order = self.order(id)?.record;
        if order.provider != SANDBOX {
            return Err(PayProblem::Unknown);
        }
        match bank.pay(&order.number, self.parts.clock.now()) {
            Ok(()) => {}
            Err(WalletError::Unknown) => return Err(PayProblem::Unknown),
            Err(WalletError::Paid) => return Err(PayProblem::NotPayable("paid already")),
            Err(WalletError::Expired) => return Err(PayProblem::NotPayable("expired")),
            Err(WalletError::Book(fault)) => return Err(busy(&fault)),
        }
        self.settle(id).await
    }
}

/// The way that was asked for, or the one that suits the browser; `None` when the account does not offer it.
fn way(account: &dyn Provider, ask: &MakeOrder) -> Option<Way> {
    let offered = |way: &Way| account.ways().contains(way) && *way != Way::Code;
    match ask.way {
        Some(way) => Some(way).filter(offered),
        None => suited(ask.browser).iter().copied().find(offered),
    }
}

/// The ways that a browser can pay, the best first.
pub(super) fn suited(browser: Browser) -> &'static [Way] {
    match browser {
        Browser::WeChat => &[Way::Jsapi, Way::Page, Way::Native],
        Browser::Alipay => &[Way::Wap, Way::Page, Way::Precreate],
        Browser::Phone => &[Way::H5, Way::Wap, Way::Page, Way::Native, Way::Precreate],
        Browser::Desk => &[Way::Page, Way::Native, Way::Precreate, Way::Wap],
    }
}

fn word(state: OrderState) -> &'static str {
    match state {
        OrderState::Pending => "pending",
        OrderState::Paid => "paid already",
        OrderState::Expired => "expired",
        OrderState::Closed => "closed",
        OrderState::Refunded => "refunded",
    }
}

pub(super) fn refused(refusal: OrderRefusal) -> PayProblem {
    match refusal {
        OrderRefusal::UnknownBill => PayProblem::Unknown,
        OrderRefusal::NothingDue => PayProblem::NothingDue,
        OrderRefusal::TooMany => PayProblem::TooManyOrders,
        OrderRefusal::KeyReused => PayProblem::KeyReused,
        fault @ (OrderRefusal::Read(_) | OrderRefusal::Money(_) | OrderRefusal::Price(_)) => busy(&fault),
    }
}

pub(super) fn busy(fault: &dyn std::fmt::Display) -> PayProblem {
    tracing::error!(%fault, "payment cannot go on");
    PayProblem::Busy
}

/// Somebody else was faster: decide again. Anything else ends it.
pub(super) fn again(fault: &CommitError) -> Result<(), PayProblem> {
    match fault {
        CommitError::Refused(Refusal::Stale { .. } | Refusal::Full(_)) => Ok(()),
        fault => Err(busy(fault)),
    }
}

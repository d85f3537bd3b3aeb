//! The desks of money that need a running box: the till, arrears, and the actor that makes their rounds.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix::{Actor, Addr, Arbiter};

use super::Shared;
use super::payment::Payment;
use crate::actors::ledger::{LedgerActor, LedgerParts};
use crate::actors::lot::LotActor;
use crate::arrears::{ArrearsDesk, ArrearsParts};
use crate::cash::{CashDesk, CashParts};
use crate::config::Config;
use crate::desks::Desks;
use crate::reconciliation::Surroundings;

/// The till and arrears, as HTTP calls reach them.
pub(super) struct Money {
    pub(super) till: CashDesk,
    pub(super) arrears: ArrearsDesk,
}

/// Makes the desks, and starts the ledger's rounds.
pub(super) fn start(
    config: &Config,
    shared: &Shared,
    lot: &Addr<LotActor>,
    desks: &Desks,
    arbiter: &Arbiter,
    payment: &Payment,
) -> Money {
    let till = CashDesk::new(CashParts {
        store: shared.store.clone(),
        clock: shared.clock.clone(),
        key: shared.key.clone(),
        lot: Arc::clone(&desks.lot),
        tariff: Arc::clone(&shared.tariff),
        coin: config.books.coin,
        live: Arc::clone(&shared.live),
        bill_moved: lot.clone().recipient(),
    });
    let arrears = ArrearsDesk::new(ArrearsParts {
        store: shared.store.clone(),
        clock: shared.clock.clone(),
        key: shared.key.clone(),
        lot: Arc::clone(&desks.lot),
        tariff: Arc::clone(&shared.tariff),
    });
    desks.reconciler.settle_in(Surroundings { accounts: payment.accounts.clone(), data: config.store.data.clone() });
    let names: BTreeSet<String> = payment.accounts.iter().map(|account| account.name().to_owned()).collect();
    let ledger = LedgerParts {
        store: shared.store.clone(),
        clock: shared.clock.clone(),
        lot: Arc::clone(&desks.lot),
        books: desks.books.clone(),
        arrears: arrears.clone(),
        reconciler: desks.reconciler.clone(),
        providers: names.into_iter().collect(),
        at: config.books.reconcile_at,
        metrics: Arc::clone(&shared.metrics),
    };
    LedgerActor::start_in_arbiter(&arbiter.handle(), move |_| LedgerActor::new(ledger));
    Money { till, arrears }
}

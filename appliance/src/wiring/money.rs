//! The desks of money that need a running box: the till, arrears, and the actor that makes their rounds.

use std::sync::Arc;

use actix::{Actor, Addr, Arbiter};

use super::Shared;
use crate::actors::ledger::{LedgerActor, LedgerParts};
use crate::actors::lot::LotActor;
use crate::arrears::{ArrearsDesk, ArrearsParts};
use crate::cash::{CashDesk, CashParts};
use crate::config::Config;
use crate::desks::Desks;

/// The till and arrears, as HTTP calls reach them.
pub(super) struct Money {
    pub(super) till: CashDesk,
    pub(super) arrears: ArrearsDesk,
}

/// Makes the desks, and starts the ledger's rounds.
pub(super) fn start(config: &Config, shared: &Shared, lot: &Addr<LotActor>, desks: &Desks, arbiter: &Arbiter) -> Money {
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
    let ledger = LedgerParts { books: desks.books.clone(), arrears: arrears.clone() };
    LedgerActor::start_in_arbiter(&arbiter.handle(), move |_| LedgerActor::new(ledger));
    Money { till, arrears }
}

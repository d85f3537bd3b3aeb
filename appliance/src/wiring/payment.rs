//! From the configuration to payment: the accounts at providers are opened, the desk is made, its actor started.

use std::collections::HashSet;
use std::sync::Arc;

use actix::{Actor, Addr};
use chrono::TimeDelta;
use tollhouse_core::books::Payee;

use super::{Shared, StartError, public_url};
use crate::actors::lot::LotActor;
use crate::actors::payment::messages::Browser;
use crate::actors::payment::offers::{Offers, offers};
use crate::actors::payment::provider::{Accounts, Provider};
use crate::actors::payment::sandbox::{SandboxBank, SandboxProvider};
use crate::actors::payment::{PaymentActor, PaymentDesk, PaymentParts, opening};
use crate::config::{Config, Sandbox};
use crate::prefix;

/// What a pay page may offer to a browser.
pub(super) type AskOffers = Arc<dyn Fn(Browser) -> Offers + Send + Sync>;

/// What the rest of the box needs of payment.
pub(super) struct Payment {
    pub(super) actor: Addr<PaymentActor>,
    pub(super) offers: AskOffers,
    /// The accounts at providers.
    pub(super) accounts: Accounts,
}

/// Opens the accounts and starts payment.
pub(super) fn start(
    config: &Config,
    shared: &Shared,
    lot: &Addr<LotActor>,
    arbiter: &actix::ArbiterHandle,
) -> Result<Payment, StartError> {
    let (accounts, bank) = accounts(config, shared)?;
    let prefix = prefix::box_prefix(&config.store.data).map_err(StartError::Prefix)?;
    let parts = PaymentParts {
        store: shared.store.clone(),
        clock: shared.clock.clone(),
        key: shared.key.clone(),
        tariff: Arc::clone(&shared.tariff),
        tax_rate: config.lot.tax_rate,
        zone: config.lot.zone,
        lot_name: config.lot.name.clone(),
        order_life: TimeDelta::minutes(i64::from(config.payment.order_minutes)),
        code_life: TimeDelta::seconds(i64::from(config.payment.code_seconds)),
        accounts: accounts.clone(),
        temporary_payee: config.payment.temporary_payee,
        prefix,
        public_url: public_url(config),
        bank,
        live: Arc::clone(&shared.live),
        metrics: Arc::clone(&shared.metrics),
        bill_moved: lot.clone().recipient(),
    };
    let payee: Payee = config.payment.temporary_payee;
    let desk = Arc::new(PaymentDesk::new(parts));
    let actor = PaymentActor::start_in_arbiter(arbiter, move |_| PaymentActor::new(desk));
    shared.codes.lead_to(actor.clone().recipient());
    let offered = accounts.clone();
    Ok(Payment { actor, offers: Arc::new(move |browser| offers(&offered, payee, browser)), accounts })
}

fn accounts(config: &Config, shared: &Shared) -> Result<(Accounts, Option<Arc<SandboxBank>>), StartError> {
    let (mut accounts, mut faults): (Vec<Arc<dyn Provider>>, Vec<String>) = (vec![], vec![]);
    let mut said = HashSet::new();
    for account in &config.accounts {
        match opening::open(account, shared.clock.clone()) {
            Ok(account) => accounts.push(account),
            Err(found) => faults.extend(found.into_iter().map(|fault| {
                let (provider, merchant) = account.identity();
                format!("[[payment_accounts]] {provider} {merchant}: {}: {}", fault.key, fault.message)
            })),
        }
    }
    faults.retain(|fault| said.insert(fault.clone()));
    if !faults.is_empty() {
        return Err(StartError::Accounts(faults.join("\n")));
    }
    let mut bank = None;
    if config.payment.sandbox == Sandbox::On {
        let opened = Arc::new(SandboxBank::open(&config.store.data).map_err(StartError::Sandbox)?);
        accounts.push(Arc::new(SandboxProvider::new(
            Arc::clone(&opened),
            shared.clock.clone(),
            config.payment.temporary_payee,
        )));
        bank = Some(opened);
    }
    Ok((Accounts::new(accounts), bank))
}

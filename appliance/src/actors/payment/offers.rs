//! What a pay page may offer: only what the browser can do, by providers that answer. And the small rounds of the accounts.

use std::sync::Arc;

use tollhouse_core::books::Payee;
use tollhouse_core::pay::Way;

use super::desk::{PaymentDesk, suited};
use super::messages::{Browser, PayProblem, SignIn};
use super::provider::{Accounts, Provider};
use super::reach::Reached;
use super::wechat::WECHAT;

/// One button of a pay page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Through whom.
    pub provider: &'static str,
    /// In what way.
    pub way: Way,
}

/// What a page can offer, and what it would have offered if every provider answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offers {
    /// Buttons that work.
    pub now: Vec<Offer>,
    /// Providers that do not answer at present.
    pub away: Vec<&'static str>,
}

/// What a browser is offered.
pub fn offers(accounts: &Accounts, payee: Payee, browser: Browser) -> Offers {
    let mut offers = Offers::default();
    for account in accounts.iter().filter(|account| account.payee() == payee) {
        let provider = account.name();
        // WeChat's browser does not open Alipay's pages, nor Alipay's WeChat's.
        let barred = match browser {
            Browser::WeChat => provider == super::alipay::ALIPAY,
            Browser::Alipay => provider == WECHAT,
            Browser::Phone | Browser::Desk => false,
        };
        let way = suited(browser).iter().copied().find(|way| account.ways().contains(way));
        let Some(way) = way.filter(|_| !barred) else { continue };
        match account.reach().now() {
            Reached::Yes => offers.now.push(Offer { provider, way }),
            Reached::No => offers.away.push(provider),
        }
    }
    offers
}

impl PaymentDesk {
    /// The accounts that nobody has asked anything for a while.
    pub fn due_probes(&self) -> Vec<Arc<dyn Provider>> {
        let now = self.parts.clock.now();
        let mut due = vec![];
        for account in self.parts.accounts.iter() {
            self.parts.metrics.provider_up(account.name(), account.merchant(), account.reach().now());
            if account.reach().probe_is_due(now).is_some() {
                due.push(Arc::clone(account));
            }
        }
        due
    }

    /// Forgets what nobody asks about any more.
    pub fn tidy(&self) {
        let now = self.parts.clock.now();
        self.orders.tidy(now);
        self.refunds.tidy(now);
    }

    /// Where WeChat's browser signs in.
    pub fn sign_in(&self, ask: &SignIn) -> Result<String, PayProblem> {
        let account = self.parts.accounts.for_payee(WECHAT, self.parts.temporary_payee);
        let back = format!("{}{}", self.parts.public_url, ask.back);
        let address = account.and_then(|account| account.sign_in(&back, &ask.state));
        address.ok_or_else(|| PayProblem::NotOffered(WECHAT.to_owned()))
    }
}

//! The actor: makes the rounds, so that no invoice waits for ever for an answer that got lost.

use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};

use super::desk::InvoiceDesk;

/// How often open invoices are asked after.
const ROUND_EVERY: Duration = Duration::from_secs(5);

/// The actor of invoices.
pub struct InvoiceActor {
    desk: InvoiceDesk,
}

impl InvoiceActor {
    /// In front of this desk.
    pub fn new(desk: InvoiceDesk) -> Self {
        Self { desk }
    }

    fn round(&mut self, ctx: &mut Context<Self>) {
        let desk = self.desk.clone();
        let round = async move { desk.round().await }.into_actor(self);
        // The next round is armed when this one is over, so that rounds never overlap.
        ctx.spawn(actix::fut::ActorFutureExt::map(round, |(), _, ctx: &mut Context<Self>| {
            ctx.run_later(ROUND_EVERY, Self::round);
        }));
    }
}

impl Actor for InvoiceActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.round(ctx);
    }
}

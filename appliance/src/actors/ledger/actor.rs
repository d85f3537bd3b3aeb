//! The actor: makes the rounds of the desks of money.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};

use crate::arrears::ArrearsDesk;
use crate::books::BooksDesk;

/// How often claims are looked for.
const ARREARS_EVERY: Duration = Duration::from_secs(2);
/// How often days are closed.
const ROUND_EVERY: Duration = Duration::from_secs(60);

/// What the ledger works with.
#[derive(Clone)]
pub struct LedgerParts {
    /// The books.
    pub books: BooksDesk,
    /// Claims on cars.
    pub arrears: ArrearsDesk,
}

/// The actor.
pub struct LedgerActor {
    parts: Arc<LedgerParts>,
}

impl LedgerActor {
    /// Over these parts.
    pub fn new(parts: LedgerParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    fn look_for_arrears(&mut self, ctx: &mut Context<Self>) {
        let parts = Arc::clone(&self.parts);
        let round = async move {
            match parts.arrears.round().await {
                Ok(read) => read,
                Err(fault) => {
                    tracing::warn!(%fault, "claims cannot be noted now; they are looked for again");
                    0
                }
            }
        };
        let round =
            actix::ActorFutureExt::map(round.into_actor(self), |read, _: &mut Self, ctx: &mut Context<Self>| {
                // While there is more to read, it reads on.
                let pause = if read > 500 { Duration::from_millis(10) } else { ARREARS_EVERY };
                ctx.run_later(pause, Self::look_for_arrears);
            });
        ctx.spawn(round);
    }

    fn round(&mut self, ctx: &mut Context<Self>) {
        let parts = Arc::clone(&self.parts);
        let round = async move { parts.round().await };
        let round = actix::ActorFutureExt::map(round.into_actor(self), |(), _: &mut Self, ctx: &mut Context<Self>| {
            ctx.run_later(ROUND_EVERY, Self::round);
        });
        ctx.spawn(round);
    }
}

impl Actor for LedgerActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.look_for_arrears(ctx);
        self.round(ctx);
    }
}

impl LedgerParts {
    /// Closes the days that are over.
    async fn round(&self) {
        match self.books.close_days().await {
            Ok(0) => {}
            Ok(closed) => tracing::info!(closed, "days of the books are closed"),
            Err(fault) => tracing::warn!(%fault, "a day of the books cannot be closed now; it is tried again"),
        }
    }
}

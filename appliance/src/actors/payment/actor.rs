//! The actor: hands each message to the desk, and makes the rounds.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, ResponseFuture, WrapFuture};

use super::desk::PaymentDesk;
use super::messages::{AskOrder, MakeOrder, OrderState, OrderView, PayProblem, SandboxPay};

/// How often open orders and refunds are asked after.
const ROUND_EVERY: Duration = Duration::from_secs(2);

/// Payment's actor.
pub struct PaymentActor {
    desk: Arc<PaymentDesk>,
}

impl PaymentActor {
    /// In front of this desk.
    pub fn new(desk: PaymentDesk) -> Self {
        Self { desk: Arc::new(desk) }
    }

    fn round(&mut self, ctx: &mut Context<Self>) {
        let desk = Arc::clone(&self.desk);
        let round = async move { desk.round().await }.into_actor(self);
        // The next round is armed when this one is over, so that rounds never overlap.
        let round = actix::ActorFutureExt::map(round, |(), _: &mut Self, ctx: &mut Context<Self>| {
            ctx.run_later(ROUND_EVERY, Self::round);
        });
        ctx.spawn(round);
    }
}

impl Actor for PaymentActor {
    type Context = Context<Self>;

    /// What was paid while the box was down is asked after at once.
    fn started(&mut self, ctx: &mut Self::Context) {
        self.round(ctx);
    }
}

impl Handler<MakeOrder> for PaymentActor {
    type Result = ResponseFuture<Result<OrderView, PayProblem>>;

    fn handle(&mut self, ask: MakeOrder, _: &mut Self::Context) -> Self::Result {
        let desk = Arc::clone(&self.desk);
        Box::pin(async move { desk.make_order(ask).await })
    }
}

impl Handler<AskOrder> for PaymentActor {
    type Result = ResponseFuture<Result<OrderState, PayProblem>>;

    fn handle(&mut self, ask: AskOrder, _: &mut Self::Context) -> Self::Result {
        let desk = Arc::clone(&self.desk);
        Box::pin(async move { desk.order_state(ask.order).await })
    }
}

impl Handler<SandboxPay> for PaymentActor {
    type Result = ResponseFuture<Result<(), PayProblem>>;

    fn handle(&mut self, ask: SandboxPay, _: &mut Self::Context) -> Self::Result {
        let desk = Arc::clone(&self.desk);
        Box::pin(async move { desk.sandbox_pay(ask.order).await })
    }
}

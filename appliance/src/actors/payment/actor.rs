//! The actor: hands each message to the desk, and makes the rounds.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, MessageResult, ResponseFuture};

use super::desk::PaymentDesk;
use super::hear::AfterCall;
use super::messages::{
    AskOrder, CodeScanned, MakeOrder, OrderState, OrderView, PayProblem, ProviderCalls, ReleaseBill, SandboxPay, SignIn,
};

/// How often somebody looks whose turn it is.
const ROUND_EVERY: Duration = Duration::from_millis(250);

/// Payment's actor.
pub struct PaymentActor {
    desk: Arc<PaymentDesk>,
}

impl PaymentActor {
    /// In front of this desk.
    pub fn new(desk: Arc<PaymentDesk>) -> Self {
        Self { desk }
    }

    /// Each order, refund and account that is due is asked about on its own, so that a slow provider holds up nobody else.
    fn round(&mut self) {
        for order in self.desk.due_orders() {
            let desk = Arc::clone(&self.desk);
            actix::spawn(async move { desk.settle_in_turn(order).await });
        }
        for refund in self.desk.due_refunds() {
            let desk = Arc::clone(&self.desk);
            actix::spawn(async move { desk.refund_in_turn(refund).await });
        }
        for account in self.desk.due_probes() {
            actix::spawn(async move {
                if let Err(fault) = account.probe().await {
                    tracing::debug!(%fault, provider = account.name(), "a provider was asked whether it is there");
                }
            });
        }
        self.desk.tidy();
    }
}

impl Actor for PaymentActor {
    type Context = Context<Self>;

    /// What was paid while the box was down is asked after at once.
    fn started(&mut self, ctx: &mut Self::Context) {
        self.round();
        ctx.run_interval(ROUND_EVERY, |actor, _| actor.round());
    }
}

/// Messages whose answer takes its time at the desk.
macro_rules! asks_the_desk {
    ($($message:ty => $answer:ty, |$desk:ident, $ask:ident| $call:expr;)*) => {$(
        impl Handler<$message> for PaymentActor {
            type Result = ResponseFuture<Result<$answer, PayProblem>>;

            fn handle(&mut self, $ask: $message, _: &mut Self::Context) -> Self::Result {
                let $desk = Arc::clone(&self.desk);
                Box::pin(async move { $call.await })
            }
        }
    )*};
}

asks_the_desk! {
    MakeOrder => OrderView, |desk, ask| desk.make_order(ask);
    AskOrder => OrderState, |desk, ask| desk.order_state(ask.order);
    SandboxPay => (), |desk, ask| desk.sandbox_pay(ask.order);
    ReleaseBill => (), |desk, ask| desk.release(ask.bill, ask.why);
}

impl Handler<SignIn> for PaymentActor {
    type Result = Result<String, PayProblem>;

    fn handle(&mut self, ask: SignIn, _: &mut Self::Context) -> Self::Result {
        self.desk.sign_in(&ask)
    }
}

impl Handler<ProviderCalls> for PaymentActor {
    type Result = MessageResult<ProviderCalls>;

    /// Answered at once; what follows from it is done afterwards.
    fn handle(&mut self, call: ProviderCalls, _: &mut Self::Context) -> Self::Result {
        let (answer, after) = self.desk.heard(&call);
        if after != AfterCall::Nothing {
            let desk = Arc::clone(&self.desk);
            actix::spawn(async move { desk.ask_after_call(call.provider, after).await });
        }
        MessageResult(answer)
    }
}

impl Handler<CodeScanned> for PaymentActor {
    type Result = ();

    fn handle(&mut self, scanned: CodeScanned, _: &mut Self::Context) {
        let desk = Arc::clone(&self.desk);
        actix::spawn(async move {
            let lane = scanned.lane.clone();
            if let Err(fault) = desk.code_scanned(scanned).await {
                tracing::info!(%fault, %lane, "a payment code paid nothing");
            }
        });
    }
}

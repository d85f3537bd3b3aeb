//! The actor: runs the desk whenever the journal has grown, and once a second for what time alone has changed. It lives on
//! a thread of its own, since it reads files, and decides nothing.

use std::time::Duration;

use actix::{Actor, Context, Recipient};

use super::desk::{PassDesk, Round};
use crate::actors::lot::messages::PassesMoved;
use crate::store::Store;

/// How often it is looked whether a day has begun.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// With so many writes that the store has before it, half of those at which lanes wait, it gives way between two batches.
const MOST_UNAPPLIED: usize = 64 << 10;
const GIVE_WAY: Duration = Duration::from_millis(5);

/// What the actor works with.
pub struct PassesParts {
    /// What is followed.
    pub store: Store,
    /// What follows it.
    pub desk: PassDesk,
    /// Who has the lanes look again.
    pub passes_moved: Recipient<PassesMoved>,
}

/// See the module.
pub struct PassesActor {
    parts: Option<PassesParts>,
}

impl PassesActor {
    /// Follows once it is started.
    pub fn new(parts: PassesParts) -> Self {
        Self { parts: Some(parts) }
    }
}

impl Actor for PassesActor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        if let Some(parts) = self.parts.take() {
            actix::spawn(follow(parts));
        }
    }
}

/// Follows until the store is closed.
async fn follow(parts: PassesParts) {
    let PassesParts { store, mut desk, passes_moved } = parts;
    let mut durable = store.durable();
    loop {
        match desk.round(|| passes_moved.do_send(PassesMoved)).await {
            // Others on this thread, and the writer, have their turn between two batches.
            Ok(Round::More) if store.unapplied() > MOST_UNAPPLIED => tokio::time::sleep(GIVE_WAY).await,
            Ok(Round::More) => tokio::task::yield_now().await,
            Ok(Round::Rest) => {
                let grown = tokio::time::timeout(LOOK_EVERY, durable.changed()).await;
                if matches!(grown, Ok(Err(_))) {
                    return;
                }
            }
            Err(fault) => {
                tracing::warn!(%fault, "the gate's passes could not be brought up to date; they are in a second");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

//! How a command reaches a desk: the same value, carried out in this process on a stopped box, or sent through
//! `control.sock` to the running one.
//!
//! A new desk's commands are one type that is [`DeskCommand`], and one line in [`answer`].

use std::fmt::Display;
use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Desks;
use crate::books::BooksCommand;
use crate::charging::bills::command::BillCommand;
use crate::charging::exchange::ExchangeCommand;
use crate::coupons::CouponCommand;
use crate::invoices::ExportCommand;
use crate::reconciliation::ReconcileCommand;
use crate::users::UserCommand;

/// What commands ask of one desk.
pub trait DeskCommand: Serialize + DeserializeOwned + Send {
    /// The desk, as the control socket calls it.
    const DESK: &'static str;
    /// What it answers.
    type Answer: Serialize + DeserializeOwned + Send;

    /// Carries it out; a refusal says what to do.
    fn carry_out(self, desks: &Desks) -> impl Future<Output = Result<Self::Answer, String>> + Send;
}

/// Answers what came through the control socket.
pub async fn answer(desks: &Desks, desk: &str, ask: Value) -> Result<Value, String> {
    match desk {
        UserCommand::DESK => carried_out::<UserCommand>(desks, ask).await,
        ReconcileCommand::DESK => carried_out::<ReconcileCommand>(desks, ask).await,
        BooksCommand::DESK => carried_out::<BooksCommand>(desks, ask).await,
        BillCommand::DESK => carried_out::<BillCommand>(desks, ask).await,
        ExchangeCommand::DESK => carried_out::<ExchangeCommand>(desks, ask).await,
        CouponCommand::DESK => carried_out::<CouponCommand>(desks, ask).await,
        ExportCommand::DESK => carried_out::<ExportCommand>(desks, ask).await,
        _ => Err(format!("the running box has no desk {desk:?}: is it of another release?")),
    }
}

async fn carried_out<C: DeskCommand>(desks: &Desks, ask: Value) -> Result<Value, String> {
    let command: C = serde_json::from_value(ask).map_err(unreadable)?;
    serde_json::to_value(command.carry_out(desks).await?).map_err(unreadable)
}

fn unreadable(fault: impl Display) -> String {
    format!("the running box does not understand this: {fault}; is it of another release?")
}

//! Sub-resources of `/api/v1/cards/{number}`: everything that is done to a card. Each makes an act, which is undone by
//! `POST .../undo`.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, ServiceConfig};
use serde::Deserialize;
use tollhouse_core::user::Permission;
use utoipa::IntoParams;

use super::charging::Why;
use super::{Asked, At, Caller, Listed, Paging, Problems, Query, WriteProblems, created};
use crate::charging::cards::{
    CardDone, WantedClosing, WantedExtension, WantedPlace, WantedPlate, WantedRenewal, WantedReplacement, WantedState,
    WantedTransfer,
};
use crate::charging::holders::{InvitationView, NewInvitation};
use crate::http::doors::Doors;
use crate::http::problem::Problem;

pub(super) fn routes(app: &mut ServiceConfig) {
    At::new("/api/v1/cards/{number}/renewals").post(renew).enter(app);
    At::new("/api/v1/cards/{number}/extensions").post(extend).enter(app);
    At::new("/api/v1/cards/{number}/plates").post(plate).enter(app);
    At::new("/api/v1/cards/{number}/places").post(place).enter(app);
    At::new("/api/v1/cards/{number}/states").post(stand).enter(app);
    At::new("/api/v1/cards/{number}/replacements").post(replace).enter(app);
    At::new("/api/v1/cards/{number}/transfers").post(transfer).enter(app);
    At::new("/api/v1/cards/{number}/closings").post(close).enter(app);
    At::new("/api/v1/cards/{number}/invitations").get(invitations).post(invite).enter(app);
    At::new("/api/v1/invitations").get(all_invitations).enter(app);
    At::new("/api/v1/invitations/{id}").delete(withdraw).enter(app);
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(
    renew,
    extend,
    plate,
    place,
    stand,
    replace,
    transfer,
    close,
    invitations,
    invite,
    all_invitations,
    withdraw
))]
pub(super) struct Description;

/// Sells a further term: of rented places, or a package.
#[utoipa::path(post, path = "/api/v1/cards/{number}/renewals", tag = "cards", request_body = WantedRenewal,
    params(("number" = String, Path), Why), responses((status = 201, body = CardDone), WriteProblems))]
async fn renew(
    doors: Data<Arc<Doors>>,
    number: Path<String>,
    asked: Asked<WantedRenewal>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "a renewal"));
    let done = doors.desks.charging.cards.renew(&by, &number, &asked.body).await?;
    Ok(created(&format!("/api/v1/cards/{number}/acts"), &done))
}

/// So many months more: rented places are let on, periodic fees are billed ahead.
#[utoipa::path(post, path = "/api/v1/cards/{number}/extensions", tag = "cards", request_body = WantedExtension,
    params(("number" = String, Path), Why), responses((status = 201, body = CardDone), WriteProblems))]
async fn extend(
    doors: Data<Arc<Doors>>,
    number: Path<String>,
    asked: Asked<WantedExtension>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "an extension"));
    let done = doors.desks.charging.cards.extend(&by, &number, &asked.body).await?;
    Ok(created(&format!("/api/v1/cards/{number}/acts"), &done))
}

/// Changes a plate, adds one or takes one.
#[utoipa::path(post, path = "/api/v1/cards/{number}/plates", tag = "cards", request_body = WantedPlate,
    params(("number" = String, Path), Why), responses((status = 201, body = CardDone), WriteProblems))]
async fn plate(
    doors: Data<Arc<Doors>>,
    number: Path<String>,
    asked: Asked<WantedPlate>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "another plate"));
    let done = doors.desks.charging.cards.change_plate(&by, &number, &asked.body).await?;
    Ok(created(&format!("/api/v1/cards/{number}/acts"), &done))
}

/// Changes a place, adds one or takes one. What was billed for days after is credited; what the new one owes is drawn.
#[utoipa::path(post, path = "/api/v1/cards/{number}/places", tag = "cards", request_body = WantedPlace,
    params(("number" = String, Path), Why), responses((status = 201, body = CardDone), WriteProblems))]
async fn place(
    doors: Data<Arc<Doors>>,
    number: Path<String>,
    asked: Asked<WantedPlace>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "another place"));
    let done = doors.desks.charging.cards.change_place(&by, &number, &asked.body).await?;
    Ok(created(&format!("/api/v1/cards/{number}/acts"), &done))
}

/// Suspends a card, notes it as lost or expired, or brings it back into force.
#[utoipa::path(post, path = "/api/v1/cards/{number}/states", tag = "cards", request_body = WantedState,
    params(("number" = String, Path), Why), responses((status = 201, body = CardDone), WriteProblems))]
async fn stand(
    doors: Data<Arc<Doors>>,
    number: Path<String>,
    asked: Asked<WantedState>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "another state"));
    let done = doors.desks.charging.cards.stand(&by, &number, &asked.body).await?;
    Ok(created(&format!("/api/v1/cards/{number}/acts"), &done))
}

/// Gives out a new physical card for a lost one, and charges what the price list says.
#[utoipa::path(post, path = "/api/v1/cards/{number}/replacements", tag = "cards", request_body = WantedReplacement,
    params(("number" = String, Path), Why), responses((status = 201, body = CardDone), WriteProblems))]
async fn replace(
    doors: Data<Arc<Doors>>,
    number: Path<String>,
    asked: Asked<WantedReplacement>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "a new card for a lost one"));
    let done = doors.desks.charging.cards.replace(&by, &number, &asked.body).await?;
    Ok(created(&format!("/api/v1/cards/{number}/acts"), &done))
}

/// A card passes to another holder. What was drawn before stays with who owed it.
#[utoipa::path(post, path = "/api/v1/cards/{number}/transfers", tag = "cards", request_body = WantedTransfer,
    params(("number" = String, Path), Why), responses((status = 201, body = CardDone), WriteProblems))]
async fn transfer(
    doors: Data<Arc<Doors>>,
    number: Path<String>,
    asked: Asked<WantedTransfer>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "another holder"));
    let done = doors.desks.charging.cards.transfer(&by, &number, &asked.body).await?;
    Ok(created(&format!("/api/v1/cards/{number}/acts"), &done))
}

/// Closes a card: what was paid for days after comes back less what the lot keeps, and its deposits come back.
#[utoipa::path(post, path = "/api/v1/cards/{number}/closings", tag = "cards", request_body = WantedClosing,
    params(("number" = String, Path), Why), responses((status = 201, body = CardDone), WriteProblems))]
async fn close(
    doors: Data<Arc<Doors>>,
    number: Path<String>,
    asked: Asked<WantedClosing>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "given back"));
    let done = doors.desks.charging.cards.close(&by, &number, &asked.body).await?;
    Ok(created(&format!("/api/v1/cards/{number}/acts"), &done))
}

/// Which invitations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// Of this card.
    card: Option<String>,
}

/// The visitors whom a card's holder has invited.
#[utoipa::path(get, path = "/api/v1/cards/{number}/invitations", tag = "cards", params(("number" = String, Path), Paging),
    responses((status = 200, body = Listed<InvitationView>), Problems))]
async fn invitations(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    number: Path<String>,
    page: Paging,
) -> Result<Json<Listed<InvitationView>>, Problem> {
    caller.may(Permission::CardsRead)?;
    let (after, limit) = page.asked();
    Ok(Json(doors.desks.charging.holders.invitations(Some(&number), after, limit)?.into()))
}

/// Invites a visitor: a plate that is let in free of charge up to a moment.
#[utoipa::path(post, path = "/api/v1/cards/{number}/invitations", tag = "cards", request_body = NewInvitation,
    params(("number" = String, Path), Why), responses((status = 201, body = InvitationView), WriteProblems))]
async fn invite(
    doors: Data<Arc<Doors>>,
    number: Path<String>,
    asked: Asked<NewInvitation>,
    why: Query<Why>,
) -> Result<HttpResponse, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "a visitor"));
    let made = doors.desks.charging.holders.invite(&by, &number, &asked.body).await?;
    Ok(created(&format!("/api/v1/invitations/{}", made.id), &made))
}

/// Invitations, by id.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "cards", params(Whose, Paging),
    responses((status = 200, body = Listed<InvitationView>), Problems))]
async fn all_invitations(
    doors: Data<Arc<Doors>>,
    caller: Caller,
    whose: Query<Whose>,
    page: Paging,
) -> Result<Json<Listed<InvitationView>>, Problem> {
    caller.may(Permission::CardsRead)?;
    let (after, limit) = page.asked();
    Ok(Json(doors.desks.charging.holders.invitations(whose.0.card.as_deref(), after, limit)?.into()))
}

/// Takes an invitation back: the gate's pass goes with it.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = "cards", params(("id" = String, Path), Why),
    responses((status = 200, body = InvitationView), WriteProblems))]
async fn withdraw(
    doors: Data<Arc<Doors>>,
    id: Path<String>,
    asked: Asked<()>,
    why: Query<Why>,
) -> Result<Json<InvitationView>, Problem> {
    asked.caller.may(Permission::CardsWrite)?;
    let by = asked.by(Why::or(&why, "an invitation taken back"));
    Ok(Json(doors.desks.charging.holders.withdraw_invitation(&by, &id).await?))
}

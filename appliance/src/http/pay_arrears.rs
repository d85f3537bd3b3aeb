//! What the pay page says of earlier visits that were left unpaid: what for, when, how the car got away, and its picture where a
//! camera sent one. Each is a bill of its own with a page of its own; nothing is added to the bill that is looked at.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};
use tollhouse_core::arrears::{Arrears, HowItLeft, Owed};
use tollhouse_core::bill::Bill;
use tollhouse_core::id::BillId;
use tollhouse_core::lane::Passage;
use tollhouse_core::record::Records;
use tollhouse_core::stay::Stay;
use tollhouse_core::words::{Language, Words};

use super::doors::Doors;
use super::page;
use super::pay_page::price;
use super::problem::Problem;
use crate::actors::billing::messages::{PayState, PayView};

/// Where the picture of a claim's car is.
pub(super) fn picture_path(bill: BillId) -> String {
    format!("/pay/bills/{bill}/picture")
}

/// How a car got away, for its driver.
pub(super) fn how(how: HowItLeft) -> Words {
    match how {
        HowItLeft::ByHand => Words::new("人工放行，未缴费", "Let out by hand, not paid"),
        HowItLeft::OnAPass => Words::new("持卡离场，未缴费", "Left on a card, not paid"),
        HowItLeft::Unopened => Words::new("未缴费离场", "Left without paying"),
        HowItLeft::ExitMissed => Words::new("离场未被识别", "Not seen to leave"),
    }
}

/// An earlier visit as the page shows it.
pub(super) struct EarlierVisit {
    pub(super) bill: String,
    /// From when to when it was there.
    pub(super) when: String,
    pub(super) how: String,
    pub(super) amount: String,
    pub(super) picture: Option<String>,
}

impl EarlierVisit {
    fn of(claim: &Arrears, amount: String, doors: &Doors, language: Language) -> Self {
        let time = |at: chrono::DateTime<chrono::Utc>, form| at.with_timezone(&doors.zone).format(form).to_string();
        let left = claim.left_at.map_or_else(|| "?".to_owned(), |at| time(at, "%m-%d %H:%M"));
        Self {
            bill: claim.bill.to_string(),
            when: format!("{} – {left}", time(claim.entered_at, "%Y-%m-%d %H:%M")),
            how: how(claim.how).in_language(language).to_owned(),
            amount,
            picture: has_picture(claim, doors).then(|| picture_path(claim.bill)),
        }
    }
}

fn has_picture(claim: &Arrears, doors: &Doors) -> bool {
    let passage = doors.desks.records().get::<Passage>(&claim.passage.to_string());
    passage.ok().flatten().is_some_and(|kept| doors.pictures.has(kept.record.id, kept.record.captured_at))
}

/// Whether a claim's car has a picture.
pub(super) fn picture_of(owed: &Owed, doors: &Doors) -> Option<String> {
    has_picture(&owed.claim, doors).then(|| picture_path(owed.bill.id))
}

/// What the page shows beside this bill. Who asks by plate learns nothing of a car that owes nothing now.
pub(super) fn beside(view: &PayView, doors: &Doors, language: Language) -> Vec<EarlierVisit> {
    if view.state == PayState::NothingDue {
        return vec![];
    }
    let owed = doors.arrears.asked(&view.plate, view.bill).unwrap_or_default();
    owed.iter().map(|one| EarlierVisit::of(&one.claim, price(one.bill.due()), doors, language)).collect()
}

/// If the bill itself is one of an earlier visit: that visit.
pub(super) fn itself(view: &PayView, doors: &Doors, language: Language) -> Option<EarlierVisit> {
    let claim = doors.arrears.one(&view.plate, view.bill?).ok().flatten()?;
    Some(EarlierVisit::of(&claim.arrears, price(claim.due), doors, language))
}

/// The picture of a car that left unpaid, for who has the bill's page.
#[utoipa::path(
    get, path = "/pay/bills/{bill}/picture", tag = "pages", params(("bill" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"),
              (status = 404, description = "No bill of an earlier visit, or no picture of it"))
)]
pub(super) async fn picture(doors: Data<Arc<Doors>>, bill: Path<String>) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::unknown("there is no picture of this");
    let bill: BillId = bill.parse().map_err(|_| unknown())?;
    let records = doors.desks.records();
    let kept = records.get::<Bill>(&bill.to_string())?.ok_or_else(unknown)?;
    let stay = records.get::<Stay>(&kept.record.stay.to_string())?.ok_or_else(unknown)?;
    let claim = doors.arrears.one(&stay.record.plate, bill)?.ok_or_else(unknown)?;
    let passage = records.get::<Passage>(&claim.arrears.passage.to_string())?.ok_or_else(unknown)?.record;
    shown(&doors, &passage).await
}

/// The picture of a passage as an answer.
pub(super) async fn shown(doors: &Doors, passage: &Passage) -> Result<HttpResponse, Problem> {
    let (pictures, id, at) = (Arc::clone(&doors.pictures), passage.id, passage.captured_at);
    let read = web::block(move || pictures.of(id, at)).await;
    let jpeg = read.map_err(|_| Problem::full("the box is ending"))?;
    let jpeg = jpeg.ok_or_else(|| Problem::unknown("there is no picture of this passage"))?;
    Ok(HttpResponse::Ok()
        .content_type("image/jpeg")
        .insert_header(("Cache-Control", "private, max-age=600"))
        .body(jpeg))
}

/// The words above the list.
pub(super) fn title(language: Language) -> &'static str {
    page::say(language, "以往欠费", "Owed of earlier visits")
}

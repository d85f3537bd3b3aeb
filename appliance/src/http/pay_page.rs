//! The pages that a driver's phone shows: what is owed, one button, and what becomes of it. And the QR code that leads
//! there. A page that is open stays with its bill: its address carries the bill's id from the first moment.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde::Deserialize;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::words::Language;

use super::doors::{Doors, Known};
use super::pay::{self, Token};
use super::pay_arrears::{self, EarlierVisit};
use super::problem::Problem;
use super::rate::Rates;
use super::{assets, browser, language, page, plate_look};
use crate::actors::billing::messages::{PayState, PayView};
use crate::actors::payment::alipay::ALIPAY;
use crate::actors::payment::messages::{PayProblem, SignIn};
use crate::actors::payment::offers::Offer;
use crate::actors::payment::wechat::WECHAT;

/// `?bill=`
#[derive(Debug, Default, Deserialize)]
pub(super) struct Stay {
    bill: Option<String>,
}

#[derive(Template)]
#[template(path = "pay.html")]
struct PayPage<'a> {
    language: Language,
    assets: &'static assets::Version,
    lot: &'a str,
    /// `due`, `paid`, `nothing`, `empty`, `sorry`.
    state: &'static str,
    buttons: Vec<Button>,
    away: Vec<&'static str>,
    bill: Option<Shown>,
    /// What the car still owes of earlier visits.
    owed: Vec<EarlierVisit>,
    owed_title: &'static str,
    sorry: Option<&'static str>,
}

/// A way to pay that works here and now.
struct Button {
    provider: &'static str,
    way: &'static str,
    says: &'static str,
}

fn button(offer: Offer, language: Language) -> Button {
    let says = match offer.provider {
        WECHAT => page::say(language, "微信支付", "Pay with WeChat"),
        ALIPAY => page::say(language, "支付宝支付", "Pay with Alipay"),
        _ => page::say(language, "立即支付", "Pay"),
    };
    Button { provider: offer.provider, way: offer.way.as_str(), says }
}

fn name(provider: &'static str, language: Language) -> &'static str {
    match provider {
        WECHAT => page::say(language, "微信支付", "WeChat Pay"),
        ALIPAY => page::say(language, "支付宝", "Alipay"),
        other => other,
    }
}

/// A bill as the page shows it.
struct Shown {
    id: String,
    plate: String,
    plate_style: &'static str,
    entered: Option<String>,
    stayed: Option<String>,
    amount: String,
    paid: Option<String>,
    lines: Vec<(String, String)>,
    /// `exit`: it stands at the barrier. `inside`: it has to leave by then. `past`: it left unpaid.
    place: &'static str,
    /// How and when it left, if it left unpaid.
    left: Option<EarlierVisit>,
    leave_by: Option<String>,
}

impl PayPage<'_> {
    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        page::say(self.language, zh, en)
    }
}

/// What a driver calls the currency.
fn symbol(currency: Currency) -> &'static str {
    match currency {
        Currency::Cny | Currency::Jpy => "¥",
        Currency::Hkd => "HK$",
        Currency::Eur => "€",
        Currency::Gbp => "£",
        Currency::Usd => "$",
    }
}

pub(super) fn price(money: Money) -> String {
    format!("{}{}", symbol(money.currency()), money.amount())
}

fn hours_minutes(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%H:%M").to_string()
}

fn stayed(span: TimeDelta, language: Language) -> String {
    let minutes = span.num_minutes().max(0);
    let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    let units = match language {
        Language::Zh => [" 天 ", " 小时 ", " 分钟"],
        Language::En => [" d ", " h ", " min"],
    };
    match (days, hours) {
        (0, 0) => format!("{minutes}{}", units[2]),
        (0, hours) => format!("{hours}{}{minutes}{}", units[1], units[2]),
        (days, hours) => format!("{days}{}{hours}{}{minutes}{}", units[0], units[1], units[2]),
    }
}

fn shown(view: &PayView, doors: &Doors, language: Language) -> Shown {
    let until = view.exited_at.unwrap_or_else(|| (doors.clock)());
    let left = pay_arrears::itself(view, doors, language);
    let place = match (&left, view.exited_at) {
        (Some(_), _) => "past",
        (None, Some(_)) => "exit",
        (None, None) => "inside",
    };
    Shown {
        id: view.bill.map(|bill| bill.to_string()).unwrap_or_default(),
        plate: plate_look::shown(view.plate.as_str()),
        plate_style: plate_look::style(view.plate.as_str()),
        entered: view.entered_at.map(|at| at.with_timezone(&doors.zone).format("%m-%d %H:%M").to_string()),
        stayed: view.entered_at.map(|at| stayed(until - at, language)),
        amount: price(view.amount),
        paid: Some(view.paid).filter(|paid| paid.is_positive()).map(price),
        lines: view
            .lines
            .iter()
            .map(|(words, money)| (words.in_language(language).to_owned(), price(*money)))
            .collect(),
        place,
        left,
        leave_by: view.leave_by.map(|at| hours_minutes(at, doors.zone)),
    }
}

fn answer(doors: &Doors, request: &HttpRequest, found: Result<PayView, Problem>) -> HttpResponse {
    let language = language::of(request);
    let offers = (doors.offers)(browser::of(request));
    let page = PayPage {
        language,
        assets: assets::version(),
        lot: &doors.lot_name,
        state: "sorry",
        buttons: offers.now.into_iter().map(|offer| button(offer, language)).collect(),
        away: offers.away.into_iter().map(|provider| name(provider, language)).collect(),
        bill: None,
        owed: vec![],
        owed_title: pay_arrears::title(language),
        sorry: None,
    };
    match found {
        Ok(view) => {
            let state = match view.state {
                PayState::Due => "due",
                PayState::Paid => "paid",
                PayState::NothingDue => "nothing",
            };
            let owed = pay_arrears::beside(&view, doors, language);
            page::html(&PayPage { state, bill: Some(shown(&view, doors, language)), owed, ..page }, language)
        }
        // The address is right, only nobody stands there: a page like any other, which offers to look again.
        Err(problem) if problem.word == "no-car-waits" => page::html(&PayPage { state: "empty", ..page }, language),
        Err(problem) => {
            let mut answer =
                page::html_with(problem.status, &PayPage { sorry: Some(sorry(&problem, language)), ..page }, language);
            if problem.status == StatusCode::TOO_MANY_REQUESTS
                && let Some((name, value)) = &problem.header
                && let Ok(value) = value.parse()
            {
                answer.headers_mut().insert(name.clone(), value);
            }
            answer
        }
    }
}

fn sorry(problem: &Problem, language: Language) -> &'static str {
    let (zh, en) = match problem.word {
        "wrong-token" => {
            ("二维码已失效，请重新扫描场内二维码。", "This code has been replaced. Scan the code inside the lot again.")
        }
        "bad-plate" => ("车牌号有误，请检查后重试。", "That is not a plate. Please check it."),
        "too-often" => ("查询太频繁，请稍后再试。", "Too many questions. Please try again in a minute."),
        "unknown" => ("此二维码无效，请重新扫描。", "This code is not valid. Please scan it again."),
        _ => ("系统繁忙，请稍后再试。", "The box is busy. Please try again."),
    };
    page::say(language, zh, en)
}

async fn staying(doors: &Doors, stay: &Stay) -> Option<Result<PayView, Problem>> {
    match &stay.bill {
        Some(bill) => Some(pay::view_of_bill(doors, bill).await),
        None => None,
    }
}

/// The page behind the lane's QR code: the car that waits there, its fee, how to pay.
#[utoipa::path(
    get, path = "/pay/lanes/{lane}", tag = "pages",
    params(("lane" = String, Path), ("bill" = Option<String>, Query, description = "Stay with this bill"),
           ("lang" = Option<String>, Query, description = "zh or en")),
    responses((status = 200, body = String, content_type = "text/html"), (status = 404, description = "No such lane or bill"))
)]
pub(super) async fn lane(
    doors: Data<Arc<Doors>>,
    code: Path<String>,
    stay: Query<Stay>,
    request: HttpRequest,
) -> HttpResponse {
    let found = match staying(&doors, &stay).await {
        Some(found) => found,
        None => pay::view_of_lane(&doors, &code).await,
    };
    answer(&doors, &request, found)
}

/// The same for a car inside, reached by the QR codes there.
#[utoipa::path(
    get, path = "/pay/plates/{plate}", tag = "pages",
    params(("plate" = String, Path), ("token" = String, Query), ("bill" = Option<String>, Query, description = "Stay with this bill"),
           ("lang" = Option<String>, Query, description = "zh or en")),
    responses((status = 200, body = String, content_type = "text/html"), (status = 403, description = "Wrong token"), (status = 429, description = "Too many questions"))
)]
pub(super) async fn plate(
    doors: Data<Arc<Doors>>,
    rates: Data<Arc<Rates>>,
    plate: Path<String>,
    token: Query<Token>,
    stay: Query<Stay>,
    request: HttpRequest,
) -> HttpResponse {
    let found = match staying(&doors, &stay).await {
        Some(found) => found,
        None => pay::view_of_plate(&doors, &rates, &request, &plate, &token.token).await,
    };
    answer(&doors, &request, found)
}

/// The page of a bill: where a provider's page sends the browser back to. That it comes back is no evidence of anything.
#[utoipa::path(
    get, path = "/pay/bills/{bill_id}", tag = "pages",
    params(("bill_id" = String, Path), ("lang" = Option<String>, Query, description = "zh or en")),
    responses((status = 200, body = String, content_type = "text/html"), (status = 404, description = "No such bill"))
)]
pub(super) async fn bill(doors: Data<Arc<Doors>>, bill: Path<String>, request: HttpRequest) -> HttpResponse {
    answer(&doors, &request, pay::view_of_bill(&doors, &bill).await)
}

/// `?back=&state=`
#[derive(Debug, Default, Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
    #[serde(default)]
    state: String,
}

/// Leads WeChat's browser to WeChat, which says who pays, and back to the pay page.
#[utoipa::path(
    get, path = "/pay/sign-in", tag = "pages",
    params(("back" = String, Query, description = "The pay page's path"), ("state" = String, Query, description = "Comes back with it")),
    responses((status = 302, description = "To WeChat"), (status = 400, description = "No pay page"), (status = 422, description = "Nobody pays inside WeChat here"))
)]
pub(super) async fn sign_in(doors: Data<Arc<Doors>>, asked: Query<Back>) -> Result<HttpResponse, Problem> {
    let Back { back, state } = asked.into_inner();
    let ours = back.starts_with("/pay/") && back.len() <= 500 && back.bytes().all(|byte| byte.is_ascii_graphic());
    if !ours || back.contains('\\') || !pay::is_word(&state) {
        return Err(Problem::bad_request("bad-address", "No pay page", "back is the path of a pay page, state a word"));
    }
    let to = doors.ask(&doors.sign_in, SignIn { back, state }).await?;
    Ok(HttpResponse::Found().insert_header(("Location", to)).finish())
}

/// The lane's QR code, to print or to show on its display.
#[utoipa::path(
    get, path = "/pay/lanes/{lane}/qr.svg", tag = "pages", params(("lane" = String, Path)),
    responses((status = 200, body = String, content_type = "image/svg+xml"), (status = 404, description = "No such lane"))
)]
pub(super) async fn qr(
    doors: Data<Arc<Doors>>,
    code: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    if doors.knows_code(&code) == Known::No {
        return Err(PayProblem::Unknown.into());
    }
    let url = match &doors.public_url {
        Some(url) => format!("{url}/pay/lanes/{code}"),
        None => format!("http://{}/pay/lanes/{code}", request.connection_info().host()),
    };
    let image = QrCode::with_error_correction_level(url, EcLevel::M)
        .map_err(|error| Problem::bad_request("no-code", "No QR code", error.to_string()))?
        .render::<svg::Color<'_>>()
        .min_dimensions(240, 240)
        .build();
    Ok(HttpResponse::Ok().content_type("image/svg+xml").body(image))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_said_as_people_say_it() {
        for (minutes, zh, en) in [
            (0, "0 分钟", "0 min"),
            (75, "1 小时 15 分钟", "1 h 15 min"),
            (1_441, "1 天 0 小时 1 分钟", "1 d 0 h 1 min"),
            (-5, "0 分钟", "0 min"),
        ] {
            let span = TimeDelta::minutes(minutes);
            assert_eq!((stayed(span, Language::Zh).as_str(), stayed(span, Language::En).as_str()), (zh, en));
        }
    }
}

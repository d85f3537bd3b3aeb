//! What all pages share: the language of a sentence, the answer around a template, the page for a mistake, the live page.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use tollhouse_core::words::Language;

use super::doors::Doors;
use super::problem::Problem;
use super::{assets, language};
use crate::config::Sandbox;

/// One of two sentences.
pub(super) fn say(language: Language, zh: &'static str, en: &'static str) -> &'static str {
    match language {
        Language::Zh => zh,
        Language::En => en,
    }
}

/// A page as an answer.
pub(super) fn html(page: &impl Template, language: Language) -> HttpResponse {
    html_with(StatusCode::OK, page, language)
}

/// A page as an answer with that status.
pub(super) fn html_with(status: StatusCode, page: &impl Template, language: Language) -> HttpResponse {
    match page.render() {
        Ok(text) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header(("Content-Language", language::tag(language)))
            .insert_header(("Vary", "Accept-Language"))
            .body(text),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            HttpResponse::InternalServerError().content_type("text/plain; charset=utf-8").body("the page is broken\n")
        }
    }
}

#[derive(Template)]
#[template(path = "mistake.html")]
struct MistakePage<'a> {
    language: Language,
    assets: &'static assets::Version,
    problem: &'a Problem,
}

impl MistakePage<'_> {
    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        say(self.language, zh, en)
    }
}

/// The page for a mistake.
pub(super) fn mistake(problem: &Problem, language: Language) -> HttpResponse {
    html_with(problem.status, &MistakePage { language, assets: assets::version(), problem }, language)
}

#[derive(Template)]
#[template(path = "live.html")]
struct LivePageTemplate<'a> {
    language: Language,
    assets: &'static assets::Version,
    lot: &'a str,
    /// The lot as it stands, in JSON: nothing is empty until the stream begins.
    picture: String,
    pay_links: Vec<(String, String)>,
}

impl LivePageTemplate<'_> {
    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        say(self.language, zh, en)
    }
}

/// The live page: lanes, last cars, decisions, money.
#[utoipa::path(get, path = "/", tag = "pages", responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn live(doors: Data<Arc<Doors>>, request: HttpRequest) -> HttpResponse {
    let language = language::of(&request);
    // The codes are secrets of an installed box; who tries the box out wants a way to the pay page.
    let pay_links = match doors.sandbox {
        Sandbox::On => doors.lane_codes.iter().map(|(lane, code)| (lane.to_string(), code.clone())).collect(),
        Sandbox::Off => Vec::new(),
    };
    html(
        &LivePageTemplate {
            language,
            assets: assets::version(),
            lot: &doors.lot_name,
            picture: super::live::picture(&doors),
            pay_links,
        },
        language,
    )
}

//! Which language a browser is answered in: `?lang=` first, then `Accept-Language`, then Chinese.

use actix_web::HttpRequest;
use actix_web::http::header;
use tollhouse_core::words::Language;

/// The language of this request.
pub(super) fn of(request: &HttpRequest) -> Language {
    let asked = request.query_string().split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(named);
    let accepted = || {
        let header = request.headers().get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        preferred(header)
    };
    asked.or_else(accepted).unwrap_or_default()
}

/// The language that the address asks for; Chinese where it asks for none: a document is kept, whatever the browser is set to.
pub(super) fn asked(request: &HttpRequest) -> Language {
    let named = request.query_string().split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(named);
    named.unwrap_or_default()
}

fn named(tag: &str) -> Option<Language> {
    match tag.split('-').next()?.trim().to_ascii_lowercase().as_str() {
        "zh" => Some(Language::Zh),
        "en" => Some(Language::En),
        _ => None,
    }
}

/// The one of our languages with the highest weight (RFC 9110, 12.5.4), the first of equals.
fn preferred(header: &str) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    for part in header.split(',').take(20) {
        let (tag, weight) = part.split_once(";q=").map_or((part, 1.0), |(t, q)| (t, q.trim().parse().unwrap_or(0.0)));
        if let Some(language) = named(tag)
            && weight > 0.0
            && best.is_none_or(|(found, _)| weight > found)
        {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// The tag for `lang` and `Content-Language`.
pub(super) fn tag(language: Language) -> &'static str {
    match language {
        Language::Zh => "zh-CN",
        Language::En => "en",
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_address_goes_before_the_browser_and_chinese_is_the_rest() {
        for (query, accept, expected) in [
            ("", "", Language::Zh),
            ("", "en-GB,en;q=0.9,zh;q=0.8", Language::En),
            ("", "fr, zh-CN;q=0.7, en;q=0.3", Language::Zh),
            ("", "fr", Language::Zh),
            ("?lang=en", "zh-CN", Language::En),
            ("?token=a&lang=zh", "en", Language::Zh),
            ("?lang=xx", "en", Language::En),
        ] {
            let request = TestRequest::with_uri(&format!("/{query}")).insert_header(("Accept-Language", accept));
            assert_eq!(of(&request.to_http_request()), expected, "{query} {accept}");
        }
    }
}

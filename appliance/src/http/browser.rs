//! Which browser a driver's phone shows the pay page in: it decides in which way can be paid. Owns the words in `User-Agent`
//! that tell them apart.

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::actors::payment::messages::Browser;

/// The browser of this request.
pub(super) fn of(request: &HttpRequest) -> Browser {
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let says = |word: &str| agent.contains(word);
    if says("MicroMessenger") {
        Browser::WeChat
    } else if says("AlipayClient") {
        Browser::Alipay
    } else if says("Mobile") || says("Android") || says("iPhone") {
        Browser::Phone
    } else {
        Browser::Desk
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_browser_is_told_by_what_it_says_of_itself() {
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148";
        for (agent, browser) in [
            (format!("{iphone} MicroMessenger/8.0.49(0x18003129) NetType/WIFI Language/zh_CN"), Browser::WeChat),
            (format!("{iphone} AliApp(AP/10.5.80) AlipayClient/10.5.80"), Browser::Alipay),
            (format!("{iphone} Safari/604.1"), Browser::Phone),
            ("Mozilla/5.0 (Linux; Android 14) Chrome/120 Mobile Safari/537.36".to_owned(), Browser::Phone),
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/120 Safari/537.36".to_owned(), Browser::Desk),
            (String::new(), Browser::Desk),
        ] {
            let request = TestRequest::default().insert_header((header::USER_AGENT, agent.as_str())).to_http_request();
            assert_eq!(of(&request), browser, "{agent}");
        }
    }
}

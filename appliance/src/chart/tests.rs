//! The picture says what the curve says, and nothing in a tariff's name can break out of it.

use std::convert::Infallible;

use chrono::{TimeZone, Utc};
use tollhouse_core::money::Currency;
use tollhouse_core::tariff::curve::Curve;
use tollhouse_core::words::Words;

use super::{CapLine, Picture, svg};

fn picture(name: &str) -> Picture {
    let fee = |seconds: i64| if seconds <= 900 { 0 } else { ((seconds + 3_599) / 3_600 * 500).min(4_000) };
    Picture {
        name: Words::new(name, "Demo"),
        version: "demo · 1".to_owned(),
        vehicle: Words::new("小型车", "small"),
        entered_at: Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).single().expect("a moment"),
        zone: chrono_tz::Asia::Shanghai,
        currency: Currency::Cny,
        curve: Curve::of(86_400, 60, |seconds| Ok::<_, Infallible>(fee(seconds))).expect("it cannot fail"),
        caps: vec![CapLine { minor: 4_000, text: Words::new("每24小时封顶", "cap per 24 h") }],
    }
}

#[test]
fn the_picture_shows_name_steps_cap_and_clock() {
    let drawn = svg(&picture("示范"));
    for shown in ["示范 · Demo", "40.00", "每24小时封顶 40.00 · cap per 24 h", "免费 free 15 min", "08:00", "03-03"]
    {
        assert!(drawn.contains(shown), "{shown} is not in {drawn}");
    }
    let path = drawn.split("<path d=\"").nth(2).expect("the line").split('"').next().expect("its end");
    assert_eq!(path.matches('V').count(), 8, "eight steps: {path}");
}

#[test]
fn a_fee_from_the_first_second_on_shows_no_free_time() {
    let fee = |seconds: i64| (seconds + 3_599) / 3_600 * 500;
    let curve = Curve::of(86_400, 60, |seconds| Ok::<_, Infallible>(fee(seconds))).expect("it cannot fail");
    assert!(!svg(&Picture { curve, ..picture("示范") }).contains("free"));
}

#[test]
fn a_name_cannot_break_out_of_the_picture() {
    let drawn = svg(&picture("<script>\"&\u{0}"));
    assert!(drawn.contains("&lt;script&gt;&quot;&amp; · Demo"));
    assert!(!drawn.contains("<script") && !drawn.contains('\u{0}'));
}

#[test]
fn the_picture_needs_no_style_and_no_script() {
    let drawn = svg(&picture("示范"));
    for word in ["style=", "<style", "<script", "href"] {
        assert!(!drawn.contains(word), "{word}");
    }
}

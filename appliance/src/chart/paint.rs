//! Draws: frame, axes, steps, caps. Every text that comes from a tariff is escaped.

use std::fmt::Write as _;

use chrono::{NaiveTime, TimeDelta, Timelike};
use tollhouse_core::money::Money;
use tollhouse_core::words::Words;

use super::axis::{duration, money_step, time_step};
use super::{CapLine, Picture};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 540.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 928.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = 438.0;
/// A plateau narrower than this has no figure of its own.
const FIGURE_WIDTH: f64 = 46.0;
/// With more steps than this their ends are not dotted: it would be a rope.
const MOST_DOTS: usize = 48;

const INK: &str = "#1d2733";
const MUTED: &str = "#66758a";
const GRID: &str = "#e6ebf1";
const LINE: &str = "#0f766e";
const FREE: &str = "#16a34a";
const CAP: &str = "#b45309";
const FONT: &str = "system-ui, 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif";

/// How values become places in the picture.
struct Scale {
    most_s: i64,
    most_minor: i64,
}

#[expect(clippy::cast_precision_loss, reason = "places in a picture; seconds and fen of any stay fit 53 bits")]
impl Scale {
    fn x(&self, seconds: i64) -> f64 {
        LEFT + (RIGHT - LEFT) * (seconds as f64 / self.most_s.max(1) as f64)
    }

    fn y(&self, minor: i64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * (minor as f64 / self.most_minor.max(1) as f64)
    }
}

/// The whole picture as an SVG document.
pub fn svg(picture: &Picture) -> String {
    let scale = scale(picture);
    let mut out = String::with_capacity(16 << 10);
    let alt = format!("{} {}: {}", picture.name.zh, picture.name.en, summary(picture));
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"{FONT}\" role=\"img\"><title>{}</title>\
         <defs><linearGradient id=\"under\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\">\
         <stop offset=\"0\" stop-color=\"{LINE}\" stop-opacity=\"0.22\"/>\
         <stop offset=\"1\" stop-color=\"{LINE}\" stop-opacity=\"0.03\"/></linearGradient></defs>\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>",
        escape(&alt)
    );
    heading(picture, &mut out);
    money_axis(picture, &scale, &mut out);
    time_axis(picture, &scale, &mut out);
    free_time(picture, &scale, &mut out);
    caps(picture, &scale, &mut out);
    steps(picture, &scale, &mut out);
    out.push_str("</svg>\n");
    out
}

fn scale(picture: &Picture) -> Scale {
    let highest = picture.curve.highest();
    let capped = picture.caps.iter().map(|cap| cap.minor).filter(|cap| *cap <= highest * 3 / 2).max();
    let most = highest.max(capped.unwrap_or(0)).max(1);
    // Up to the next mark, and air for the figures above it.
    let step = money_step(most);
    Scale { most_s: picture.curve.most_s, most_minor: (most / step + 1) * step }
}

fn summary(picture: &Picture) -> String {
    let last = Money::new(picture.curve.at(picture.curve.most_s), picture.currency);
    format!("{} → {last}", duration(picture.curve.most_s))
}

fn heading(picture: &Picture, out: &mut String) {
    let Words { zh, en } = &picture.name;
    let title = if zh == en { zh.clone() } else { format!("{zh} · {en}") };
    let entry = picture.entered_at.with_timezone(&picture.zone).format("%Y-%m-%d %H:%M");
    let vehicle = &picture.vehicle;
    let vehicle = if vehicle.zh == vehicle.en { vehicle.en.clone() } else { format!("{} {}", vehicle.zh, vehicle.en) };
    let below = format!("{} · {vehicle} · 入场 in {entry}", picture.version);
    text(out, (LEFT, 40.0), (20, INK, "start", "600"), &title);
    text(out, (LEFT, 64.0), (13, MUTED, "start", "400"), &below);
    let last = Money::new(picture.curve.at(picture.curve.most_s), picture.currency);
    text(out, (RIGHT, 40.0), (20, LINE, "end", "600"), &last.to_string());
    text(out, (RIGHT, 64.0), (13, MUTED, "end", "400"), &duration(picture.curve.most_s));
}

fn money_axis(picture: &Picture, scale: &Scale, out: &mut String) {
    let step = money_step(scale.most_minor);
    let mut minor = 0;
    while minor <= scale.most_minor {
        let y = scale.y(minor);
        let colour = if minor == 0 { MUTED } else { GRID };
        rule(out, (LEFT, y), (RIGHT, y), (colour, "1", ""));
        let shown = Money::new(minor, picture.currency).amount();
        text(out, (LEFT - 10.0, y + 4.0), (12, MUTED, "end", "400"), &shown);
        minor += step;
    }
    let label = format!("费用 Fee ({})", picture.currency);
    text(out, (LEFT - 10.0, TOP - 12.0), (12, MUTED, "start", "400"), &label);
}

/// Durations, and below them the clock on the wall: it is what prices by the time of day follow.
fn time_axis(picture: &Picture, scale: &Scale, out: &mut String) {
    let step = time_step(scale.most_s);
    let mut seconds = 0;
    while seconds <= scale.most_s {
        let x = scale.x(seconds);
        rule(out, (x, BOTTOM), (x, BOTTOM + 5.0), (MUTED, "1", ""));
        let anchor = "middle";
        text(out, (x, BOTTOM + 20.0), (12, INK, anchor, "400"), &duration(seconds));
        let clock = (picture.entered_at + TimeDelta::seconds(seconds)).with_timezone(&picture.zone);
        text(out, (x, BOTTOM + 37.0), (11, MUTED, anchor, "400"), &clock.format("%H:%M").to_string());
        seconds += step;
    }
    midnights(picture, scale, out);
    let middle = f64::midpoint(LEFT, RIGHT);
    let label = "停车时长 Duration　·　时刻 Time of day";
    text(out, (middle, BOTTOM + 74.0), (12, MUTED, "middle", "400"), label);
}

fn midnights(picture: &Picture, scale: &Scale, out: &mut String) {
    const MOST: i64 = 10 * 86_400;
    if scale.most_s > MOST {
        return;
    }
    let mut before = picture.entered_at.with_timezone(&picture.zone).date_naive();
    for seconds in (0..=scale.most_s).step_by(60) {
        let local = (picture.entered_at + TimeDelta::seconds(seconds)).with_timezone(&picture.zone);
        if local.date_naive() == before {
            continue;
        }
        before = local.date_naive();
        let late = i64::from(local.time().num_seconds_from_midnight() - NaiveTime::MIN.num_seconds_from_midnight());
        let x = scale.x((seconds - late % 60).max(0));
        rule(out, (x, TOP), (x, BOTTOM), ("#cbd5e1", "1", "2 4"));
        text(out, (x, BOTTOM + 53.0), (11, INK, "middle", "600"), &before.format("%m-%d").to_string());
    }
}

fn free_time(picture: &Picture, scale: &Scale, out: &mut String) {
    let points = &picture.curve.points;
    let Some(first) = points.get(1).filter(|first| points[0].minor == 0 && first.seconds > 1) else { return };
    let (from, to) = (scale.x(0), scale.x(first.seconds));
    let width = to - from;
    let _ = write!(
        out,
        "<rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{FREE}\" fill-opacity=\"0.08\"/>",
        BOTTOM - TOP
    );
    let label = format!("免费 free {}", duration(first.seconds - 1 + i64::from(first.seconds % 60 == 0)));
    text(out, (from + 5.0, TOP + 15.0), (11, FREE, "start", "600"), &label);
}

fn caps(picture: &Picture, scale: &Scale, out: &mut String) {
    let mut drawn: Vec<&CapLine> = Vec::new();
    for cap in picture.caps.iter().filter(|cap| cap.minor <= scale.most_minor) {
        if drawn.iter().any(|other| other.minor == cap.minor) {
            continue;
        }
        drawn.push(cap);
        let y = scale.y(cap.minor);
        rule(out, (LEFT, y), (RIGHT, y), (CAP, "1.5", "6 5"));
        let amount = Money::new(cap.minor, picture.currency).amount();
        let label = format!("{} {amount} · {}", cap.text.zh, cap.text.en);
        text(out, (RIGHT - 4.0, y - 6.0), (11, CAP, "end", "600"), &label);
    }
}

fn steps(picture: &Picture, scale: &Scale, out: &mut String) {
    let points = &picture.curve.points;
    let mut path = format!("M{:.1} {:.1}", scale.x(0), scale.y(points[0].minor));
    for point in &points[1..] {
        let _ = write!(path, "H{:.1}V{:.1}", scale.x(point.seconds), scale.y(point.minor));
    }
    let _ = write!(path, "H{:.1}", scale.x(scale.most_s));
    let floor = scale.y(0);
    let _ = write!(
        out,
        "<path d=\"{path}V{floor:.1}H{LEFT}Z\" fill=\"url(#under)\"/>\
         <path d=\"{path}\" fill=\"none\" stroke=\"{LINE}\" stroke-width=\"2.5\" stroke-linejoin=\"round\"/>"
    );
    let ends = points[1..].iter().map(|point| point.seconds).chain([scale.most_s]);
    let mut free_until = f64::MIN;
    for (point, end) in points.iter().zip(ends) {
        let (from, to, y) = (scale.x(point.seconds), scale.x(end), scale.y(point.minor));
        if points.len() <= MOST_DOTS && end < scale.most_s {
            let _ = write!(out, "<circle cx=\"{to:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{LINE}\"/>");
        }
        let middle = f64::midpoint(from, to);
        if to - from >= FIGURE_WIDTH && middle - FIGURE_WIDTH / 2.0 >= free_until {
            free_until = middle + FIGURE_WIDTH / 2.0;
            let shown = Money::new(point.minor, picture.currency).amount();
            halo(out, (middle, y - 8.0), &shown);
        }
    }
}

/// A figure that stays readable over lines.
fn halo(out: &mut String, (x, y): (f64, f64), shown: &str) {
    let shown = escape(shown);
    let _ = write!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"12\" fill=\"{INK}\" font-weight=\"600\" text-anchor=\"middle\" \
         stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\">{shown}</text>"
    );
}

fn text(out: &mut String, (x, y): (f64, f64), (size, colour, anchor, weight): (u32, &str, &str, &str), shown: &str) {
    let shown = escape(shown);
    let _ = write!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" fill=\"{colour}\" text-anchor=\"{anchor}\" \
         font-weight=\"{weight}\">{shown}</text>"
    );
}

fn rule(out: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64), (colour, width, dashes): (&str, &str, &str)) {
    let dashes = if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
    let _ = write!(
        out,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"{dashes}/>"
    );
}

fn escape(shown: &str) -> String {
    let mut safe = String::with_capacity(shown.len());
    for c in shown.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() => {}
            c => safe.push(c),
        }
    }
    safe
}

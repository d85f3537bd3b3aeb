//! Random tariffs as the text of a file, and random stays. Every key of the language comes up, alone and together.
//!
//! Texts, not types: so the parser and its checks are in the comparison too, and a case that fails can be read.

use std::fmt::Write as _;

use chrono::{TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use proptest::sample::select;

use tollhouse_core::tariff::model::WrittenStay;

use crate::stays::stay;

/// A tariff, in one version or several, and a stay.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) tariffs: Vec<String>,
    pub(crate) stay: WrittenStay,
}

fn minutes() -> impl Strategy<Value = u32> {
    select(vec![60_u32, 30, 15, 120, 20, 10, 45])
}

fn money() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (1_u32..20).prop_map(|yuan| format!("{yuan}.00")),
        3 => (1_u32..60).prop_map(|half| format!("{}.{}0", half / 2, half % 2 * 5)),
        1 => (1_u32..4_000).prop_map(|mill| format!("{}.{:03}", mill / 1_000, mill % 1_000)),
    ]
}

fn span(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}min"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes}min"),
    }
}

/// `units`, `tolerance`: how the unfinished unit counts.
fn unfinished() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", "", "units = \"full\"\n", "tolerance = \"3min\"\n", "tolerance = \"5min\"\n"])
}

/// What a rate charges, as its lines.
fn charge() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => by_units(),
        3 => steps(),
        1 => (money(), select(vec!["", "tolerance = \"10min\"\n"])).prop_map(|(price, more)| format!("flat = \"{price}\"\n{more}")),
        1 => select(vec!["price = \"free\"\n", "price = \"free\"\nclock = \"stops\"\n"]).prop_map(str::to_owned),
        1 => cheapest(),
    ]
}

fn by_units() -> impl Strategy<Value = String> {
    let limits = (prop::option::weighted(0.1, money()), prop::option::weighted(0.15, 10_u32..40));
    (minutes(), money(), unfinished(), limits).prop_map(|(per, price, unfinished, (min, max))| {
        let min = min.map_or(String::new(), |min| format!("min = \"{min}\"\n"));
        let max = max.map_or(String::new(), |max| format!("max = \"{max}.00\"\n"));
        format!("per = \"{}\"\nprice = \"{price}\"\n{unfinished}{min}{max}", span(per))
    })
}

/// One to four steps, some of them bands, each a whole number of its units.
fn steps() -> impl Strategy<Value = String> {
    let step = (minutes(), 1_u32..5, money(), any::<prop::sample::Index>(), 1_u32..9);
    let after = select(vec!["", "restart", "continue", "hold"]);
    let ends = select(vec!["", "", "ends = \"excluded\"\n"]);
    let tail = (after, ends, unfinished());
    (prop::collection::vec(step, 1..4), tail).prop_map(|(steps, (after, ends, unfinished))| {
        let (mut until, mut total, mut lines) = (0, 0, String::new());
        let last = steps.len() - 1;
        let mut bands = false;
        for (place, (per, count, price, kind, more)) in steps.iter().enumerate() {
            until += per * count;
            // Nominal prices stay below the totals that follow them.
            let endless = place == last && after.is_empty();
            let shown = if endless { String::new() } else { format!("until = \"{}\", ", span(until)) };
            if kind.index(2) == 1 {
                total += more * 20 * (count + 1);
                bands = true;
                let _ = writeln!(lines, "  {{ {shown}total = \"{total}.00\" }},");
            } else {
                total += 20 * count;
                let _ = writeln!(lines, "  {{ {shown}per = \"{}\", price = \"{price}\" }},", span(*per));
            }
        }
        let after = if after.is_empty() { String::new() } else { format!("after = \"{after}\"\n") };
        let unfinished = if bands { "" } else { unfinished };
        format!("steps = [\n{lines}]\n{after}{ends}{unfinished}")
    })
}

fn cheapest() -> impl Strategy<Value = String> {
    (minutes(), money(), 4_u32..40).prop_map(|(per, price, flat)| {
        format!("cheapest = [{{ per = \"{}\", price = \"{price}\" }}, {{ flat = \"{flat}.00\" }}]\n", span(per))
    })
}

/// Selectors that together leave no moment without one rate.
fn layout() -> impl Strategy<Value = Vec<String>> {
    let hour = || 0_u32..24;
    let window = |from: u32, to: u32| format!("time = \"{from:02}:00-{to:02}:00\"\n");
    prop_oneof![
        3 => Just(vec![String::new()]),
        4 => (hour(), 1_u32..24, select(vec!["", "", "split_at_midnight = true\n"])).prop_map(move |(from, long, split)| {
            let to = (from + long) % 24;
            // Only a window behind midnight can be split there.
            let split = if from < to || from == 0 { split } else { "" };
            let split = if from == 0 || to == 0 { "" } else { split };
            vec![window(from, to), format!("{}{split}", window(to, from))]
        }),
        2 => (hour(), 1_u32..12).prop_map(move |(from, long)| vec![String::new(), window(from, (from + long) % 24)]),
        2 => (6_u32..10, 17_u32..22, select(vec!["weekend", "sat", "holiday", "event:fair", "workday"])).prop_map(
            move |(from, to, day)| {
                let days = format!("days = [\"{day}\"]\n");
                vec![window(from, to), window(to, from), format!("{days}{}", window(from, to)), format!("{days}{}", window(to, from))]
            }
        ),
        1 => select(vec!["areas = [\"inner\"]\n", "vehicles = [\"large\"]\n", "days = [\"weekend\", \"holiday\"]\n", "seasons = [\"spring\"]\n", "days = [\"make_up_workday\"]\n"])
            .prop_map(|more| vec![String::new(), more.to_owned()]),
    ]
}

fn rates(at: &'static str) -> impl Strategy<Value = String> {
    layout().prop_flat_map(move |selectors| {
        prop::collection::vec(charge(), selectors.len()).prop_map(move |charges| {
            let mut text = String::new();
            for (place, (selectors, charge)) in selectors.iter().zip(&charges).enumerate() {
                let _ = write!(text, "[[{at}rate]]\nname = \"r{place}\"\n{selectors}{charge}\n");
            }
            text
        })
    })
}

fn cap(at: &'static str) -> impl Strategy<Value = String> {
    let per = select(vec!["24h", "calendar_day", "visit", "window"]);
    let narrow = select(vec![
        "",
        "",
        "",
        "rates = [\"r0\"]\n",
        "days = [\"weekend\"]\n",
        "day_number = \"1\"\n",
        "day_number = \"2-\"\n",
        "vehicles = [\"large\"]\n",
        "areas = [\"inner\"]\n",
        "seasons = [\"spring\"]\n",
        "visits = \"together\"\n",
        "visits = \"together\"\n",
    ]);
    (per, 5_u32..60, narrow).prop_map(move |(per, max, narrow)| {
        let per = if narrow.starts_with("visits") && matches!(per, "visit" | "window") { "calendar_day" } else { per };
        let narrow = if narrow.starts_with("day_number") && matches!(per, "visit" | "window") { "" } else { narrow };
        format!("[[{at}cap]]\nper = \"{per}\"\nmax = \"{max}.00\"\n{narrow}\n")
    })
}

fn adjust(at: &'static str) -> impl Strategy<Value = String> {
    let by = prop_oneof![
        (1_i32..80)
            .prop_flat_map(|percent| select(vec![percent, -percent]))
            .prop_map(|percent| format!("percent = \"{percent}\"\n")),
        (-5_i32..6).prop_filter("something", |yuan| *yuan != 0).prop_map(|yuan| format!("amount = \"{yuan}.00\"\n")),
    ];
    let narrow = select(vec![
        "",
        "",
        "rates = [\"r0\"]\n",
        "days = [\"weekend\"]\n",
        "vehicles = [\"large\", \"new_energy\"]\n",
        "areas = [\"inner\"]\n",
        "time = \"09:00-12:00\"\n",
    ]);
    (by, narrow, select(vec!["", "applied = \"after_caps\"\n"]))
        .prop_map(move |(by, narrow, applied)| format!("[[{at}adjust]]\n{by}{narrow}{applied}\n"))
}

/// The keys of a scheme, before its rates.
fn keys() -> impl Strategy<Value = String> {
    let free = select(vec![
        "",
        "",
        "",
        "free = \"15min\"\n",
        "free = \"30min\"\n",
        "free = { time = \"20min\", when_exceeded = \"deducted\" }\n",
        "free = { time = \"15min\", ends = \"excluded\" }\n",
        "free = { time = \"1h\", measured = \"charged_time\" }\n",
        "free = { time = \"40min\", when_exceeded = \"deducted\", measured = \"charged_time\" }\n",
    ]);
    let cycle = select(vec![
        "",
        "",
        "",
        "cycle = { every = \"24h\", next = \"restart\" }\n",
        "cycle = { every = \"12h\", next = \"restart\" }\n",
        "cycle = { every = \"24h\", next = \"continue\" }\n",
        "cycle = { every = \"calendar_day\", next = \"restart\" }\n",
        "cycle = { every = \"calendar_day\", starts = \"06:00\", next = \"continue\" }\n",
    ]);
    let each = select(vec![
        "",
        "",
        "",
        "",
        "when_exceeded = \"lost\"",
        "when_exceeded = \"deducted\"",
        "when_exceeded = \"lost\", measured = \"charged_time\"",
        "when_exceeded = \"deducted\", measured = \"charged_time\"",
    ]);
    let counting = select(vec!["", "", "counting = \"rate\"\n", "counting = \"window\"\n"]);
    let boundary = select(vec!["", "", "boundary = \"start\"\n", "boundary = \"end\"\n", "boundary = \"split\"\n"]);
    let limits = select(vec!["", "", "", "", "minimum = \"3.00\"\n", "maximum = \"50.00\"\n"]);
    let rounding = (
        select(vec!["0.01", "0.10", "0.50", "1.00"]),
        select(vec!["up", "down", "half_up", "half_even"]),
        select(vec!["unit", "line", "cycle", "total"]),
    );
    let rounding = prop::option::weighted(0.3, rounding);
    (free, cycle, each, counting, boundary, limits, rounding).prop_map(
        |(free, cycle, each, counting, boundary, limits, rounding)| {
            let rounding = rounding.map_or(String::new(), |(to, direction, at)| {
                format!("rounding = {{ to = \"{to}\", direction = \"{direction}\", at = \"{at}\" }}\n")
            });
            let each_cycle = !each.is_empty() && !cycle.is_empty();
            let free = if each_cycle {
                format!("free = {{ time = \"30min\", again = \"each_cycle\", {each} }}\n")
            } else {
                free.to_owned()
            };
            format!("{free}{cycle}{counting}{boundary}{limits}{rounding}")
        },
    )
}

fn scheme(at: &'static str) -> impl Strategy<Value = String> {
    let extras = (prop::collection::vec(cap(at), 0..3), prop::collection::vec(adjust(at), 0..4));
    (keys(), rates(at), extras).prop_map(|(keys, rates, (mut caps, adjusts))| {
        // A band has no unit that could be shared out at a boundary.
        let keys = if rates.contains("total") {
            keys.replace("\"end\"", "\"start\"").replace("\"split\"", "\"start\"")
        } else {
            keys
        };
        caps.dedup_by_key(|cap| {
            cap.lines().filter(|line| !line.starts_with("max")).map(str::to_owned).collect::<Vec<_>>()
        });
        format!("{keys}\n{rates}{}{}", caps.concat(), adjusts.concat())
    })
}

/// One scheme at the top, or several to choose from.
fn schemes() -> impl Strategy<Value = (String, String)> {
    let condition = select(vec![
        "entered = \"06:00-10:00\"\n",
        "left = \"15:00-20:00\"\n",
        "at_most = \"3h\"\n",
        "at_least = \"6h\"\n",
        "days = [\"weekend\"]\n",
        "vehicles = [\"large\"]\n",
        "areas = [\"inner\"]\n",
    ]);
    prop_oneof![
        6 => scheme("").prop_map(|scheme| ("\n".to_owned(), scheme)),
        2 => (scheme("scheme."), scheme("scheme."), condition, any::<bool>()).prop_map(|(a, b, condition, each)| {
            let b = free_of_an_area(condition, b, each);
            ("choose = \"cheapest\"\n".to_owned(),
             format!("[[scheme]]\nname = \"a\"\n{a}\n[[scheme]]\nname = \"b\"\n{condition}{b}"))
        }),
        1 => (scheme("scheme."), 3_u32..40).prop_map(|(a, flat)| {
            ("choose = \"cheapest\"\n".to_owned(),
             format!("[[scheme]]\nname = \"a\"\n{a}\n[[scheme]]\nname = \"b\"\nentered = \"06:00-10:00\"\nflat = \"{flat}.00\"\n"))
        }),
        2 => (scheme("scheme."), scheme("scheme."), select(vec!["vehicles = [\"large\"]\n", "areas = [\"inner\"]\n", "areas = [\"inner\"]\n", "seasons = [\"spring\"]\n"]), any::<bool>())
            .prop_map(|(a, b, condition, each)| {
                let b = free_of_an_area(condition, b, each);
                ("\n".to_owned(), format!("[[scheme]]\nname = \"a\"\n{a}\n[[scheme]]\nname = \"b\"\n{condition}{b}"))
            }),
    ]
}

/// The scheme of an area may have free time of its own.
fn free_of_an_area(condition: &str, scheme: String, each: bool) -> String {
    if each && condition.starts_with("areas") {
        scheme.replace("free = { time", "free = { areas = \"each\", time")
    } else {
        scheme
    }
}

const ZONES: [(&str, (i32, u32, u32)); 4] = [
    ("Asia/Shanghai", (2026, 5, 1)),
    ("Europe/London", (2026, 3, 28)),
    ("Europe/London", (2026, 10, 24)),
    ("America/New_York", (2026, 3, 7)),
];

/// What a file says beside its prices: keys, and tables.
fn head() -> impl Strategy<Value = (String, String)> {
    let seconds = select(vec!["", "", "", "seconds = \"drop\"\n"]);
    let grace = select(vec!["", "exit_grace = \"5min\"\n", "exit_grace = \"30min\"\n"]);
    let version_by = select(vec!["", "version_by = \"moment\"\n"]);
    let early = select(vec!["", "", "[early_payment]\nthen = \"from_payment\"\n"]);
    let counts = select(vec![
        "counts = \"from_first_entry\"",
        "counts = \"without_the_time_away\"",
        "counts = \"without_free_time\"",
        "counts = \"free\"\nat_most = \"20min\"",
        "counts = \"free\"\nat_most = \"4h\"",
    ]);
    let back = (select(vec!["10min", "30min", "1h"]), select(vec!["exit", "entry"]), counts);
    let back = prop::option::weighted(0.6, back).prop_map(|back| {
        back.map_or(String::new(), |(within, since, counts)| {
            format!("[return]\nwithin = \"{within}\"\nmeasured_from = \"{since}\"\n{counts}\n")
        })
    });
    let lost = select(vec![
        "",
        "[lost_record]\nfee = \"30.00\"\n",
        "[lost_record]\nfee = \"12.50\"\ninstead = \"on_top\"\n",
        "[lost_record]\nfee = \"25.00\"\ninstead = \"at_least\"\n",
        "[lost_record]\nas_if = \"12h\"\n",
    ]);
    (seconds, grace, version_by, early, back, lost).prop_map(|(seconds, grace, version_by, early, back, lost)| {
        (format!("{seconds}{grace}{version_by}"), format!("{early}{back}{lost}"))
    })
}

/// One or two versions of a tariff, the second in force from that moment.
fn tariffs(zone: &'static str, change: String) -> impl Strategy<Value = Vec<String>> {
    (head(), schemes(), prop::option::weighted(0.2, schemes())).prop_map(move |((keys, tables), first, second)| {
        let file = |version: &str, from: &str, (choose, schemes): &(String, String)| {
            // The keys of a scheme at the top have to stand before the first table.
            let (own_keys, own_tables) = schemes.split_at(schemes.find("[[").unwrap_or(0));
            format!(
                "id = \"wild\"\nversion = \"{version}\"\ncurrency = \"CNY\"\ntime_zone = \"{zone}\"\n{from}{keys}{choose}{own_keys}\n\
                 {tables}[calendar]\nholidays = [\"2026-05-01..2026-05-02\", \"2026-03-29\"]\nworkdays = [\"2026-05-03\", \"2026-10-25\"]\n\
                 [calendar.events]\nfair = [\"2026-05-02..2026-05-04\", \"2026-10-24\"]\n\n[seasons]\nspring = \"03-01..05-01\"\n\n\
                 [areas]\ninner = {{ en = \"inner\", zh = \"inner\" }}\n\n{own_tables}"
            )
        };
        let mut made = vec![file("1", "", &first)];
        made.extend(second.map(|second| file("2", &format!("in_force_from = \"{change}\"\n"), &second)));
        made
    })
}

/// A tariff's text with a stay of three days at most: with seconds only when it is short, as the reference walks them.
pub(crate) fn case() -> impl Strategy<Value = Case> {
    let duration = prop_oneof![
        4 => 0_i64..600,
        3 => (0_i64..48, -1_i64..2).prop_map(|(hours, more)| (hours * 60 + more).max(0)),
        1 => 600_i64..4_320,
    ];
    let odd = prop_oneof![12 => Just((0_i64, 0_i64)), 1 => (0_i64..60, 0_i64..60)];
    let moment = (select(ZONES.to_vec()), 0_i64..3, 0_i64..1_440, duration, odd);
    (moment, -300_i64..600).prop_flat_map(|(moment, change)| {
        let ((zone, (year, month, day)), days, minute, long, (odd_in, odd_out)) = moment;
        let long = if (odd_in, odd_out) == (0, 0) { long } else { long % 400 };
        let tz: Tz = zone.parse().expect("a zone");
        let date = chrono::NaiveDate::from_ymd_opt(year, month, day).expect("a date") + TimeDelta::days(days);
        let local = date.and_hms_opt(0, 0, 0).expect("midnight") + TimeDelta::minutes(minute);
        let enter = tz.from_local_datetime(&local).earliest();
        let enter = enter.map_or_else(|| Utc.from_utc_datetime(&local), |at| at.with_timezone(&Utc));
        let enter = enter + TimeDelta::seconds(odd_in);
        let exit = enter + TimeDelta::minutes(long) + TimeDelta::seconds(odd_out);
        let change = (enter + TimeDelta::minutes(change)).format("%Y-%m-%dT%H:%M:00Z").to_string();
        (tariffs(zone, change), stay(enter, exit)).prop_map(|(tariffs, stay)| Case { tariffs, stay })
    })
}

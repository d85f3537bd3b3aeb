//! How long a price takes: in the lane's path, at its worst, over ten years, and for a preview of a hundred thousand stays.
//!
//! `cargo bench -p tollhouse-core --bench tariff`; docs/benchmarks.md has the figures and the goals.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Duration, Utc};
use divan::{Bencher, black_box};
use tollhouse_core::plate::Colour;
use tollhouse_core::tariff::{Plan, StayFacts, TariffBook, parse};

struct Shipped {
    name: String,
    text: String,
    book: TariffBook,
}

static SHIPPED: LazyLock<Vec<Shipped>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../appliance/tariffs");
    let files = std::fs::read_dir(folder).expect("the shipped tariffs");
    let mut all: Vec<Shipped> = files
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a text");
            let file = parse::parse(&text).expect("a tariff");
            let book = TariffBook::of(Plan::new(Arc::new(file)).expect("a plan"));
            Shipped { name: path.file_stem().expect("a name").to_string_lossy().into_owned(), text, book }
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
});

fn demo() -> &'static Shipped {
    SHIPPED.iter().find(|shipped| shipped.name == "demo").expect("the demo's tariff is shipped")
}

fn names() -> Vec<&'static str> {
    SHIPPED.iter().map(|shipped| shipped.name.as_str()).collect()
}

fn named(name: &str) -> &'static Shipped {
    SHIPPED.iter().find(|shipped| shipped.name == name).expect("a shipped tariff")
}

fn stay(day: i64, minute: i64, length: Duration) -> StayFacts {
    let start: DateTime<Utc> = "2026-03-02T00:00:00Z".parse().expect("a moment");
    let entered = start + Duration::days(day) + Duration::minutes(minute);
    StayFacts::new(entered, entered + length, Colour::Blue)
}

/// Two hours and a half at the demo's tariff.
#[divan::bench]
fn a_typical_stay(bencher: Bencher<'_, '_>) {
    let facts = stay(0, 123, Duration::minutes(150));
    bencher.bench(|| demo().book.price(black_box(&facts)).expect("priced"));
}

/// From Friday evening to Monday morning, at each shipped tariff: windows, weekends and caps all come.
#[divan::bench(args = names())]
fn a_weekend(bencher: Bencher<'_, '_>, name: &str) {
    let (book, facts) = (&named(name).book, stay(4, 600, Duration::minutes(62 * 60 + 7)));
    bencher.bench(|| book.price(black_box(&facts)).expect("priced"));
}

/// A car that was forgotten.
#[divan::bench(args = names())]
fn ten_years(bencher: Bencher<'_, '_>, name: &str) {
    let (book, facts) = (&named(name).book, stay(4, 617, Duration::days(3_652)));
    bencher.bench(|| book.price(black_box(&facts)).expect("priced"));
}

/// A change of tariff over the last hundred thousand stays: each by the tariff that was and by the one that will be.
#[divan::bench(args = ["demo", "beijing-kerb-1"], sample_count = 3, sample_size = 1)]
fn a_preview_of_100_000_stays(bencher: Bencher<'_, '_>, name: &str) {
    let (before, after) = (&demo().book, &named(name).book);
    let stays: Vec<StayFacts> = (0..100_000)
        .map(|number| stay(number % 300, number * 7 % 1_440, Duration::seconds(300 + number * number % 100_000)))
        .collect();
    bencher.bench(|| {
        let fee = |book: &TariffBook, facts| book.price(facts).expect("priced").total.minor();
        stays.iter().map(|facts| fee(after, facts) - fee(before, facts)).sum::<i64>()
    });
}

/// From a file's text to a plan.
#[divan::bench]
fn reading_a_file(bencher: Bencher<'_, '_>) {
    let text = &named("beijing-kerb-1").text;
    bencher.bench(|| Plan::new(Arc::new(parse::parse(black_box(text)).expect("a tariff"))).expect("a plan"));
}

fn main() {
    divan::main();
}

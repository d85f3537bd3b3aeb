//! `tollhouse tariff preview`: what a change of tariff would have done to the last real stays.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use tollhouse_core::money::Money;
use tollhouse_core::tariff::StayFacts;
use tollhouse_core::tariff::preview::{Changed, Pays, Preview, Sums};
use tollhouse_core::words::{Language, Words};

use super::{PreviewArgs, stays};
use crate::changes::{self, difference, kind};
use crate::commands::check::Form;
use crate::commands::quote::{self, duration, when};
use crate::commands::refused;
use crate::quote::signed;
use crate::tariffs::{self, Tariffs};
use crate::terminal::{Lean, Progress, table};

pub(super) fn run(args: &PreviewArgs, form: Form, language: Language) -> ExitCode {
    let read = |path: &PathBuf| tariffs::read_files(std::slice::from_ref(path));
    let (old, new) = match (read(&args.old), read(&args.new)) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => {
            let faults: Vec<_> = old.err().into_iter().chain(new.err()).flatten().collect();
            return quote::told(&faults, form);
        }
    };
    let last = usize::try_from(args.last).unwrap_or(usize::MAX);
    let stays = match stays::read(&args.source, &new, last) {
        Ok(stays) => stays,
        Err(why) => return refused(&why),
    };
    let pricing = Words::new("正在按两个版本计价", "pricing by both versions");
    let mut progress = Progress::of(pricing.in_language(language), stays.len());
    let found = match changes::compare(&old, &new, &stays, || progress.step()) {
        Ok(found) => found,
        Err(why) => return refused(&why),
    };
    drop(progress);
    let told = Told { found: &found, stays: &stays, new: &new, language };
    match form {
        Form::Json => println!("{}", changes::json(&found, &stays, &new)),
        Form::Text => print!("{}", told.text()),
    }
    ExitCode::SUCCESS
}

struct Told<'a> {
    found: &'a Preview,
    stays: &'a [StayFacts],
    new: &'a Tariffs,
    language: Language,
}

fn word(pays: Pays) -> Words {
    match pays {
        Pays::More => Words::new("付得更多", "pay more"),
        Pays::Less => Words::new("付得更少", "pay less"),
        Pays::Same => Words::new("不变", "pay the same"),
    }
}

impl Told<'_> {
    fn say(&self, zh: &str, en: &str) -> String {
        Words::new(zh, en).in_language(self.language).to_owned()
    }

    fn text(&self) -> String {
        let mut rows = vec![
            [
                self.say("", ""),
                self.say("停车", "stays"),
                self.say("原规则", "old"),
                self.say("新规则", "new"),
                self.say("差额", "difference"),
            ]
            .to_vec(),
        ];
        let row = |name: String, of: &Sums| {
            vec![name, of.stays.to_string(), of.old.amount(), of.new.amount(), signed(difference(of))]
        };
        rows.push(row(self.say("合计", "all"), &self.found.all));
        for (pays, of) in &self.found.pays {
            rows.push(row(word(*pays).in_language(self.language).to_owned(), of));
        }
        for (kind, of) in &self.found.vehicles {
            rows.push(row(kind.clone(), of));
        }
        for (hours, of) in self.found.durations.iter().filter(|(_, of)| of.stays > 0) {
            let name = match hours {
                Some(hours) => format!("≤ {}", duration(hours * 3_600, self.language)),
                None => self.say("更久", "longer"),
            };
            rows.push(row(name, of));
        }
        let leans = [Lean::Left, Lean::Right, Lean::Right, Lean::Right, Lean::Right];
        let mut out = format!("{}\n", self.found.all.new.currency());
        out.push_str(&table(&rows, &leans));
        let _ = writeln!(out, "\n{}", self.say("费用变化的分布", "by how much fees change"));
        out.push_str(&self.distribution());
        for (title, list) in [
            (self.say("涨得最多", "the largest rises"), &self.found.rises),
            (self.say("降得最多", "the largest falls"), &self.found.falls),
        ] {
            if !list.is_empty() {
                let _ = writeln!(out, "\n{title}");
                out.push_str(&self.changed(list));
            }
        }
        if let Some(why) = &self.found.why_unpriced {
            let _ = writeln!(out, "\n{}: {} ({why})", self.say("无法计价", "could not be priced"), self.found.unpriced);
        }
        out
    }

    fn distribution(&self) -> String {
        const WIDEST: u64 = 40;
        let money = |minor| signed(Money::new(minor, self.found.all.new.currency()));
        let most = self.found.distribution.iter().map(|bucket| bucket.stays).max().unwrap_or(1);
        let row = |bucket: &tollhouse_core::tariff::preview::Bucket| {
            let ends = match (bucket.from, bucket.to - 1) {
                (from, to) if from == to => money(from),
                (from, to) => format!("{} … {}", money(from), money(to)),
            };
            let long = usize::try_from((bucket.stays * WIDEST).div_ceil(most)).unwrap_or(0);
            vec![ends, bucket.stays.to_string(), "█".repeat(long)]
        };
        let rows: Vec<_> = self.found.distribution.iter().map(row).collect();
        table(&rows, &[Lean::Right, Lean::Right, Lean::Left])
    }

    fn changed(&self, list: &[Changed]) -> String {
        let zone = self.new.versions[0].file.time_zone;
        let row = |one: &Changed| {
            let stay = &self.stays[one.place];
            let long = duration((stay.until - stay.entered_at).num_seconds(), self.language);
            let more = one.new.minus(one.old).unwrap_or(one.new);
            let kind = kind(stay, self.new);
            vec![when(stay.entered_at, zone), long, kind, one.old.amount(), one.new.amount(), signed(more)]
        };
        let leans = [Lean::Left, Lean::Right, Lean::Left, Lean::Right, Lean::Right, Lean::Right];
        table(&list.iter().map(row).collect::<Vec<_>>(), &leans)
    }
}

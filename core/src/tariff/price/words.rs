//! What a driver reads of each line: the file's own words, or words made from the rule.
//! It must not know amounts beyond those it is given.

use super::plan::SchemePlan;
use super::run::What;
use super::till::Kind;
use crate::tariff::model::{AdjustBy, Cap, CapPer, Charge, Price, Rate, Scheme, StepPrice, TariffFile};
use crate::words::Words;

/// Words for the lines of one scheme.
#[derive(Clone, Copy)]
pub(super) struct Speaker<'p> {
    pub(super) file: &'p TariffFile,
    pub(super) plan: &'p SchemePlan,
}

/// A length of time in both languages.
pub(super) fn span(seconds: i64) -> Words {
    let days = if seconds >= 2 * 86_400 { seconds / 86_400 } else { 0 };
    let rest = seconds - days * 86_400;
    let parts =
        [(days, "天", "d"), (rest / 3_600, "小时", "h"), (rest / 60 % 60, "分钟", "min"), (rest % 60, "秒", "s")];
    let given: Vec<_> = parts.into_iter().filter(|(count, ..)| *count > 0).collect();
    if given.is_empty() {
        return Words::new("0分钟", "0 min");
    }
    let zh: Vec<String> = given.iter().map(|(count, zh, _)| format!("{count}{zh}")).collect();
    let en: Vec<String> = given.iter().map(|(count, _, en)| format!("{count} {en}")).collect();
    Words::new(zh.concat(), en.join(" "))
}

impl<'p> Speaker<'p> {
    fn scheme(&self) -> &'p Scheme {
        &self.file.schemes[self.plan.place]
    }

    fn rate(&self, charge: u16) -> (&'p Rate, usize) {
        let plan = &self.plan.charges[usize::from(charge)];
        let rate = &self.scheme().rates[usize::from(plan.rate)];
        (rate, usize::from(charge - self.plan.rates[usize::from(plan.rate)].first))
    }

    fn charge(&self, charge: u16) -> &'p Charge {
        let (rate, offer) = self.rate(charge);
        match &rate.charge {
            Charge::Cheapest(offers) => &offers[offer].charge,
            own => own,
        }
    }

    /// What the rate or the offer is called.
    fn name(&self, charge: u16) -> Words {
        let (rate, offer) = self.rate(charge);
        let offered = if let Charge::Cheapest(offers) = &rate.charge { offers[offer].text.clone() } else { None };
        offered.or_else(|| rate.text.clone()).unwrap_or_else(|| called(&rate.name))
    }

    /// The rule's name in records: the scheme where there are several, the rate, the step.
    pub(super) fn rule(&self, kind: Kind) -> String {
        let name = match kind {
            Kind::Charge(what) => match (what, what.charge()) {
                (What::Units { charge, step } | What::Band { charge, step } | What::Share { charge, step, .. }, _) => {
                    let (rate, offer) = self.rate(charge);
                    let offer = if offer > 0 { format!("/offer-{}", offer + 1) } else { String::new() };
                    let step = if step > 0 { format!("/step-{}", step + 1) } else { String::new() };
                    format!("{}{offer}{step}", rate.name)
                }
                (_, Some(charge)) => self.rate(charge).0.name.clone(),
                (_, None) => "flat".to_owned(),
            },
            Kind::WindowMin(charge) => format!("{}/min", self.rate(charge).0.name),
            Kind::WindowMax(charge) => format!("{}/max", self.rate(charge).0.name),
            Kind::Adjust(place) => format!("adjust-{}", place + 1),
            Kind::Cap(place) | Kind::SharedCap(place) => format!("cap-{}", place + 1),
            Kind::Minimum => "minimum".to_owned(),
            Kind::Maximum => "maximum".to_owned(),
            Kind::NotBelowZero => "not_below_zero".to_owned(),
            Kind::CycleRounding | Kind::Rounding => "rounding".to_owned(),
        };
        if self.file.schemes.len() > 1 { format!("{}/{name}", self.scheme().name) } else { name }
    }

    /// The line's text; `count` and `price` as the line shows them.
    pub(super) fn text(&self, kind: Kind, count: &str, price: &str) -> Words {
        match kind {
            Kind::Charge(what) => self.charge_text(what, count, price),
            Kind::WindowMin(charge) => {
                let (name, least) = (self.name(charge), shown(self.plan.charges[usize::from(charge)].min));
                Words::new(format!("{}：最低{least}", name.zh), format!("{}: at least {least}", name.en))
            }
            Kind::WindowMax(charge) => {
                let (name, most) = (self.name(charge), shown(self.plan.charges[usize::from(charge)].max));
                Words::new(format!("{}：最高{most}", name.zh), format!("{}: at most {most}", name.en))
            }
            Kind::Adjust(place) => self.adjust_text(place),
            Kind::Cap(place) | Kind::SharedCap(place) => cap_text(&self.scheme().caps[place]),
            Kind::Minimum => {
                let least = shown(self.plan.minimum);
                Words::new(format!("最低收费{least}"), format!("At least {least} per visit"))
            }
            Kind::Maximum => {
                let most = shown(self.plan.maximum);
                Words::new(format!("最高收费{most}"), format!("At most {most} per visit"))
            }
            Kind::NotBelowZero => Words::new("优惠以费用为限", "A discount takes no more than the fee"),
            Kind::CycleRounding | Kind::Rounding => Words::new("取整", "Rounding"),
        }
    }

    fn charge_text(&self, what: What, count: &str, price: &str) -> Words {
        let Some(charge) = what.charge() else {
            let own = self.scheme().text.clone().unwrap_or_else(|| called(&self.scheme().name));
            return Words::new(format!("{}：每次{price}", own.zh), format!("{}: {price} per visit", own.en));
        };
        let name = self.name(charge);
        match what {
            What::Units { step, .. } => {
                let per = self.step(charge, step).0;
                let zh = format!("{}：{count} × {}，每次{price}", name.zh, per.zh);
                Words::new(zh, format!("{}: {count} × {} at {price}", name.en, per.en))
            }
            What::Share { step, part, of, .. } => {
                let (_, price) = self.step(charge, step);
                let (part, of) = (span(part), span(of));
                let zh = format!("{}：{}中的{}，每{}{price}", name.zh, of.zh, part.zh, of.zh);
                Words::new(zh, format!("{}: {} of {} at {price}", name.en, part.en, of.en))
            }
            What::Band { step, .. } => {
                let band = self.step(charge, step).0;
                Words::new(format!("{}：{}", name.zh, band.zh), format!("{}: {}", name.en, band.en))
            }
            What::Flat { .. } => Words::new(format!("{}：每次{price}", name.zh), format!("{}: flat {price}", name.en)),
            What::Free { .. } => Words::new(format!("{}：免费", name.zh), format!("{}: free", name.en)),
            What::Held { .. } | What::Visit => {
                Words::new(format!("{}：不再计费", name.zh), format!("{}: no further charge", name.en))
            }
        }
    }

    /// How long a step's unit is, or how far its band reaches; and what it costs.
    fn step(&self, charge: u16, step: u16) -> (Words, String) {
        let Charge::Steps(steps) = self.charge(charge) else { return (span(0), String::new()) };
        let Some(found) = steps.steps.get(usize::from(step)) else { return (span(0), String::new()) };
        match found.price {
            StepPrice::Units { per, price, .. } => {
                let unit = span(per.seconds());
                (found.text.clone().unwrap_or(unit), price.to_string())
            }
            StepPrice::Total(total) => {
                let begins = step.checked_sub(1).and_then(|before| steps.steps[usize::from(before)].until);
                let reach = match (found.until, begins) {
                    (Some(until), _) => {
                        let until = span(until.seconds());
                        Words::new(format!("{}以内共{total}", until.zh), format!("up to {} {total} in all", until.en))
                    }
                    (None, Some(begins)) => {
                        let begins = span(begins.seconds());
                        Words::new(format!("{}以上共{total}", begins.zh), format!("over {} {total} in all", begins.en))
                    }
                    (None, None) => Words::new(format!("共{total}"), format!("{total} in all")),
                };
                (found.text.clone().unwrap_or(reach), total.to_string())
            }
        }
    }

    fn adjust_text(&self, place: usize) -> Words {
        let adjust = &self.scheme().adjusts[place];
        if let Some(text) = &adjust.text {
            return text.clone();
        }
        match adjust.by {
            AdjustBy::Percent(percent) if percent.millionths() < 0 => {
                Words::new(format!("优惠{percent}"), format!("Discount {percent}"))
            }
            AdjustBy::Percent(percent) => Words::new(format!("加收{percent}"), format!("Surcharge {percent}")),
            AdjustBy::Amount(amount) if amount.micros() < 0 => {
                Words::new(format!("优惠{amount}"), format!("Discount {amount}"))
            }
            AdjustBy::Amount(amount) => Words::new(format!("加收{amount}"), format!("Surcharge {amount}")),
        }
    }
}

fn shown(price: Option<Price>) -> String {
    price.map(|price| price.to_string()).unwrap_or_default()
}

/// A rate or scheme that has a name but no words.
fn called(name: &str) -> Words {
    if name.starts_with("rate-") || name == "standard" {
        return Words::new("停车", "Parking");
    }
    let mut letters = name.chars();
    let en = letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect());
    Words::new(name, en.replace('_', " "))
}

fn cap_text(cap: &Cap) -> Words {
    if let Some(text) = &cap.text {
        return text.clone();
    }
    let max = cap.max;
    let (zh, en) = match cap.per {
        CapPer::Visit => ("每次", "visit"),
        CapPer::Day24h => ("每24小时", "24 h"),
        CapPer::CalendarDay => ("每日", "day"),
        CapPer::Window => ("每时段", "window"),
    };
    Words::new(format!("{zh}最高{max}"), format!("At most {max} per {en}"))
}

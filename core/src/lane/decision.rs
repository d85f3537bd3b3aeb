//! What a lane can decide: machine codes, and the sentence for each in the driver's language.

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::words::Words;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $tone:ident, $zh:literal, $en:literal;)*) => {
        /// The machine code of a decision. The names stand in the journal, the metrics and the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum DecisionCode { $($(#[$doc])* #[serde(rename = $name)] $variant,)* }

        impl DecisionCode {
            /// All of them.
            pub const ALL: &'static [DecisionCode] = &[$(DecisionCode::$variant,)*];

            /// The machine code.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How it should look to people.
            pub const fn tone(self) -> Tone {
                match self { $(Self::$variant => Tone::$tone,)* }
            }

            /// The sentence for the driver; `{due}` is filled in.
            pub fn words(self, due: Option<Money>) -> Words {
                let (zh, en) = match self { $(Self::$variant => ($zh, $en),)* };
                let due = due.map(Money::amount).unwrap_or_default();
                Words::new(zh.replace("{due}", &due), en.replace("{due}", &due))
            }
        }
    };
}

codes! {
    /// Entry: a temporary car, and there is room.
    EntryTemporary = "entry_temporary", Open, "欢迎光临，请入场", "Welcome, please drive in";
    /// Entry: a card's pass lets it in.
    EntryPass = "entry_pass", Open, "月卡车辆，欢迎回家", "Welcome back";
    /// Entry: a card's pass lets it in, and its bill is overdue.
    EntryPassOverdue = "entry_pass_overdue", Open, "欢迎回家，账单已逾期，请尽快缴费", "Welcome back; your bill is overdue, please pay it soon";
    /// Entry: its card's term is over, and can still be renewed.
    EntryPassGrace = "entry_pass_grace", Open, "欢迎回家，月卡已到期，请尽快续费", "Welcome back; your card has run out, please renew it soon";
    /// Entry: its card has run out, its days of grace too; let in as a temporary car.
    EntryPassEnded = "entry_pass_ended", Open, "月卡已过期，本次按临停计费", "Your card has run out: this stay is charged as temporary parking";
    /// Entry: the card's bill is overdue, and the lot charges it as a temporary car then.
    EntryOverdueTemporary = "entry_overdue_temporary", Open, "账单已逾期，本次按临停计费", "Your bill is overdue: this stay is charged as temporary parking";
    /// Entry: its card's places are taken; charged as a temporary car until one comes free.
    EntryPlacesTakenTemporary = "entry_places_taken_temporary", Open, "月卡车位已占满，有空位前按临停计费", "The places of your card are taken: charged as temporary parking until one is free";
    /// Entry: its card's places are taken; let in free of charge.
    EntryPlacesTakenFree = "entry_places_taken_free", Open, "月卡车位已占满，请停入其他车位", "The places of your card are taken, please use another one";
    /// Entry: its card's places are taken, and the lot refuses then.
    EntryPlacesTaken = "entry_places_taken", Refuse, "月卡车位已占满，请等车辆驶出", "The places of your card are taken, please wait until a car leaves";
    /// Entry: on the free list.
    EntryFree = "entry_free", Open, "免费车辆，请入场", "Free vehicle, please drive in";
    /// Entry: it is inside already by the books; the old stay has ended as a case.
    EntryAlreadyInside = "entry_already_inside", Open, "欢迎光临，请入场", "Welcome, please drive in";
    /// Entry: no room for temporary cars.
    EntryFull = "entry_full", Refuse, "车位已满，请稍候", "The car park is full, please wait";
    /// Entry: on the block list.
    EntryBlocked = "entry_blocked", Refuse, "车辆禁止入场，请联系管理员", "This vehicle may not enter, please ask the attendant";
    /// Entry: the card's bill is overdue, and the lot refuses then.
    EntryOverdue = "entry_overdue", Refuse, "账单逾期，请先缴费", "Your bill is overdue, please pay it first";
    /// Exit: nothing is owed.
    ExitNothingDue = "exit_nothing_due", Open, "无需缴费，一路平安", "Nothing to pay, have a safe journey";
    /// Exit: all is paid.
    ExitPaid = "exit_paid", Open, "已缴费，一路平安", "Paid, have a safe journey";
    /// Exit: let in on a pass or free.
    ExitPass = "exit_pass", Open, "一路平安", "Have a safe journey";
    /// Exit: its pass did not cover all of its stay; the rest is a claim on its holder.
    ExitPassArrears = "exit_pass_arrears", Open, "一路平安，月卡外费用{due}元已记账", "Have a safe journey; {due} outside your pass is on your account";
    /// Between areas: it may drive in.
    AreaEntry = "area_entry", Open, "请驶入内场", "Please drive on into the inner area";
    /// Between areas: it may drive out of it, and stays in the lot.
    AreaExit = "area_exit", Open, "请驶出内场", "Please drive out of the inner area";
    /// Exit: something is due; the car waits.
    ExitPaymentDue = "exit_payment_due", Wait, "请扫码缴费{due}元", "Please scan the code to pay {due}";
    /// Exit: no entry on record, let out, a case.
    ExitWithoutEntry = "exit_without_entry", Open, "无入场记录，一路平安", "No entry on record, have a safe journey";
    /// Exit: no entry on record; the car waits for the attendant.
    ExitWithoutEntryAttend = "exit_without_entry_attend", Wait, "无入场记录，请联系管理员", "No entry on record, please call the attendant";
    /// Entry that the box heard of too late: booked, nothing opened.
    BacklogEntry = "backlog_entry", Quiet, "补录入场", "Late entry booked";
    /// Exit that the box heard of too late: booked, nothing opened.
    BacklogExit = "backlog_exit", Quiet, "补录出场", "Late exit booked";
    /// A late event that fits no stay: noted only.
    BacklogUnmatched = "backlog_unmatched", Quiet, "补录记录无对应停车", "Late event fits no stay";
    /// A person opened.
    OpenedByPerson = "opened_by_person", Open, "人工放行", "Opened by the attendant";
}

/// How something should look to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// The barrier opens.
    Open,
    /// The car waits.
    Wait,
    /// The car was refused.
    Refuse,
    /// Money came or went.
    Money,
    /// The car has passed, or another quiet fact.
    Quiet,
    /// A person should look.
    Alarm,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn every_code_has_a_sentence_in_both_languages_and_a_name_of_its_own() {
        let mut names = std::collections::BTreeSet::new();
        for code in DecisionCode::ALL {
            let words = code.words(Some(Money::new(1500, Currency::Cny)));
            assert!(!words.zh.is_empty() && !words.en.is_empty() && !words.en.contains('{'), "{code:?}");
            assert!(names.insert(code.as_str()), "{code:?}");
        }
    }

    #[test]
    fn what_is_due_stands_in_the_sentence() {
        let words = DecisionCode::ExitPaymentDue.words(Some(Money::new(1500, Currency::Cny)));
        assert_eq!(words.zh, "请扫码缴费15.00元");
    }
}

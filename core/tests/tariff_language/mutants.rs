//! Makes what is almost a tariff out of tariffs: bytes, words and lines changed by chance from a fixed seed, and halves of
//! two joined. Structured, but blind: nothing here sees which code a mutant reaches.

use tollhouse_core::tariff::parse::TABLES;

/// xorshift64*: the same mutants in every run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).expect("31 bits") % bound.max(1)
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

const VALUES: &[&str] = &[
    "\"0.00\"",
    "\"-1\"",
    "\"1000000000\"",
    "\"24h\"",
    "\"0s\"",
    "\"3660d\"",
    "\"00:00-24:00\"",
    "\"23:59-00:01\"",
    "\"free\"",
    "\"full\"",
    "\"end\"",
    "\"split\"",
    "\"window\"",
    "\"calendar_day\"",
    "\"holiday\"",
    "\"event:fair\"",
    "\"02-29..02-29\"",
    "\"9999-12-31\"",
    "\"0000-01-01\"",
    "\"1969-12-31 23:59\"",
    "true",
    "5",
    "[]",
    "{}",
    "\"\"",
    "\"\\u0000\"",
    "nan",
];

/// Words that change places with each other.
const WORDS: &[&str] = &[
    "\"restart\"",
    "\"continue\"",
    "\"hold\"",
    "\"start\"",
    "\"visit\"",
    "\"rate\"",
    "\"included\"",
    "\"excluded\"",
    "\"lost\"",
    "\"deducted\"",
    "\"never\"",
    "\"each_cycle\"",
    "\"stay\"",
    "\"charged_time\"",
    "\"entry\"",
    "\"each\"",
    "\"together\"",
    "\"moment\"",
    "\"drop\"",
    "\"from_payment\"",
    "\"free\"",
    "\"from_first_entry\"",
    "\"without_the_time_away\"",
    "\"cheapest\"",
];

/// The beginning of one text with the end of another.
pub(crate) fn join(one: &str, other: &str, chance: &mut Chance) -> String {
    let half = |text: &str, chance: &mut Chance| {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let at = chance.below(lines.len());
        (lines[..at].join("\n"), lines[at..].join("\n"))
    };
    let (head, tail) = (half(one, chance).0, half(other, chance).1);
    format!("{head}\n{tail}")
}

/// One change of the text, which has a line.
pub(crate) fn change(text: &str, chance: &mut Chance) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = chance.below(lines.len());
    let line = lines[at].clone();
    match chance.below(9) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, line),
        2 => {
            let other = chance.below(lines.len());
            lines.swap(at, other);
        }
        3 => {
            let keys = TABLES[chance.below(TABLES.len())].1;
            lines.insert(at, format!("{} = {}", chance.of(keys), chance.of(VALUES)));
        }
        4 => {
            if let Some((key, _)) = line.split_once('=') {
                lines[at] = format!("{key}= {}", chance.of(VALUES));
            }
        }
        5 => lines.truncate(at),
        6 => {
            let words = WORDS.iter().filter(|word| line.contains(**word));
            if let Some(word) = words.min_by_key(|word| line.find(**word)) {
                lines[at] = line.replacen(word, chance.of(WORDS), 1);
            }
        }
        _ => {
            let mut bytes = line.into_bytes();
            if !bytes.is_empty() {
                let byte = chance.below(bytes.len());
                bytes[byte] = u8::try_from(chance.below(256)).expect("a byte");
            }
            lines[at] = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    lines.join("\n")
}

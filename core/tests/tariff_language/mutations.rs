//! The parser reads what is almost a tariff: the shipped and the broken files with bytes, words and lines changed by
//! chance from a fixed seed. It may refuse, never panic, and it says where.

use tollhouse_core::tariff::parse::{TABLES, parse};

use super::files;

/// How many mutants of each file; a few seconds in all.
const MUTANTS_OF_A_FILE: usize = 300;

/// xorshift64*: the same mutants in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
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

/// One change of the text.
fn change(text: &str, chance: &mut Chance) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = chance.below(lines.len());
    let line = lines[at].clone();
    match chance.below(8) {
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

#[test]
fn what_is_almost_a_tariff_is_read_or_refused_in_its_place_and_never_panics() {
    let mut chance = Chance(0x7A11_F00D);
    let mut corpus = files("appliance/tariffs");
    corpus.extend(files("core/tests/tariff_language/broken"));
    let (mut read, mut refused) = (0, 0);
    for (name, text) in corpus {
        let mut mutant = text.clone();
        for _ in 0..MUTANTS_OF_A_FILE {
            // Changes add up for a while, then begin anew.
            mutant = if chance.below(4) == 0 { change(&text, &mut chance) } else { change(&mutant, &mut chance) };
            if mutant.is_empty() {
                mutant.clone_from(&text);
            }
            match parse(&mutant) {
                Ok(tariff) => {
                    read += 1;
                    assert!(!tariff.schemes.is_empty(), "{name}:\n{mutant}");
                }
                Err(faults) => {
                    refused += 1;
                    assert!(!faults.is_empty(), "{name}:\n{mutant}");
                    let last = u32::try_from(mutant.lines().count()).expect("few lines") + 1;
                    let placed = |line: u32, message: &str| (1..=last).contains(&line) && !message.is_empty();
                    assert!(
                        faults.iter().all(|fault| placed(fault.line, &fault.message)),
                        "{name}: {faults:?}\n{mutant}"
                    );
                }
            }
        }
    }
    // Both outcomes are common, or the mutants would show nothing.
    assert!(read > 100 && refused > 1_000, "{read} read, {refused} refused");
}

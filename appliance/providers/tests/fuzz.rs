//! Callback bodies and statements with bytes and pieces changed by chance from a fixed seed, for a bounded time: they may be refused,
//! never panic. `fuzz/` goes on from here with libFuzzer.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tollhouse_providers::fuzz;

/// How long each door is tried at least, and how many mutants at most.
const TIME: Duration = Duration::from_secs(4);
const MUTANTS: usize = 60_000;

/// xorshift64*: the same mutants in every run, as far as the time reaches.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).expect("31 bits") % bound.max(1)
    }
}

/// What readers trip over: ends of numbers, separators, lengths, signs.
const PIECES: &[&[u8]] = &[
    b"",
    b"\"",
    b"`",
    b",`",
    b"\t,",
    b"\r\n",
    b"#",
    b"&",
    b"=",
    b"%",
    b"%00",
    b"-",
    b"-9223372036854775808",
    b"99999999999999999999.99",
    b"0.00000",
    b"null",
    b"{",
    b"[[[[[[[[[[[[[[[[",
    b"\\ud800",
    b"\xFF\xFE",
    b"\x81\x30",
    b"\x00",
    b"PK\x01\x02",
    b"\x30\x82\xFF\xFF",
    b"-----BEGIN CERTIFICATE-----",
    "，".as_bytes(),
];

fn mutate(seed: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        let end = (at + chance.below(24)).min(bytes.len());
        match chance.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..end, PIECES[chance.below(PIECES.len())].iter().copied())),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copy = bytes[at..end].to_vec();
                let to = chance.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << chance.below(8);
                }
            }
        }
    }
    bytes
}

fn seeds(names: &[&str]) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    names.iter().map(|name| fs::read(folder.join(name)).expect("a vector")).collect()
}

fn run(door: fn(&[u8]), seeds: &[Vec<u8>]) -> usize {
    let (mut chance, began) = (Chance(0x9E37_79B9_7F4A_7C15), Instant::now());
    for seed in seeds {
        door(seed);
    }
    let mut tried = 0;
    while tried < MUTANTS && began.elapsed() < TIME {
        let mutant = mutate(&seeds[chance.below(seeds.len())], &mut chance);
        door(&mutant);
        tried += 1;
    }
    tried
}

#[test]
fn no_mutant_of_a_callback_body_brings_a_reader_down() {
    let mut bodies = seeds(&["published/sync_response_public_key.pem", "own/platform_public.pkcs1.pem"]);
    let file = |name: &str| -> serde_json::Value { serde_json::from_slice(&seeds(&[name])[0]).expect("JSON") };
    let (wechat, published) = (file("own/wechat.json"), file("published/notify_case.json"));
    let alipay = file("own/alipay.json");
    let texts = [
        &wechat["paid_by_new"]["body"],
        &wechat["refund_by_public_key"]["body"],
        &wechat["certificate_list"],
        &wechat["certificates"]["new"],
        &published["body"],
        &alipay["query"]["raw"],
        &alipay["not_exist"],
        &alipay["notify"]["canonical"],
    ];
    bodies.extend(texts.iter().map(|text| text.as_str().expect("a text").as_bytes().to_vec()));
    bodies.push(
        br#"{"appid":"wx1","mchid":"1230000109","out_trade_no":"LOT1000001","transaction_id":"4200000001","trade_state":"SUCCESS","success_time":"2026-01-01T08:00:00+08:00","amount":{"total":100,"payer_total":100,"currency":"CNY"},"promotion_detail":[{"type":"NOCASH","amount":1}]}"#
            .to_vec(),
    );
    bodies.push(
        b"Wechatpay-Timestamp: 1\nWechatpay-Nonce: n\nWechatpay-Signature: QUJD\nWechatpay-Serial: 0A\n".to_vec(),
    );
    assert!(run(fuzz::callback, &bodies) > 100);
}

#[test]
fn no_mutant_of_a_statement_brings_a_reader_down() {
    let statements = seeds(&[
        "published/wechat.bill.ALL.csv",
        "own/wechat.bill.ALL.csv.gz",
        "own/alipay_statement.csv",
        "own/alipay_statement.zip",
    ]);
    assert!(run(fuzz::statement, &statements) > 100);
}

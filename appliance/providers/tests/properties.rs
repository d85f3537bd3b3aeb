//! What holds for every value: forms, signatures, and statements of WeChat Pay made up by chance.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tollhouse_core::money::{Currency, Money};
use tollhouse_providers::StatementError;
use tollhouse_providers::alipay::parameters;
use tollhouse_providers::key::SigningKey;
use tollhouse_providers::wechat::read_statement;

fn key() -> SigningKey {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/own/merchant.pkcs8.pem");
    SigningKey::from_pem(&fs::read(path).expect("a vector")).expect("a key")
}

fn yuan(fen: i64) -> String {
    Money::new(fen, Currency::Cny).amount()
}

/// A statement of payments of these amounts and fees, whose summary says these totals.
fn statement(rows: &[(i64, i64)], total: i64, fees: i64) -> String {
    let head = "\u{FEFF}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
        应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,\
        申请退款金额,费率备注\r\n";
    let line = |(number, (fen, fee)): (usize, &(i64, i64))| {
        let (fen, fee) = (yuan(*fen), yuan(*fee));
        format!(
            "`2026-01-01 08:00:00,`wx1,`123,`0,`,`42{number},`LOT{number},`o,`JSAPI,`SUCCESS,`OTHERS,`CNY,`{fen},`0.00,`0,`0,`0.00,`0.00,`,`,\
             `停车费,`,`{fee}000,`0.60%,`{fen},`0.00,`\r\n"
        )
    };
    let rows_text: Vec<String> = rows.iter().enumerate().map(line).collect();
    format!(
        "{head}{}总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n`{}.0,`{},`0.00,`0.0,`{},`{},`0.00\r\n",
        rows_text.concat(),
        rows.len(),
        yuan(total),
        yuan(fees),
        yuan(total),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_form_that_python_or_a_browser_would_write_is_read_back(pairs in proptest::collection::btree_map("[a-z_]{1,12}", ".{0,40}", 0..12)) {
        let encode = |text: &str| text.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02X}"));
        let body: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let read: BTreeMap<String, String> = parameters(body.join("&").as_bytes()).expect("a form");
        prop_assert_eq!(read, pairs);
    }

    #[test]
    fn a_signature_fits_its_own_message_alone(message in any::<Vec<u8>>(), at in any::<prop::sample::Index>()) {
        let key = key();
        let signature = key.sign(&message).expect("signed");
        let public = key.verifying_key();
        prop_assert!(public.verify(&message, &signature).is_ok());
        let mut other = message.clone();
        if other.is_empty() { other.push(0) } else { let place = at.index(other.len()); other[place] ^= 1 }
        prop_assert!(public.verify(&other, &signature).is_err());
    }

    #[test]
    fn a_statement_is_taken_when_its_rows_give_its_totals_and_only_then(
        rows in proptest::collection::vec((0_i64..1_000_000, -500_i64..5_000), 0..40),
        off in 1_i64..100,
    ) {
        let (total, fees) = rows.iter().fold((0, 0), |(total, fees), (fen, fee)| (total + fen, fees + fee));
        let read = read_statement(statement(&rows, total, fees).as_bytes()).expect("a statement");
        let found: Vec<(i64, i64)> = read.rows.iter().map(|row| (row.total.minor(), row.fee.minor())).collect();
        prop_assert_eq!(found, rows.clone());
        for wrong in [statement(&rows, total + off, fees), statement(&rows, total, fees - off)] {
            let refused = matches!(read_statement(wrong.as_bytes()), Err(StatementError::Totals { .. }));
            prop_assert!(refused);
        }
    }
}

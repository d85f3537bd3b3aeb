//! Answers: every state, what each refusal asks for, and what is not as agreed.

use tollhouse_core::money::{Currency, Money};
use tollhouse_providers::OrderNumber;
use tollhouse_providers::alipay::{
    AnswerError, CancelAction, Captured, CodePayment, Distrust, Expected, FundChange, Mismatch, RefundQuery, Refusal,
    Retry, Trade, TradeState, bill_url, cancelled, closed, code_payment, precreated, refund_query, refunded, trade,
};

use crate::vectors::{answer, public_key, text, vector};

const fn fen(fen: i64) -> Money {
    Money::new(fen, Currency::Cny)
}

fn queried(content: &str) -> Result<Trade, AnswerError> {
    trade(&answer("alipay_trade_query_response", content), &public_key())
}

fn with_state(state: &str, more: &str) -> String {
    format!(
        r#"{{"code":"10000","msg":"Success","trade_no":"1","out_trade_no":"LOT1000001","trade_status":"{state}","total_amount":"15.00"{more}}}"#
    )
}

fn refusal(error: AnswerError) -> Refusal {
    match error {
        AnswerError::Refused(refused) => refused.refusal,
        other => panic!("{other}"),
    }
}

#[test]
fn a_paid_trade_is_read_from_the_bytes_that_were_signed() {
    let case = vector("own/alipay.json");
    let paid = trade(text(&case["query"], "raw").as_bytes(), &public_key()).expect("paid");
    assert_eq!((paid.state, paid.state.captured()), (TradeState::Paid, Captured::Yes));
    assert_eq!((paid.total, paid.received), (fen(1500), Some(fen(1400))));
    assert_eq!(paid.paid_at.map(|at| at.timestamp()), Some(1_767_225_598));
    let altered = text(&case["query"], "raw").replace("\"15.00\"", "\"15.01\"");
    assert_eq!(trade(altered.as_bytes(), &public_key()), Err(AnswerError::Distrust(Distrust::WrongSignature)));
}

#[test]
fn every_state_of_a_trade_is_told_and_a_closed_one_by_whether_it_was_paid() {
    let paid = r#","send_pay_date":"2026-01-01 07:59:58""#;
    for (word, more, state) in [
        ("WAIT_BUYER_PAY", "", TradeState::Open),
        ("TRADE_SUCCESS", paid, TradeState::Paid),
        ("TRADE_FINISHED", paid, TradeState::Finished),
        ("TRADE_CLOSED", "", TradeState::Closed),
        ("TRADE_CLOSED", paid, TradeState::RefundedInFull),
    ] {
        assert_eq!(queried(&with_state(word, more)).map(|trade| trade.state), Ok(state));
    }
    for (word, more) in [
        ("TRADE_PENDING", ""),
        ("", ""),
        ("TRADE_SUCCESS", r#","receipt_amount":"15.01""#),
        ("TRADE_SUCCESS", r#","receipt_amount":"1.001""#),
        ("TRADE_SUCCESS", r#","send_pay_date":"x""#),
    ] {
        assert!(matches!(queried(&with_state(word, more)), Err(AnswerError::Malformed(_))), "{word} {more}");
    }
}

#[test]
fn an_answer_is_held_against_the_order_that_was_asked_about() {
    let order = OrderNumber::new("LOT1000001").expect("a number");
    let expected = |total| Expected { app_id: "1", seller_id: "2", order: &order, total };
    let paid = queried(&with_state("TRADE_SUCCESS", "")).expect("paid");
    assert_eq!(paid.check(&expected(fen(1500))), Ok(()));
    assert_eq!(paid.check(&expected(fen(1501))), Err(Mismatch::OtherAmount));
    let open = queried(&with_state("WAIT_BUYER_PAY", "")).expect("open");
    assert_eq!(open.check(&expected(fen(1501))), Ok(()), "nothing came yet");
    let other = OrderNumber::new("LOT1000002").expect("a number");
    assert_eq!(open.check(&Expected { order: &other, ..expected(fen(1500)) }), Err(Mismatch::OtherOrder));
}

#[test]
fn a_trade_that_nobody_scanned_is_told_as_such_over_its_signature() {
    let case = vector("own/alipay.json");
    let error = trade(text(&case, "not_exist").as_bytes(), &public_key()).expect_err("refused");
    assert_eq!(refusal(error), Refusal::NoSuchTrade);
    let unsigned = br#"{"alipay_trade_query_response":{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}}"#;
    assert!(matches!(trade(unsigned, &public_key()), Err(AnswerError::Distrust(Distrust::Unsigned(_)))));
}

#[test]
fn a_refusal_says_what_to_do_and_what_is_not_listed_is_unknown() {
    for (code, sub, expected) in [
        ("40004", "ACQ.TRADE_HAS_CLOSE", Refusal::Closed),
        ("40004", "ACQ.TRADE_HAS_SUCCESS", Refusal::AlreadyPaid),
        ("40004", "ACQ.TRADE_STATUS_ERROR", Refusal::StateForbids),
        ("40004", "ACQ.CONTEXT_INCONSISTENT", Refusal::NumberUsed),
        ("40004", "ACQ.PAYMENT_AUTH_CODE_INVALID", Refusal::PaymentCodeSpent),
        ("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", Refusal::BalanceTooLow),
        ("40004", "isp.bill_not_exist", Refusal::NoStatement),
        ("40004", "ACQ.SYSTEM_ERROR", Refusal::Unknown),
        ("20000", "isp.unknow-error", Refusal::Unknown),
        ("40002", "isv.invalid-signature", Refusal::Ours),
        ("40005", "isv.call-limited", Refusal::TooOften),
    ] {
        let content = format!(r#"{{"code":"{code}","msg":"m","sub_code":"{sub}","sub_msg":"话"}}"#);
        let AnswerError::Refused(refused) = queried(&content).expect_err("refused") else { panic!("{sub}") };
        assert_eq!((refused.refusal, refused.sub_code.as_str(), refused.message.as_str()), (expected, sub, "话"));
        assert_eq!(trade(&answer("error_response", &content), &public_key()), Err(AnswerError::Refused(refused)));
    }
    let other = answer("alipay_trade_close_response", &with_state("TRADE_SUCCESS", ""));
    assert!(matches!(trade(&other, &public_key()), Err(AnswerError::Malformed(_))), "the answer to another question");
    assert!(matches!(queried(r#"{"msg":"Success"}"#), Err(AnswerError::Malformed(_))), "no code");
}

#[test]
fn code_10000_of_a_refund_is_no_refund_and_fund_change_is() {
    let refund = |change: &str| {
        let content =
            format!(r#"{{"code":"10000","trade_no":"1","out_trade_no":"LOT1000001","refund_fee":"5.00"{change}}}"#);
        refunded(&answer("alipay_trade_refund_response", &content), &public_key())
    };
    for (change, expected) in [
        (r#","fund_change":"Y""#, FundChange::Moved),
        (r#","fund_change":"N""#, FundChange::NotMoved),
        ("", FundChange::NotMoved),
    ] {
        let reply = refund(change).expect("a reply");
        assert_eq!((reply.fund_change, reply.refunded_so_far), (expected, fen(500)));
    }
    assert!(refund(r#","fund_change":"X""#).is_err());
}

#[test]
fn a_refund_counts_as_done_only_when_the_query_says_so() {
    let query =
        |content: &str| refund_query(&answer("alipay_trade_fastpay_refund_query_response", content), &public_key());
    assert_eq!(query(r#"{"code":"10000","msg":"Success"}"#), Ok(RefundQuery::NotDone));
    assert_eq!(query(r#"{"code":"10000","out_request_no":"R1","refund_amount":"5.00"}"#), Ok(RefundQuery::NotDone));
    let done =
        query(r#"{"code":"10000","out_request_no":"R1","refund_amount":"5.00","refund_status":"REFUND_SUCCESS"}"#);
    assert!(matches!(done, Ok(RefundQuery::Done { number, refund }) if number.as_str() == "R1" && refund == fen(500)));
    assert!(
        query(r#"{"code":"10000","out_request_no":"R1","refund_amount":"5.00","refund_status":"REFUND_X"}"#).is_err()
    );
}

#[test]
fn a_payment_by_code_is_paid_or_waits_and_a_cancel_says_what_it_did() {
    let pay = |content: &str| code_payment(&answer("alipay_trade_pay_response", content), &public_key());
    assert_eq!(pay(r#"{"code":"10003","msg":"order success pay inprocess"}"#), Ok(CodePayment::Waiting));
    let paid = r#"{"code":"10000","trade_no":"1","out_trade_no":"LOT1000001","total_amount":"15.00","receipt_amount":"15.00","gmt_payment":"2026-01-01 07:59:58"}"#;
    assert!(matches!(pay(paid), Ok(CodePayment::Paid(trade)) if trade.total == fen(1500) && trade.paid_at.is_some()));
    assert_eq!(
        refusal(pay(r#"{"code":"20000","sub_code":"aop.ACQ.SYSTEM_ERROR"}"#).expect_err("refused")),
        Refusal::Unknown
    );
    let cancel = |flag: &str, action: &str| {
        let content = format!(r#"{{"code":"10000","out_trade_no":"LOT1000001","retry_flag":"{flag}"{action}}}"#);
        cancelled(&answer("alipay_trade_cancel_response", &content), &public_key())
            .map(|done| (done.retry, done.action))
    };
    assert_eq!(cancel("Y", ""), Ok((Retry::Again, CancelAction::Nothing)));
    assert_eq!(cancel("N", r#","action":"close""#), Ok((Retry::Done, CancelAction::Closed)));
    assert_eq!(cancel("N", r#","action":"refund""#), Ok((Retry::Done, CancelAction::Refunded)));
    assert!(cancel("", "").is_err() && cancel("N", r#","action":"burn""#).is_err());
}

#[test]
fn a_code_to_show_a_close_and_a_statement_s_place_are_read() {
    let made = answer(
        "alipay_trade_precreate_response",
        r#"{"code":"10000","out_trade_no":"LOT1000001","qr_code":"https:\/\/qr.alipay.com\/bax03431"}"#,
    );
    assert_eq!(precreated(&made, &public_key()).expect("made").1, "https://qr.alipay.com/bax03431");
    let strange = answer(
        "alipay_trade_precreate_response",
        r#"{"code":"10000","out_trade_no":"LOT1000001","qr_code":"javascript:x"}"#,
    );
    assert!(precreated(&strange, &public_key()).is_err());
    let close = answer("alipay_trade_close_response", r#"{"code":"10000","trade_no":"1","out_trade_no":"LOT1000001"}"#);
    assert_eq!(closed(&close, &public_key()).expect("closed").as_str(), "LOT1000001");
    let name = "alipay_data_dataservice_bill_downloadurl_query_response";
    let place = answer(
        name,
        r#"{"code":"10000","bill_download_url":"http://dwbillcenter.alipay.com/downloadBillFile.resource?bizType=X"}"#,
    );
    assert!(bill_url(&place, &public_key()).expect("a place").starts_with("http://dwbillcenter.alipay.com/"));
    assert!(bill_url(&answer(name, r#"{"code":"10000"}"#), &public_key()).is_err());
}

//! Owns Alipay's refusals: its codes, and what each asks for. It must not see an answer before it was verified.
//!
//! Source: 公共错误码, and the 业务错误码 of each method.

/// What a refusal asks of the caller. What is not listed as final counts as unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `ACQ.TRADE_NOT_EXIST`: nobody has scanned or signed in yet, while the code **can still be paid**: open until it expires.
    NoSuchTrade,
    /// `ACQ.TRADE_HAS_CLOSE`: it will not be paid under this number.
    Closed,
    /// `ACQ.TRADE_HAS_SUCCESS`: query, it is paid.
    AlreadyPaid,
    /// `ACQ.TRADE_STATUS_ERROR` and its like: its state does not allow this. Query.
    StateForbids,
    /// `ACQ.CONTEXT_INCONSISTENT`: this number is known with other parameters. Query it, then take another number.
    NumberUsed,
    /// `ACQ.PAYMENT_AUTH_CODE_INVALID`: the driver shows another code, which is another order.
    PaymentCodeSpent,
    /// `ACQ.SELLER_BALANCE_NOT_ENOUGH`: a person has to act; then the same number again.
    BalanceTooLow,
    /// The statement of this day is not there: no trade, or not made yet.
    NoStatement,
    /// `40005`, and `20000` when it says so: later, slower.
    TooOften,
    /// `20001`, `40001`, `40002`, `40003`, `40006`: our configuration; an alarm.
    Ours,
    /// Anything else: not known. Query under the same number.
    Unknown,
}

/// A refusal by Alipay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Alipay refused with {code} {sub_code}: {message}")]
pub struct Refused {
    /// Its code.
    pub code: String,
    /// Its business code, maybe empty.
    pub sub_code: String,
    /// Its words, for a person.
    pub message: String,
    /// What to do.
    pub refusal: Refusal,
}

/// What these codes ask for.
pub(super) fn refusal(code: &str, sub_code: &str) -> Refusal {
    match (code, sub_code.strip_prefix("ACQ.").unwrap_or(sub_code)) {
        ("40004", "TRADE_NOT_EXIST") => Refusal::NoSuchTrade,
        ("40004", "TRADE_HAS_CLOSE") => Refusal::Closed,
        ("40004", "TRADE_HAS_SUCCESS") => Refusal::AlreadyPaid,
        ("40004", "TRADE_STATUS_ERROR" | "REASON_TRADE_STATUS_INVALID" | "TRADE_HAS_FINISHED") => Refusal::StateForbids,
        ("40004", "CONTEXT_INCONSISTENT") => Refusal::NumberUsed,
        ("40004", "PAYMENT_AUTH_CODE_INVALID") => Refusal::PaymentCodeSpent,
        ("40004", "SELLER_BALANCE_NOT_ENOUGH") => Refusal::BalanceTooLow,
        ("40004", "isp.bill_not_exist" | "BILL_NOT_EXIST" | "isp.bill-not-exist") => Refusal::NoStatement,
        ("40005", _) => Refusal::TooOften,
        ("20001" | "40001" | "40002" | "40003" | "40006", _) => Refusal::Ours,
        _ => Refusal::Unknown,
    }
}

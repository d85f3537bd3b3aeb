//! A provider's statement as rows to be matched: read by `tollhouse-providers`, or from the sandbox's own book. It must not
//! know the books.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tollhouse_core::money::Money;
use tollhouse_core::reconciliation::{Done, Key, Kind, Theirs};
use tollhouse_providers::StatementError;
use tollhouse_providers::{alipay, wechat};

/// The most rows of the sandbox's book that are read.
const SANDBOX_ROWS: usize = 200_000;

/// A statement, and what it is told by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its rows, in its order.
    pub rows: Vec<Theirs>,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

impl Statement {
    /// Of a day on which nothing happened.
    pub fn empty() -> Self {
        Self { rows: vec![], sha256: sha256(b"") }
    }
}

/// Why a statement is none. Nothing of it was used.
#[derive(Debug, thiserror::Error)]
pub enum StatementFault {
    /// No reader for this provider.
    #[error("no statement of {0:?} can be read; the providers are wechat, alipay and sandbox")]
    Provider(String),
    /// Not as the provider writes it, or its rows do not give its totals.
    #[error(transparent)]
    Malformed(#[from] StatementError),
    /// It is of another day.
    #[error("no row of the statement is of {0}: is it the right file? Its first row is of {1}")]
    OtherDay(NaiveDate, NaiveDate),
    /// A line of the sandbox's book.
    #[error("line {0} of the sandbox's book cannot be read: {1}")]
    Sandbox(usize, String),
}

/// When a provider's day begins and ends: in China for WeChat Pay and Alipay, where the lot is for the sandbox.
pub fn bounds(provider: &str, day: NaiveDate, lot: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    let zone = if matches!(provider, "wechat" | "alipay") { chrono_tz::Asia::Shanghai } else { lot };
    let midnight = |day: NaiveDate| {
        let local = day.and_time(NaiveTime::MIN);
        // Where clocks are put forward at midnight, the day begins an hour later.
        let begin = zone.from_local_datetime(&local).earliest();
        begin.map_or_else(|| (local + chrono::TimeDelta::hours(1)).and_utc(), |begin| begin.to_utc())
    };
    (midnight(day), midnight(day.succ_opt().unwrap_or(day)))
}

/// Reads a statement as it was downloaded, packed or not; `merchant` is our account there.
pub fn read(provider: &str, merchant: &str, bytes: &[u8]) -> Result<Statement, StatementFault> {
    let rows = match provider {
        "wechat" => of_wechat(bytes)?,
        "alipay" => of_alipay(merchant, bytes)?,
        "sandbox" => of_sandbox(merchant, bytes)?,
        other => return Err(StatementFault::Provider(other.chars().take(40).collect())),
    };
    Ok(Statement { rows, sha256: sha256(bytes) })
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut digits, byte| {
        // Writing to a text does not fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn absolute(money: Money) -> Money {
    Money::new(money.minor().saturating_abs(), money.currency())
}

fn of_wechat(bytes: &[u8]) -> Result<Vec<Theirs>, StatementFault> {
    let statement = wechat::read_statement(&wechat::unpack(bytes)?)?;
    Ok(statement.rows.into_iter().map(wechat_row).collect())
}

fn wechat_row(row: wechat::Row) -> Theirs {
    let kind = match row.kind {
        wechat::RowKind::Paid => Kind::Paid,
        wechat::RowKind::Refund => Kind::Refund,
        wechat::RowKind::Reversed => Kind::Reversed,
    };
    let refund = if kind == Kind::Refund { row.refund_number.unwrap_or_default() } else { String::new() };
    let (amount, settled) = match kind {
        Kind::Paid => (row.total, row.settled),
        Kind::Refund | Kind::Reversed => (row.asked_refund, row.refund),
    };
    let under_way = kind == Kind::Refund && row.refund_status.as_deref().is_some_and(|status| status != "SUCCESS");
    Theirs {
        line: row.line,
        at: row.at,
        merchant: row.mchid,
        key: Key { kind, transaction: row.transaction_id, order: row.order, refund },
        amount,
        settled,
        fee: row.fee,
        done: if under_way { Done::NotYet } else { Done::Yes },
    }
}

fn of_alipay(merchant: &str, bytes: &[u8]) -> Result<Vec<Theirs>, StatementFault> {
    let unpacked;
    let text = if bytes.starts_with(b"PK") {
        unpacked = alipay::unpack(bytes)?;
        &unpacked
    } else {
        bytes
    };
    let statement = alipay::read_statement(text)?;
    Ok(statement.rows.into_iter().map(|row| alipay_row(row, merchant)).collect())
}

fn alipay_row(row: alipay::Row, merchant: &str) -> Theirs {
    // A refund without a number of ours took the trade back as a whole (撤销).
    let kind = match (row.kind, &row.refund_number) {
        (alipay::RowKind::Paid, _) => Kind::Paid,
        (alipay::RowKind::Refund, Some(_)) => Kind::Refund,
        (alipay::RowKind::Refund, None) => Kind::Reversed,
    };
    let refund = if kind == Kind::Refund { row.refund_number.unwrap_or_default() } else { String::new() };
    // The table has no column for the seller: what tells another's row stands in its remark.
    let stranger = row.remark.as_deref().and_then(|remark| remark.split("seller_id=").nth(1));
    let whose = stranger.map(|id| id.chars().take_while(char::is_ascii_digit).collect::<String>());
    Theirs {
        line: row.line,
        at: row.finished_at,
        merchant: whose.unwrap_or_else(|| merchant.to_owned()),
        key: Key { kind, transaction: row.trade_no, order: row.order, refund },
        amount: absolute(row.total),
        settled: absolute(row.received),
        // What is taken stands below zero there, above zero here.
        fee: row.fee.negated(),
        done: Done::Yes,
    }
}

/// One line of the sandbox's book.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BankLine {
    Paid {
        number: String,
        at: DateTime<Utc>,
    },
    Refunded {
        number: String,
        refund: String,
        amount: Money,
        #[serde(default)]
        at: Option<DateTime<Utc>>,
    },
    Opened {
        number: String,
        amount: Money,
    },
    /// Nothing was paid: no row of a statement.
    Closed {},
}

/// The sandbox's book is its statement of all days: the rows of the wanted one are chosen by [`of_day`].
fn of_sandbox(merchant: &str, bytes: &[u8]) -> Result<Vec<Theirs>, StatementFault> {
    let text = String::from_utf8_lossy(bytes);
    let mut opened = std::collections::HashMap::new();
    let mut paid_at = std::collections::HashMap::new();
    let mut rows = vec![];
    for (line, text) in (1..).zip(text.lines()) {
        if rows.len() >= SANDBOX_ROWS {
            return Err(StatementFault::Sandbox(line, "more rows than are read".to_owned()));
        }
        let read = serde_json::from_str(text).map_err(|fault| StatementFault::Sandbox(line, fault.to_string()))?;
        let (kind, number, refund, amount, at) = match read {
            BankLine::Opened { number, amount } => {
                opened.insert(number, amount);
                continue;
            }
            BankLine::Closed {} => continue,
            BankLine::Paid { number, at } => {
                let Some(amount) = opened.get(&number).copied() else { continue };
                paid_at.insert(number.clone(), at);
                (Kind::Paid, number, String::new(), amount, at)
            }
            BankLine::Refunded { number, refund, amount, at } => {
                let Some(at) = at.or_else(|| paid_at.get(&number).copied()) else { continue };
                (Kind::Refund, number, refund, amount, at)
            }
        };
        rows.push(Theirs {
            line,
            at,
            merchant: merchant.to_owned(),
            key: Key { kind, transaction: format!("SB{number}"), order: number, refund },
            amount,
            settled: amount,
            fee: Money::zero(amount.currency()),
            done: Done::Yes,
        });
    }
    Ok(rows)
}

/// A provider's statement holds rows of its day, or none.
pub(super) fn is_of_day(
    statement: &Statement,
    day: NaiveDate,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), StatementFault> {
    let Some(first) = statement.rows.first() else { return Ok(()) };
    if statement.rows.iter().any(|row| from <= row.at && row.at < until) {
        return Ok(());
    }
    let of = first.at.with_timezone(&chrono_tz::Asia::Shanghai).date_naive();
    Err(StatementFault::OtherDay(day, of))
}

/// The rows of one day, of a book that holds all days.
pub fn of_day(statement: Statement, (from, until): (DateTime<Utc>, DateTime<Utc>)) -> Statement {
    let rows: Vec<Theirs> = statement.rows.into_iter().filter(|row| from <= row.at && row.at < until).collect();
    // The book grows; what tells this day apart are its own rows.
    let told: Vec<String> = rows.iter().map(|row| format!("{}={}@{}", row.key.text(), row.amount, row.at)).collect();
    Statement { rows, sha256: sha256(told.join("\n").as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollhouse_core::money::Currency;

    #[test]
    fn the_sandboxs_book_is_a_statement_by_days() {
        let book = concat!(
            r#"{"opened":{"number":"N1","amount":"15.00 CNY","expires_at":"2026-03-01T16:10:00Z"}}"#,
            "\n",
            r#"{"paid":{"number":"N1","at":"2026-03-01T15:59:59Z"}}"#,
            "\n",
            r#"{"closed":{"number":"N0"}}"#,
            "\n",
            r#"{"opened":{"number":"N2","amount":"5.00 CNY","expires_at":"2026-03-01T16:10:00Z"}}"#,
            "\n",
            r#"{"refunded":{"number":"N1","refund":"R1","amount":"15.00 CNY","at":"2026-03-01T16:00:00Z"}}"#,
            "\n",
        );
        let whole = read("sandbox", "sandbox-merchant", book.as_bytes()).expect("read");
        assert_eq!(whole.rows.len(), 2);
        let day = NaiveDate::from_ymd_opt(2026, 3, 1).expect("a date");
        let first = of_day(whole.clone(), bounds("sandbox", day, chrono_tz::Asia::Shanghai));
        assert_eq!(first.rows.len(), 1);
        assert_eq!(first.rows[0].amount, Money::new(1_500, Currency::Cny));
        let second = of_day(whole, bounds("sandbox", day.succ_opt().expect("a day"), chrono_tz::Asia::Shanghai));
        assert_eq!(second.rows[0].key.kind, Kind::Refund);
        assert!(read("sandbox", "m", b"{\"paid\":").is_err());
        assert!(matches!(read("etc", "m", b""), Err(StatementFault::Provider(_))));
    }
}

//! Owns WeChat Pay's daily statement of trades: unpacking, its hash, its rows and its own totals. It must not match rows with
//! orders, and never merges two.
//!
//! Source: 申请交易账单, 交易账单格式. UTF-8 with a BOM, CRLF, each value after a backtick, amounts in **yuan**; the last two lines are
//! the summary. The SHA-1 is over the unpacked file. A fee stands as `0.01000`.

use std::io::Read;

use chrono::{DateTime, Utc};
use flate2::read::MultiGzDecoder;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tollhouse_core::money::{Currency, Money};

use crate::bounded::hex;
use crate::clock::read_plain;
use crate::limits::{STATEMENT_BYTES, STATEMENT_PACKED_BYTES, STATEMENT_ROWS};
use crate::malformed::StatementError;
use crate::table::{Cells, Columns, Line, check_count, check_line, check_size, check_total, lines};

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// `SUCCESS`: money came.
    Paid,
    /// `REFUND`: money went back, or is on its way (see [`Row::refund_status`]).
    Refund,
    /// `REVOKED`: a payment by code was reversed.
    Reversed,
}

/// A row. Numbers are texts: a statement has other people's orders too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line in the file.
    pub line: usize,
    /// When.
    pub at: DateTime<Utc>,
    /// The application.
    pub appid: String,
    /// The merchant; not ours: a security event.
    pub mchid: String,
    /// WeChat Pay's number. It may stand at more than one order.
    pub transaction_id: String,
    /// The order's number.
    pub order: String,
    /// `JSAPI`, `NATIVE`, `MWEB`, `MICROPAY`...
    pub trade_type: String,
    /// What it is.
    pub kind: RowKind,
    /// What is settled to us before the fee (应结订单金额).
    pub settled: Money,
    /// Coupons (代金券金额).
    pub coupons: Money,
    /// WeChat Pay's number of the refund.
    pub refund_id: Option<String>,
    /// Our number of the refund.
    pub refund_number: Option<String>,
    /// What is taken back from us (退款金额).
    pub refund: Money,
    /// Coupons given back (充值券退款金额).
    pub coupon_refund: Money,
    /// `SUCCESS`, `PROCESSING`, `FAIL`, ...
    pub refund_status: Option<String>,
    /// The fee, below zero where one is given back.
    pub fee: Money,
    /// What the order was about (订单金额).
    pub total: Money,
    /// What was asked back (申请退款金额).
    pub asked_refund: Money,
}

/// What a statement says of itself, and what its rows were found to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Rows.
    pub rows: usize,
    /// 应结订单总金额.
    pub settled: Money,
    /// 退款总金额.
    pub refunds: Money,
    /// 充值券退款总金额.
    pub coupon_refunds: Money,
    /// 手续费总金额.
    pub fees: Money,
    /// 订单总金额.
    pub totals: Money,
    /// 申请退款总金额.
    pub asked_refunds: Money,
}

/// A statement whose rows give its summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// In the order of the file.
    pub rows: Vec<Row>,
    /// Its totals.
    pub summary: Summary,
}

/// Unpacks what was downloaded: gzip, or plain where WeChat Pay did not pack. Never more than the limit.
pub fn unpack(bytes: &[u8]) -> Result<Vec<u8>, StatementError> {
    if bytes.len() > STATEMENT_PACKED_BYTES && bytes.starts_with(&[0x1F, 0x8B]) {
        return Err(StatementError::TooLarge { what: "packed bytes", limit: STATEMENT_PACKED_BYTES });
    }
    if !bytes.starts_with(&[0x1F, 0x8B]) {
        check_size(bytes)?;
        return Ok(bytes.to_vec());
    }
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(bytes).take(STATEMENT_BYTES as u64 + 1);
    reader.read_to_end(&mut unpacked).map_err(|fault| StatementError::Packing(fault.to_string()))?;
    check_size(&unpacked)?;
    Ok(unpacked)
}

/// That the unpacked file has the SHA-1 that WeChat Pay announced over a signed answer; the file itself is not signed.
pub fn check_hash(unpacked: &[u8], announced: &str) -> Result<(), StatementError> {
    let found = hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, unpacked).as_ref());
    if announced.eq_ignore_ascii_case(&found) {
        Ok(())
    } else {
        Err(StatementError::Hash { announced: announced.chars().take(64).collect(), found })
    }
}

/// Reads an unpacked statement. All of it, or an error: a statement whose rows do not give its summary has no rows.
pub fn read_statement(unpacked: &[u8]) -> Result<Statement, StatementError> {
    check_size(unpacked)?;
    let bytes = unpacked.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(unpacked);
    let text = std::str::from_utf8(bytes).map_err(|_| StatementError::CharacterSet("UTF-8"))?;
    let mut lines = lines(text);
    let head = lines.next().ok_or(StatementError::NoTable("head"))?;
    let columns = head_of(head)?;
    let mut rows = Vec::new();
    let foot = loop {
        let line = lines.next().ok_or(StatementError::NoTable("summary"))?;
        if !line.1.starts_with('`') {
            break line;
        }
        if rows.len() == STATEMENT_ROWS {
            return Err(StatementError::TooLarge { what: "rows", limit: STATEMENT_ROWS });
        }
        rows.push(row(&columns.row(line.0, values(line)?)?)?);
    };
    let columns = head_of(foot)?;
    let line = lines.next().ok_or(StatementError::NoTable("summary"))?;
    let announced = columns.row(line.0, values(line)?)?;
    if let Some((line, _)) = lines.next() {
        return Err(StatementError::line(line, "something follows the summary"));
    }
    let summary = sum(&rows)?;
    check_summary(&announced, &summary)?;
    Ok(Statement { rows, summary })
}

fn head_of(line: Line<'_>) -> Result<Columns, StatementError> {
    check_line(line)?;
    if line.1.starts_with('`') {
        return Err(StatementError::line(line.0, "the names of columns should stand here"));
    }
    Columns::new(line.0, line.1.split(',').map(|name| name.trim().to_owned()).collect())
}

/// Values stand after a backtick, so a comma inside of one separates nothing.
fn values(line: Line<'_>) -> Result<Vec<String>, StatementError> {
    check_line(line)?;
    let rest = line.1.strip_prefix('`').ok_or_else(|| StatementError::line(line.0, "values begin with a backtick"))?;
    Ok(rest.split(",`").map(|value| value.trim().to_owned()).collect())
}

fn row(cells: &Cells<'_>) -> Result<Row, StatementError> {
    let wrong = |why: &str| StatementError::line(cells.line, why);
    if cells.text("货币种类")? != Currency::Cny.code() {
        return Err(wrong("a currency other than CNY"));
    }
    Ok(Row {
        line: cells.line,
        at: read_plain(cells.text("交易时间")?).ok_or_else(|| wrong("交易时间 is no time"))?,
        appid: cells.word("公众账号ID")?,
        mchid: cells.word("商户号")?,
        transaction_id: cells.word("微信订单号")?,
        order: cells.word("商户订单号")?,
        trade_type: cells.word("交易类型")?,
        kind: match cells.text("交易状态")? {
            "SUCCESS" => RowKind::Paid,
            "REFUND" => RowKind::Refund,
            "REVOKED" => RowKind::Reversed,
            _ => return Err(wrong("交易状态 is a state that we do not know")),
        },
        settled: cells.yuan("应结订单金额")?,
        coupons: cells.yuan("代金券金额")?,
        refund_id: cells.optional("微信退款单号")?,
        refund_number: cells.optional("商户退款单号")?,
        refund: cells.yuan("退款金额")?,
        coupon_refund: cells.yuan("充值券退款金额")?,
        refund_status: cells.optional("退款状态")?,
        fee: cells.yuan("手续费")?,
        total: cells.yuan("订单金额")?,
        asked_refund: cells.yuan("申请退款金额")?,
    })
}

fn sum(rows: &[Row]) -> Result<Summary, StatementError> {
    let add = |column: fn(&Row) -> Money| {
        rows.iter().try_fold(Money::zero(Currency::Cny), |sum, row| {
            sum.plus(column(row)).map_err(|fault| StatementError::money(row.line, "the sum so far", &fault))
        })
    };
    Ok(Summary {
        rows: rows.len(),
        settled: add(|row| row.settled)?,
        refunds: add(|row| row.refund)?,
        coupon_refunds: add(|row| row.coupon_refund)?,
        fees: add(|row| row.fee)?,
        totals: add(|row| row.total)?,
        asked_refunds: add(|row| row.asked_refund)?,
    })
}

fn check_summary(announced: &Cells<'_>, found: &Summary) -> Result<(), StatementError> {
    // The number of rows is written like an amount: `45.0`.
    let rows = announced.yuan("总交易单数")?.minor();
    if rows < 0 || rows % 100 != 0 {
        return Err(StatementError::line(announced.line, "总交易单数 is no number of rows"));
    }
    check_count("总交易单数", rows.unsigned_abs() / 100, found.rows)?;
    for (name, sum) in [
        ("应结订单总金额", found.settled),
        ("退款总金额", found.refunds),
        ("充值券退款总金额", found.coupon_refunds),
        ("手续费总金额", found.fees),
        ("订单总金额", found.totals),
        ("申请退款总金额", found.asked_refunds),
    ] {
        check_total(name, announced.yuan(name)?, sum)?;
    }
    Ok(())
}

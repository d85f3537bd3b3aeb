//! Owns Alipay's daily statement of trades: its rows and its own totals. It must not match rows with orders, and never merges two.
//!
//! Source: `alipay.data.dataservice.bill.downloadurl.query`, 业务明细. GBK, comments begin with `#`, cells end in a tab, refunds are
//! negative rows, the totals stand in the footer's comments. Amounts in yuan.

use chrono::{DateTime, Utc};
use encoding_rs::GBK;
use tollhouse_core::money::{Currency, Money};

use crate::clock::read_plain;
use crate::limits::STATEMENT_ROWS;
use crate::malformed::StatementError;
use crate::table::{Cells, Columns, Line, check_count, check_line, check_size, check_total, lines, yuan};

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// 交易: money came.
    Paid,
    /// 退款: money went back; its amounts are below zero.
    Refund,
}

/// A row. Numbers are texts: a statement has other people's orders too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line in the file.
    pub line: usize,
    /// Alipay's number of the trade.
    pub trade_no: String,
    /// The order's number.
    pub order: String,
    /// What it is.
    pub kind: RowKind,
    /// When the trade was made.
    pub created_at: DateTime<Utc>,
    /// When this row's money moved.
    pub finished_at: DateTime<Utc>,
    /// What the order was about (订单金额).
    pub total: Money,
    /// What we get before the fee (商家实收).
    pub received: Money,
    /// Our own discounts (商家优惠).
    pub merchant_discount: Money,
    /// Our number of the refund (退款批次号/请求号).
    pub refund_number: Option<String>,
    /// The fee (服务费), below zero where it is taken.
    pub fee: Money,
    /// What was shared with others (分润).
    pub shared: Money,
    /// 备注. The table has no column for the seller; what tells a foreign row, if anything does, stands here.
    pub remark: Option<String>,
}

/// What a statement says of one kind of rows, and what they were found to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Rows.
    pub rows: usize,
    /// 商家实收; of refunds below zero.
    pub received: Money,
    /// 商家优惠; of refunds below zero.
    pub merchant_discount: Money,
}

/// A statement whose rows give its totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// In the order of the file.
    pub rows: Vec<Row>,
    /// 交易合计.
    pub paid: Totals,
    /// 退款合计.
    pub refunded: Totals,
}

/// Reads 业务明细. All of it, or an error: a statement whose rows do not give its totals has no rows.
pub fn read_statement(bytes: &[u8]) -> Result<Statement, StatementError> {
    check_size(bytes)?;
    let text =
        GBK.decode_without_bom_handling_and_without_replacement(bytes).ok_or(StatementError::CharacterSet("GBK"))?;
    let mut lines = lines(&text);
    let head = lines.find(|(_, line)| !line.starts_with('#')).ok_or(StatementError::NoTable("head"))?;
    let columns = Columns::new(head.0, cells(head)?)?;
    let mut rows = Vec::new();
    let mut footer = Vec::new();
    for line in lines {
        check_line(line)?;
        if line.1.starts_with('#') {
            footer.push(line);
            if footer.len() > 64 {
                return Err(StatementError::line(line.0, "too many comments after the table"));
            }
        } else if footer.is_empty() {
            if rows.len() == STATEMENT_ROWS {
                return Err(StatementError::TooLarge { what: "rows", limit: STATEMENT_ROWS });
            }
            rows.push(row(&columns.row(line.0, cells(line)?)?)?);
        } else {
            return Err(StatementError::line(line.0, "a row after the end of the table"));
        }
    }
    let (paid, refunded) = (totals(&rows, RowKind::Paid)?, totals(&rows, RowKind::Refund)?);
    check_footer(&footer, "#交易合计：", ["商家实收共", "商家优惠共"], &paid)?;
    check_footer(&footer, "#退款合计：", ["商家实收退款共", "商家优惠退款共"], &refunded)?;
    Ok(Statement { rows, paid, refunded })
}

/// Cells between commas; one that begins with a quote goes to the closing one. Blanks and tabs around a cell do not belong to it.
fn cells(line: Line<'_>) -> Result<Vec<String>, StatementError> {
    check_line(line)?;
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut rest = line.1.chars().peekable();
    while let Some(c) = rest.next() {
        let cell = cells.last_mut().expect("there is always a last cell");
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cell.push('"');
            }
            '"' if quoted || cell.trim().is_empty() => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cell.push(other),
        }
    }
    if quoted {
        return Err(StatementError::line(line.0, "a quote that does not end"));
    }
    Ok(cells.into_iter().map(|cell| cell.trim().to_owned()).collect())
}

fn row(cells: &Cells<'_>) -> Result<Row, StatementError> {
    let time = |name: &str| {
        read_plain(cells.text(name)?).ok_or_else(|| StatementError::line(cells.line, format!("{name} is no time")))
    };
    let kind = match cells.text("业务类型")? {
        "交易" => RowKind::Paid,
        "退款" => RowKind::Refund,
        _ => return Err(StatementError::line(cells.line, "业务类型 is neither 交易 nor 退款")),
    };
    let total = cells.yuan("订单金额（元）")?;
    if (kind == RowKind::Paid) != (total.minor() >= 0) && total.minor() != 0 {
        return Err(StatementError::line(cells.line, "订单金额 has the wrong sign for its 业务类型"));
    }
    Ok(Row {
        line: cells.line,
        trade_no: cells.word("支付宝交易号")?,
        order: cells.word("商户订单号")?,
        kind,
        created_at: time("创建时间")?,
        finished_at: time("完成时间")?,
        total,
        received: cells.yuan("商家实收（元）")?,
        merchant_discount: cells.yuan("商家优惠（元）")?,
        refund_number: cells.optional("退款批次号/请求号")?,
        fee: cells.yuan("服务费（元）")?,
        shared: cells.yuan("分润（元）")?,
        remark: cells.optional("备注")?,
    })
}

fn totals(rows: &[Row], kind: RowKind) -> Result<Totals, StatementError> {
    let of_kind = || rows.iter().filter(|row| row.kind == kind);
    let add = |column: fn(&Row) -> Money| {
        of_kind().try_fold(Money::zero(Currency::Cny), |sum, row| {
            sum.plus(column(row)).map_err(|fault| StatementError::money(row.line, "the sum so far", &fault))
        })
    };
    Ok(Totals {
        rows: of_kind().count(),
        received: add(|row| row.received)?,
        merchant_discount: add(|row| row.merchant_discount)?,
    })
}

/// `#交易合计：2笔，商家实收共34.50元，商家优惠共1.00元`.
fn check_footer(
    footer: &[Line<'_>],
    begins: &'static str,
    names: [&'static str; 2],
    found: &Totals,
) -> Result<(), StatementError> {
    let mut lines = footer.iter().filter_map(|(line, text)| text.trim().strip_prefix(begins).map(|rest| (*line, rest)));
    let (line, text) = lines.next().ok_or(StatementError::NoTable(begins))?;
    let wrong = || StatementError::line(line, "a total that cannot be read");
    let mut parts = text.split('，');
    let count = parts.next().and_then(|part| part.trim().strip_suffix('笔')).ok_or_else(wrong)?;
    check_count(begins, count.trim().parse().map_err(|_| wrong())?, found.rows)?;
    for (name, sum) in names.into_iter().zip([found.received, found.merchant_discount]) {
        let part =
            parts.next().and_then(|part| part.trim().strip_prefix(name)?.strip_suffix('元')).ok_or_else(wrong)?;
        let announced = yuan(line, name, part.trim())?;
        // Published footers write what went back with its sign, others without: the size is what counts.
        let same_size = Money::new(announced.minor().abs(), Currency::Cny);
        let both = if found.received.minor() < 0 || found.merchant_discount.minor() < 0 {
            (same_size, Money::new(sum.minor().abs(), Currency::Cny))
        } else {
            (announced, sum)
        };
        check_total(name, both.0, both.1)?;
    }
    Ok(())
}

//! The books as a workbook for an accountant: trial balance, journal and accounts, with real dates and numbers and with
//! headings in both languages. Rows go to disk as they come, so that its size does not matter.

use std::io::{Seek, Write};

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use chrono_tz::Tz;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use tollhouse_core::books::{Account, AccountDay, AccountKind};
use tollhouse_core::money::Money;

use super::PostedEntry;

/// A sheet holds no more rows.
const MOST_ROWS: u32 = 1_048_576;
/// The trial balance is the first sheet; the accounts are the second, the journal all that follow.
const TRIAL: usize = 0;
const ACCOUNTS: usize = 1;

const JOURNAL_HEAD: [&str; 11] = [
    "凭证号 Voucher",
    "记账日 Day",
    "时间 Time",
    "业务 Event",
    "科目 Account",
    "科目名称 Name",
    "借方 Debit",
    "贷方 Credit",
    "币种 Currency",
    "车道 Lane",
    "摘要 Cause",
];
const TRIAL_HEAD: [&str; 9] = [
    "科目 Account",
    "科目名称 Name",
    "类别 Kind",
    "币种 Currency",
    "期初 Opening",
    "本期借方 Debit",
    "本期贷方 Credit",
    "期末借方 Closing debit",
    "期末贷方 Closing credit",
];
const ACCOUNTS_HEAD: [&str; 4] = ["科目 Account", "中文名称 Chinese", "英文名称 English", "类别 Kind"];

/// A workbook in the making.
pub struct BooksWorkbook {
    book: Workbook,
    zone: Tz,
    formats: Formats,
    sheet: usize,
    row: u32,
}

struct Formats {
    head: Format,
    money: Format,
    day: Format,
    moment: Format,
}

fn kind_word(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Asset => "资产 asset",
        AccountKind::Liability => "负债 liability",
        AccountKind::Equity => "权益 equity",
        AccountKind::Income => "收入 income",
        AccountKind::Expense => "费用 expense",
    }
}

fn named(account: &Account) -> String {
    let words = account.words();
    format!("{} {}", words.zh, words.en)
}

/// A workbook's numbers are binary; up to 15 digits they show what we mean.
#[expect(clippy::cast_precision_loss, reason = "amounts beyond 2^53 smallest units are no amounts of a car park")]
fn number(money: Money) -> f64 {
    money.minor() as f64 / 10f64.powi(i32::try_from(money.currency().decimals()).unwrap_or(2))
}

fn day(day: NaiveDate) -> Result<ExcelDateTime, XlsxError> {
    let part = |number: u32| u8::try_from(number).unwrap_or_default();
    ExcelDateTime::from_ymd(u16::try_from(day.year()).unwrap_or(1900), part(day.month()), part(day.day()))
}

fn moment(at: NaiveDateTime) -> Result<ExcelDateTime, XlsxError> {
    let part = |number: u32| u8::try_from(number).unwrap_or_default();
    day(at.date())?.and_hms(u16::try_from(at.hour()).unwrap_or_default(), part(at.minute()), f64::from(at.second()))
}

impl BooksWorkbook {
    /// Begins a workbook; times are told by this zone.
    pub fn begin(zone: Tz) -> Result<Self, XlsxError> {
        let formats = Formats {
            head: Format::new().set_bold(),
            money: Format::new().set_num_format("#,##0.00"),
            day: Format::new().set_num_format("yyyy-mm-dd"),
            moment: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        };
        let mut begun = Self { book: Workbook::new(), zone, formats, sheet: ACCOUNTS, row: MOST_ROWS };
        begun.begin_sheet("试算平衡 Trial balance", &TRIAL_HEAD)?;
        begun.begin_sheet("科目 Accounts", &ACCOUNTS_HEAD)?;
        Ok(begun)
    }

    fn begin_sheet(&mut self, name: &str, head: &[&str]) -> Result<&mut Worksheet, XlsxError> {
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        sheet.set_freeze_panes(1, 0)?;
        for (column, title) in (0u16..).zip(head) {
            sheet.set_column_width(column, 18)?;
            sheet.write_string_with_format(0, column, *title, &self.formats.head)?;
        }
        Ok(sheet)
    }

    /// One more entry: a row for each of its postings.
    pub fn entry(&mut self, entry: &PostedEntry) -> Result<(), XlsxError> {
        let at: DateTime<Utc> = entry.at;
        let local = at.with_timezone(&self.zone).naive_local();
        let (kind, cause) = (entry.kind_word(), entry.cause_line());
        for posting in &entry.postings {
            if self.row >= MOST_ROWS {
                self.sheet += 1;
                self.row = 1;
                let number = self.sheet - ACCOUNTS;
                let name = if number == 1 { "凭证 Journal".to_owned() } else { format!("凭证 Journal {number}") };
                self.begin_sheet(&name, &JOURNAL_HEAD)?;
            }
            let (row, formats) = (self.row, &self.formats);
            let sheet = self.book.worksheet_from_index(self.sheet)?;
            #[expect(clippy::cast_precision_loss, reason = "a journal has fewer than 2^53 entries")]
            sheet.write_number(row, 0, entry.position as f64)?;
            sheet.write_datetime_with_format(row, 1, &day(entry.day)?, &formats.day)?;
            sheet.write_datetime_with_format(row, 2, &moment(local)?, &formats.moment)?;
            sheet.write_string(row, 3, &kind)?;
            sheet.write_string(row, 4, posting.account.to_string())?;
            sheet.write_string(row, 5, named(&posting.account))?;
            let column = if posting.amount.minor() >= 0 { 6 } else { 7 };
            let absolute = Money::new(posting.amount.minor().saturating_abs(), posting.amount.currency());
            sheet.write_number_with_format(row, column, number(absolute), &formats.money)?;
            sheet.write_string(row, 8, posting.amount.currency().code())?;
            if let Some(lane) = &entry.lane {
                sheet.write_string(row, 9, lane.as_str())?;
            }
            sheet.write_string(row, 10, &cause)?;
            self.row += 1;
        }
        Ok(())
    }

    /// Ends it with the balances, and writes it.
    pub fn end<W: Write + Seek + Send>(mut self, accounts: &[AccountDay], to: W) -> Result<(), XlsxError> {
        self.trial_balance(accounts)?;
        let sheet = self.book.worksheet_from_index(ACCOUNTS)?;
        let details = [Account::Clearing, Account::Cash, Account::Merchant].map(|of| of("…".to_owned()));
        let all = Account::PLAIN.into_iter().map(|(account, _)| account).chain(details);
        for (row, account) in (1u32..).zip(all) {
            let words = account.words();
            sheet.write_string(row, 0, account.to_string())?;
            sheet.write_string(row, 1, words.zh)?;
            sheet.write_string(row, 2, words.en)?;
            sheet.write_string(row, 3, kind_word(account.kind()))?;
        }
        self.book.save_to_writer(to)
    }

    fn trial_balance(&mut self, accounts: &[AccountDay]) -> Result<(), XlsxError> {
        let format = &self.formats.money;
        let sheet = self.book.worksheet_from_index(TRIAL)?;
        for (row, one) in (1u32..).zip(accounts) {
            sheet.write_string(row, 0, one.account.to_string())?;
            sheet.write_string(row, 1, named(&one.account))?;
            sheet.write_string(row, 2, kind_word(one.account.kind()))?;
            sheet.write_string(row, 3, one.closing.currency().code())?;
            sheet.write_number_with_format(row, 4, number(one.opening), format)?;
            sheet.write_number_with_format(row, 5, number(one.debit), format)?;
            sheet.write_number_with_format(row, 6, number(one.credit), format)?;
            let closing = one.closing;
            let column = if closing.minor() >= 0 { 7 } else { 8 };
            let absolute = Money::new(closing.minor().saturating_abs(), closing.currency());
            sheet.write_number_with_format(row, column, number(absolute), format)?;
        }
        Ok(())
    }
}

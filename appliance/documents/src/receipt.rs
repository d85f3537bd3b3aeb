//! The receipt (收据) of an invoice record, on A5 across: who received, who paid, line by line with the tax in it, the sum
//! in figures and in capital numerals. It says on its face that it is no tax invoice (非发票).

mod draw;
mod frame;

use chrono_tz::Tz;
use pdf_writer::{Filter, Finish, Pdf, Rect, Ref, TextStr};
use tollhouse_core::invoice::Invoice;
use tollhouse_core::words::Language;

use crate::canvas::FONT;
use crate::embed::{Pen, deflated};
use crate::font::{Font, FontError};

/// A5 across, in points.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 419.53;
/// Lines of an invoice that one page has room for.
const LINES_PER_PAGE: usize = 6;
/// The first number of what belongs to the font.
const FONT_ID: i32 = 4;
const FIRST_PAGE_ID: i32 = 16;

/// Who received the money.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// The firm's title.
    pub title: String,
    /// Its unified social credit code.
    pub tax_number: String,
    /// Address and telephone number.
    pub address: String,
    /// Bank and account.
    pub bank: String,
}

/// What a receipt is made of.
#[derive(Debug, Clone)]
pub struct Receipt<'r> {
    /// The record; it has a number.
    pub invoice: &'r Invoice,
    /// Who received the money.
    pub seller: &'r Party,
    /// The lot's name.
    pub lot: &'r str,
    /// The lot's zone.
    pub zone: Tz,
    /// Where the receipt can be looked at again: stands in its QR code. Without it the code holds number and sum.
    pub address: Option<&'r str>,
    /// The number of the invoice that a red-letter one takes back.
    pub reverses: Option<&'r str>,
    /// In which language it is written. Names and titles stand as they are on record.
    pub language: Language,
}

impl<'r> Receipt<'r> {
    /// Words in the receipt's language.
    fn say(&self, zh: &'r str, en: &'r str) -> &'r str {
        match self.language {
            Language::Zh => zh,
            Language::En => en,
        }
    }
}

/// The receipt as a PDF.
pub fn receipt(receipt: &Receipt<'_>, font: &Font) -> Result<Vec<u8>, FontError> {
    let mut pen = Pen::new(font);
    let chunks: Vec<_> = receipt.invoice.lines.chunks(LINES_PER_PAGE).collect();
    let mut pages = vec![];
    for (place, lines) in chunks.iter().enumerate() {
        pages.push(draw::page(receipt, lines, (place + 1, chunks.len()), &mut pen));
    }
    let mut pdf = Pdf::new();
    let (catalog, tree, info, font_id) = (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(FONT_ID));
    let page_ids: Vec<(Ref, Ref)> =
        (FIRST_PAGE_ID..).step_by(2).take(pages.len()).map(|id| (Ref::new(id), Ref::new(id + 1))).collect();
    let mut root = pdf.catalog(catalog);
    root.pages(tree).lang(TextStr(receipt.say("zh-CN", "en")));
    root.viewer_preferences().display_doc_title(true);
    root.finish();
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(page_ids.iter().map(|(page, _)| *page)).count(count);
    for ((id, content), drawn) in page_ids.iter().zip(&pages) {
        let mut page = pdf.page(*id);
        page.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).parent(tree).contents(*content);
        page.resources().fonts().pair(FONT, font_id);
        page.finish();
        pdf.stream(*content, &deflated(drawn)).filter(Filter::FlateDecode);
    }
    let number = receipt.invoice.number.as_deref().unwrap_or_default();
    let title = format!("{} {number}", receipt.say("收据", "Receipt"));
    pdf.document_info(info).title(TextStr(&title)).author(TextStr(&receipt.seller.title)).creator(TextStr("Tollhouse"));
    pen.write(&mut pdf, font_id)?;
    Ok(pdf.finish())
}

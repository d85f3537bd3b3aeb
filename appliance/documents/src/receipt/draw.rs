//! One page of a receipt, from top to bottom.

use qrcode::{Color, EcLevel, QrCode};
use rust_decimal::Decimal;
use tollhouse_core::invoice::{InvoiceKind, InvoiceLine, in_capitals};
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::words::Language;

use super::frame::{ACCENT, COLUMNS, HAIR, INK, LEFT, PALE, RED, RIGHT, ROW, SOFT, heavy, plain};
use super::{HEIGHT, LINES_PER_PAGE, Receipt, WIDTH};
use crate::canvas::{Align, Canvas};
use crate::embed::Pen;

/// The upper edges of the parts.
const PARTIES: f32 = 84.0;
const PARTIES_HEIGHT: f32 = 74.0;
const TABLE: f32 = 168.0;
const QR_SIDE: f32 = 62.0;

/// The content of one page; `place` is its number and how many there are.
pub(super) fn page(receipt: &Receipt<'_>, lines: &[InvoiceLine], place: (usize, usize), pen: &mut Pen<'_>) -> Vec<u8> {
    let mut canvas = Canvas::new(pen, HEIGHT);
    head(&mut canvas, receipt);
    parties(&mut canvas, receipt);
    let below = table(&mut canvas, lines, receipt.language);
    if place.0 == place.1 {
        sums(&mut canvas, receipt, below);
    }
    foot(&mut canvas, receipt, place);
    canvas.finish()
}

fn head(canvas: &mut Canvas<'_, '_>, receipt: &Receipt<'_>) {
    let invoice = receipt.invoice;
    let centre = WIDTH / 2.0;
    canvas.filled((0.0, 0.0), (WIDTH, 5.0), ACCENT);
    canvas.text((LEFT, 34.0), receipt.lot, heavy(11.0, INK), Align::Left);
    let red = invoice.kind != InvoiceKind::Blue;
    let (title, colour) = if red {
        (receipt.say("停车费收据（红字）", "Receipt (reversal)"), RED)
    } else {
        (receipt.say("停车费收据", "Parking receipt"), ACCENT)
    };
    canvas.text((centre, 40.0), title, heavy(20.0, colour), Align::Centre);
    canvas.line((centre - 78.0, 48.0), (centre + 78.0, 48.0), 1.1, colour);
    canvas.line((centre - 78.0, 50.4), (centre + 78.0, 50.4), 0.5, colour);
    // The other language stands small below.
    canvas.text((centre, 63.0), receipt.say("RECEIPT FOR PARKING", "停车费收据"), plain(7.0, SOFT), Align::Centre);
    canvas.frame((LEFT, 44.0), (84.0, 20.0), 1.2, RED);
    canvas.text((LEFT + 42.0, 58.4), "非发票", heavy(12.5, RED), Align::Centre);
    canvas.text((LEFT, 75.0), "Not a tax invoice", plain(6.2, RED), Align::Left);
    let issued = invoice.issued_at.unwrap_or(invoice.requested_at).with_timezone(&receipt.zone);
    let number = invoice.number.as_deref().unwrap_or("—");
    let facts = [
        (receipt.say("编号 No.", "No."), number.to_owned()),
        (receipt.say("日期 Date", "Date"), issued.format(receipt.say("%Y年%m月%d日", "%-d %B %Y")).to_string()),
    ];
    for ((name, value), y) in facts.iter().zip([34.0, 49.0]) {
        canvas.text((RIGHT, y), value, heavy(9.0, INK), Align::Right);
        canvas.text((RIGHT - 104.0, y), name, plain(7.5, SOFT), Align::Right);
    }
    if let Some(reverses) = receipt.reverses {
        canvas.text((RIGHT, 64.0), reverses, plain(9.0, RED), Align::Right);
        canvas.text((RIGHT - 104.0, 64.0), receipt.say("红冲对应", "reverses"), plain(7.5, RED), Align::Right);
    }
}

fn parties(canvas: &mut Canvas<'_, '_>, receipt: &Receipt<'_>) {
    let (invoice, seller) = (receipt.invoice, receipt.seller);
    let qr_left = RIGHT - QR_SIDE - 6.0;
    let half = (qr_left - LEFT) / 2.0;
    canvas.filled((LEFT, PARTIES), (18.0, PARTIES_HEIGHT), PALE);
    canvas.filled((LEFT + half, PARTIES), (18.0, PARTIES_HEIGHT), PALE);
    canvas.frame((LEFT, PARTIES), (RIGHT - LEFT, PARTIES_HEIGHT), 0.8, ACCENT);
    let buyer = &invoice.buyer;
    let number = buyer.uscc.as_ref().map(ToString::to_string).unwrap_or_default();
    let address = [buyer.address.as_str(), buyer.phone.as_str()].join(" ");
    let sides = [
        (LEFT, receipt.say("付款方", "PAYER"), [buyer.title.as_str(), &number, address.trim(), &buyer.bank]),
        (
            LEFT + half,
            receipt.say("收款方", "PAYEE"),
            [&seller.title, &seller.tax_number, &seller.address, &seller.bank],
        ),
    ];
    let names = match receipt.language {
        Language::Zh => ["名称", "税号", "地址电话", "开户行"],
        Language::En => ["Name", "Tax No.", "Address", "Bank"],
    };
    for (x, who, values) in sides {
        canvas.line((x + 18.0, PARTIES), (x + 18.0, PARTIES + PARTIES_HEIGHT), 0.5, HAIR);
        upright(canvas, (x + 9.0, PARTIES), who);
        for ((name, value), y) in names.iter().zip(values).zip([16.0, 32.0, 48.0, 64.0]) {
            canvas.text((x + 23.0, PARTIES + y), name, plain(7.0, SOFT), Align::Left);
            let left = x + 55.0;
            let lines = canvas.wrapped(value, 8.2, half - 58.0, 2);
            let size = if lines.len() > 1 { 6.4 } else { 8.2 };
            let lines = if lines.len() > 1 { canvas.wrapped(value, size, half - 58.0, 2) } else { lines };
            // Two small lines stand where one large one would.
            let first = if lines.len() > 1 { PARTIES + y - 4.0 } else { PARTIES + y };
            for (line, more) in lines.iter().zip([0.0, 7.2]) {
                canvas.text((left, first + more), line, plain(size, INK), Align::Left);
            }
        }
    }
    canvas.line((LEFT + half, PARTIES), (LEFT + half, PARTIES + PARTIES_HEIGHT), 0.5, HAIR);
    canvas.line((qr_left, PARTIES), (qr_left, PARTIES + PARTIES_HEIGHT), 0.5, HAIR);
    let sum = format!("{} {}", invoice.number.as_deref().unwrap_or_default(), invoice.total);
    qr(canvas, (qr_left + 3.0, PARTIES + 6.0), receipt.address.unwrap_or(&sum));
}

/// A word from top to bottom, in the middle of the parties' box.
fn upright(canvas: &mut Canvas<'_, '_>, (x, top): (f32, f32), word: &str) {
    let step = if word.is_ascii() { 12.0 } else { 19.0 };
    let rows = u8::try_from(word.chars().count()).unwrap_or(u8::MAX);
    let first = top + PARTIES_HEIGHT / 2.0 + 4.0 - step * f32::from(rows.saturating_sub(1)) / 2.0;
    for (c, row) in word.chars().zip(0u8..) {
        canvas.text((x, first + step * f32::from(row)), &c.to_string(), plain(9.0, ACCENT), Align::Centre);
    }
}

fn qr(canvas: &mut Canvas<'_, '_>, (left, top): (f32, f32), text: &str) {
    // Longer than any code holds: then there is none, and the number stands in print.
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else { return };
    let (modules, side) = (code.to_colors(), code.width());
    let Ok(count) = u16::try_from(side) else { return };
    let module = QR_SIDE / f32::from(count);
    for (row, y) in modules.chunks(side).zip(0u16..) {
        for (colour, x) in row.iter().zip(0u16..) {
            if *colour == Color::Dark {
                // A hair wider, so that no light shows between two.
                let at = (left + f32::from(x) * module, top + f32::from(y) * module);
                canvas.filled(at, (module + 0.02, module + 0.02), INK);
            }
        }
    }
}

/// Gives where it ends.
fn table(canvas: &mut Canvas<'_, '_>, lines: &[InvoiceLine], language: Language) -> f32 {
    canvas.filled((LEFT, TABLE), (RIGHT - LEFT, ROW), PALE);
    let heads = match language {
        Language::Zh => ["项目 Item", "分类编码 Category", "税率 Rate", "不含税 Net", "税额 Tax", "金额 Amount"],
        Language::En => ["Item", "Category", "Rate", "Net", "Tax", "Amount"],
    };
    let base = TABLE + 12.4;
    canvas.text((LEFT + 6.0, base), heads[0], plain(7.5, ACCENT), Align::Left);
    canvas.text((COLUMNS[0] + 6.0, base), heads[1], plain(7.5, ACCENT), Align::Left);
    let rights = [COLUMNS[2], COLUMNS[3], COLUMNS[4], RIGHT];
    for (head, right) in heads[2..].iter().zip(rights) {
        canvas.text((right - 5.0, base), head, plain(7.5, ACCENT), Align::Right);
    }
    for (line, row) in lines.iter().zip(1u8..) {
        let top = TABLE + ROW * f32::from(row);
        let base = top + 12.4;
        let name = canvas.wrapped(line.name.in_language(language), 8.8, COLUMNS[0] - LEFT - 10.0, 1).remove(0);
        canvas.text((LEFT + 6.0, base), &name, plain(8.8, INK), Align::Left);
        canvas.text((COLUMNS[0] + 6.0, base), &line.category, plain(7.4, SOFT), Align::Left);
        let net = Money::new(line.gross.minor() - line.tax.minor(), line.gross.currency());
        let values = [percent(line.rate), net.amount(), line.tax.amount(), line.gross.amount()];
        for (value, right) in values.iter().zip(rights) {
            canvas.text((right - 5.0, base), value, plain(8.8, INK), Align::Right);
        }
        canvas.line((LEFT, top), (RIGHT, top), 0.4, HAIR);
    }
    let rows = u8::try_from(lines.len().clamp(3, LINES_PER_PAGE)).unwrap_or(u8::MAX);
    let end = TABLE + ROW * f32::from(rows + 1);
    for column in COLUMNS {
        canvas.line((column, TABLE), (column, end), 0.4, HAIR);
    }
    canvas.frame((LEFT, TABLE), (RIGHT - LEFT, end - TABLE), 0.8, ACCENT);
    end
}

fn percent(rate: Decimal) -> String {
    format!("{}%", (rate * Decimal::ONE_HUNDRED).normalize())
}

fn symbol(currency: Currency) -> &'static str {
    if matches!(currency, Currency::Cny | Currency::Jpy) { "¥" } else { currency.code() }
}

fn sums(canvas: &mut Canvas<'_, '_>, receipt: &Receipt<'_>, top: f32) {
    let invoice = receipt.invoice;
    let base = top + 12.4;
    canvas.text((LEFT + 6.0, base), receipt.say("合计 Total", "Total"), plain(8.0, SOFT), Align::Left);
    let values = [invoice.net().amount(), invoice.tax.amount(), invoice.total.amount()];
    for (value, right) in values.iter().zip([COLUMNS[3], COLUMNS[4], RIGHT]) {
        canvas.text((right - 5.0, base), value, plain(8.8, INK), Align::Right);
    }
    let (box_top, box_height) = (top + ROW, 26.0);
    canvas.filled((LEFT, box_top), (RIGHT - LEFT, box_height), PALE);
    canvas.frame((LEFT, top), (RIGHT - LEFT, ROW + box_height), 0.8, ACCENT);
    let base = box_top + 17.0;
    canvas.text((LEFT + 6.0, base), receipt.say("价税合计（大写）", "Total with tax"), plain(8.0, SOFT), Align::Left);
    let capitals = in_capitals(invoice.total).unwrap_or_else(|_| invoice.total.to_string());
    canvas.text((LEFT + 78.0, base), &capitals, heavy(11.5, INK), Align::Left);
    let figures = format!("{}{}", symbol(invoice.total.currency()), invoice.total.amount());
    canvas.text((RIGHT - 6.0, base + 0.6), &figures, heavy(14.0, ACCENT), Align::Right);
    canvas.text((RIGHT - 96.0, base), receipt.say("（小写）", ""), plain(8.0, SOFT), Align::Right);
    let mut y = box_top + box_height + 13.0;
    canvas.text((LEFT, y), receipt.say("备注 Remark", "Remark"), plain(7.0, SOFT), Align::Left);
    for line in canvas.wrapped(&invoice.remark, 8.0, RIGHT - LEFT - 56.0, 2) {
        canvas.text((LEFT + 52.0, y), &line, plain(8.0, INK), Align::Left);
        y += 10.5;
    }
}

fn foot(canvas: &mut Canvas<'_, '_>, receipt: &Receipt<'_>, (page, pages): (usize, usize)) {
    let y = HEIGHT - 16.0;
    canvas.line((LEFT, y - 11.0), (RIGHT, y - 11.0), 0.5, HAIR);
    let says = receipt.say(
        "本收据仅证明已收到上列款项，不是发票，不能作为税前扣除凭证；如需发票，请凭编号向收款方索取。",
        "This receipt proves that the above was received. It is no tax invoice; ask the payee for one by its number.",
    );
    canvas.text((LEFT, y), says, plain(6.6, SOFT), Align::Left);
    let id = receipt.invoice.id.to_string();
    let end = if pages > 1 { format!("{id} · {page}/{pages}") } else { id };
    canvas.text((RIGHT, y), &end, plain(5.6, SOFT), Align::Right);
}

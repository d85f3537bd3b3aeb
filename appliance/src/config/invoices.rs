//! `[invoices]`: who receives money, as invoices and receipts name them, and the font that they are written with.

use tollhouse_core::invoice::{Documents, SellerTitle, Uscc};

use super::reader::Document;
use super::sections::{absolute_path, short_text};

const KEYS: [&str; 9] = [
    "title",
    "tax_number",
    "address",
    "bank",
    "owners_title",
    "owners_tax_number",
    "owners_address",
    "owners_bank",
    "font",
];

/// Reads the section; it may be left out.
pub(super) fn documents(document: &mut Document<'_>, public_url: Option<String>) -> Documents {
    let mut section = document.section("invoices");
    let number = |text: &str| text.parse::<Uscc>().map(|code| code.to_string());
    let mut title = |prefix: &str| {
        let [title, tax_number, address, bank] =
            ["title", "tax_number", "address", "bank"].map(|name| format!("{prefix}{name}"));
        SellerTitle {
            title: section.optional(document, &title, short_text).map(|at| at.value).unwrap_or_default(),
            tax_number: section.optional(document, &tax_number, number).map(|at| at.value).unwrap_or_default(),
            address: section.optional(document, &address, short_text).map(|at| at.value).unwrap_or_default(),
            bank: section.optional(document, &bank, short_text).map(|at| at.value).unwrap_or_default(),
        }
    };
    let (firm, owners) = (title(""), title("owners_"));
    let font = section.optional(document, "font", absolute_path);
    document.close(section, &KEYS);
    let font = font.map(|at| at.value.to_string_lossy().into_owned());
    Documents { firm, owners, font, public_url }
}

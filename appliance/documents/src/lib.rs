//! Documents for people, as PDF: the receipt of an invoice record. Chinese text is real text, which can be searched for,
//! copied and read aloud; the font's glyphs that are used are embedded, so that every reader shows the same.
//!
//! Pure: bytes of a font in, bytes of a document out. The same record and font give the same bytes. Which font file there
//! is on a box is looked for in [`font::Font::find`], the one place that reads files.

pub mod font;
pub mod receipt;

mod canvas;
mod embed;

pub use font::{Font, FontError};
pub use receipt::{Party, Receipt, receipt};

//! A font in a PDF: the glyphs that were used, as a composite font with identity encoding, and the table that says which
//! characters they are, so that text stays text (ISO 32000-1, 9.7 and 9.10.3).

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish, Name, Pdf, Rect, Ref, Str};
use subsetter::GlyphRemapper;
use ttf_parser::{Face, GlyphId, RawFace, Tag};

use crate::font::{Font, FontError};

const IDENTITY: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
/// The name under which the subset stands; the tag in front says that it is one.
const NAME: &[u8] = b"TOLLHS+Document";
/// A PDF's unit of a font: a thousandth of its size.
const UNIT: f32 = 1_000.0;

/// A font while a document is written: gathers which glyphs are used, and for which characters.
pub(crate) struct Pen<'f> {
    font: &'f Font,
    face: Face<'f>,
    glyphs: GlyphRemapper,
    characters: BTreeMap<u16, char>,
}

impl<'f> Pen<'f> {
    pub(crate) fn new(font: &'f Font) -> Self {
        Self { font, face: font.face(), glyphs: GlyphRemapper::new(), characters: BTreeMap::new() }
    }

    /// A character that the font lacks is shown as a question mark: a title may hold anything.
    fn glyph(&self, c: char) -> (char, GlyphId) {
        match self.face.glyph_index(c) {
            Some(glyph) => (c, glyph),
            None => ('?', self.face.glyph_index('?').unwrap_or(GlyphId(0))),
        }
    }

    fn scale(&self) -> f32 {
        UNIT / f32::from(self.face.units_per_em())
    }

    fn advance(&self, glyph: GlyphId) -> f32 {
        f32::from(self.face.glyph_hor_advance(glyph).unwrap_or_default()) * self.scale()
    }

    /// How wide a text is at a size.
    pub(crate) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.advance(self.glyph(c).1)).sum::<f32>() * size / UNIT
    }

    /// The text as it is shown: two bytes for each glyph of the subset.
    pub(crate) fn encode(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(text.len());
        for c in text.chars() {
            let (c, glyph) = self.glyph(c);
            let cid = self.glyphs.remap(glyph.0);
            self.characters.entry(cid).or_insert(c);
            bytes.extend(cid.to_be_bytes());
        }
        bytes
    }

    /// Writes the font under `id`, with what belongs to it under the numbers after it; 5 in all.
    pub(crate) fn write(&self, pdf: &mut Pdf, id: Ref) -> Result<(), FontError> {
        let form = |fault: String| FontError::Form(self.font.path().to_owned(), fault);
        let subset = subsetter::subset(self.font.bytes(), 0, &self.glyphs).map_err(|fault| form(fault.to_string()))?;
        let raw = RawFace::parse(&subset, 0).map_err(|fault| form(fault.to_string()))?;
        let cff = raw.table(Tag::from_bytes(b"CFF "));
        let [cid_font, descriptor, characters, file] = [1, 2, 3, 4].map(|more| Ref::new(id.get() + more));
        pdf.type0_font(id)
            .base_font(Name(NAME))
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid_font)
            .to_unicode(characters);
        let mut written = pdf.cid_font(cid_font);
        let kind = if cff.is_some() { CidFontType::Type0 } else { CidFontType::Type2 };
        written
            .subtype(kind)
            .base_font(Name(NAME))
            .system_info(IDENTITY)
            .font_descriptor(descriptor)
            .default_width(0.0);
        if cff.is_none() {
            written.cid_to_gid_map_predefined(Name(b"Identity"));
        }
        let widths: Vec<f32> = self.glyphs.remapped_gids().map(|glyph| self.advance(GlyphId(glyph))).collect();
        written.widths().consecutive(0, widths);
        written.finish();
        self.write_descriptor(pdf, descriptor, file, kind);
        let mut map = UnicodeCmap::new(Name(b"Characters"), IDENTITY);
        for (cid, c) in &self.characters {
            map.pair(*cid, *c);
        }
        let map = deflated(&map.finish());
        pdf.cmap(characters, &map).filter(Filter::FlateDecode);
        let bytes = deflated(cff.unwrap_or(&subset));
        let mut stream = pdf.stream(file, &bytes);
        stream.filter(Filter::FlateDecode);
        if cff.is_some() {
            stream.pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
        } else {
            stream.pair(Name(b"Length1"), i32::try_from(subset.len()).unwrap_or(i32::MAX));
        }
        Ok(())
    }

    fn write_descriptor(&self, pdf: &mut Pdf, id: Ref, file: Ref, kind: CidFontType) {
        let scale = self.scale();
        let bounds = self.face.global_bounding_box();
        let at = |units: i16| f32::from(units) * scale;
        let mut descriptor = pdf.font_descriptor(id);
        descriptor
            .name(Name(NAME))
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(at(bounds.x_min), at(bounds.y_min), at(bounds.x_max), at(bounds.y_max)))
            .italic_angle(0.0)
            .ascent(at(self.face.ascender()))
            .descent(at(self.face.descender()))
            .cap_height(at(self.face.capital_height().unwrap_or_else(|| self.face.ascender())))
            .stem_v(80.0);
        if matches!(kind, CidFontType::Type0) {
            descriptor.font_file3(file);
        } else {
            descriptor.font_file2(file);
        }
    }
}

/// As a stream of a PDF is packed.
pub(crate) fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).expect("memory takes what is written");
    packer.finish().expect("memory takes what is written")
}

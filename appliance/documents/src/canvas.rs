//! A page to draw on: texts, lines and boxes, measured in points from the upper left corner. It knows no receipt.

use pdf_writer::types::TextRenderingMode;
use pdf_writer::{Content, Name, Str};

use crate::embed::Pen;

/// The font's name on every page.
pub(crate) const FONT: Name<'static> = Name(b"F");

/// A colour: red, green, blue, each up to 1.
#[derive(Clone, Copy)]
pub(crate) struct Colour(pub(crate) f32, pub(crate) f32, pub(crate) f32);

/// Where a text stands against its point.
#[derive(Clone, Copy)]
pub(crate) enum Align {
    Left,
    Centre,
    Right,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) size: f32,
    pub(crate) colour: Colour,
    pub(crate) weight: Weight,
}

/// The font has one weight; heavy glyphs are drawn with a line around them.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Weight {
    Plain,
    Heavy,
}

/// One page.
pub(crate) struct Canvas<'p, 'f> {
    pub(crate) pen: &'p mut Pen<'f>,
    content: Content,
    height: f32,
}

impl<'p, 'f> Canvas<'p, 'f> {
    pub(crate) fn new(pen: &'p mut Pen<'f>, height: f32) -> Self {
        Self { pen, content: Content::new(), height }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.content.finish().to_vec()
    }

    /// A text with its base line at `y`.
    pub(crate) fn text(&mut self, (x, y): (f32, f32), text: &str, look: Look, align: Align) {
        if text.is_empty() {
            return;
        }
        let width = self.pen.width(text, look.size);
        let x = match align {
            Align::Left => x,
            Align::Centre => x - width / 2.0,
            Align::Right => x - width,
        };
        let bytes = self.pen.encode(text);
        let Colour(red, green, blue) = look.colour;
        let content = &mut self.content;
        content.save_state().begin_text().set_font(FONT, look.size).set_fill_rgb(red, green, blue);
        if look.weight == Weight::Heavy {
            content.set_text_rendering_mode(TextRenderingMode::FillStroke);
            content.set_stroke_rgb(red, green, blue).set_line_width(look.size * 0.028);
        }
        content.next_line(x, self.height - y).show(Str(&bytes)).end_text().restore_state();
    }

    /// The lines of a text that is no wider than `width`; what is beyond `most` lines is cut with an ellipsis.
    pub(crate) fn wrapped(&self, text: &str, size: f32, width: f32, most: usize) -> Vec<String> {
        let mut lines = vec![];
        let mut line = String::new();
        for c in text.chars() {
            line.push(c);
            if line.chars().count() == 1 || self.pen.width(&line, size) <= width {
                continue;
            }
            line.pop();
            if lines.len() + 1 == most {
                line.pop();
                line.push('…');
                break;
            }
            lines.push(std::mem::replace(&mut line, c.to_string()));
        }
        lines.push(line);
        lines
    }

    pub(crate) fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32, colour: Colour) {
        let Colour(red, green, blue) = colour;
        self.content.save_state().set_line_width(width).set_stroke_rgb(red, green, blue);
        self.content.move_to(from.0, self.height - from.1).line_to(to.0, self.height - to.1).stroke().restore_state();
    }

    pub(crate) fn frame(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), line: f32, colour: Colour) {
        let Colour(red, green, blue) = colour;
        self.content.save_state().set_line_width(line).set_stroke_rgb(red, green, blue);
        self.content.rect(x, self.height - y - height, width, height).stroke().restore_state();
    }

    pub(crate) fn filled(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), colour: Colour) {
        let Colour(red, green, blue) = colour;
        self.content.save_state().set_fill_rgb(red, green, blue);
        self.content.rect(x, self.height - y - height, width, height).fill_nonzero().restore_state();
    }
}

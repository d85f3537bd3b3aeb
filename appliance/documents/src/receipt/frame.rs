//! Measures, colours and looks of a receipt.

use crate::canvas::{Colour, Look, Weight};

pub(super) const LEFT: f32 = 34.0;
pub(super) const RIGHT: f32 = super::WIDTH - 34.0;
/// Where each column of the table ends; the last one at the right edge.
pub(super) const COLUMNS: [f32; 5] = [250.0, 352.0, 396.0, 462.0, 508.0];
pub(super) const ROW: f32 = 18.0;

pub(super) const INK: Colour = Colour(0.09, 0.13, 0.16);
pub(super) const SOFT: Colour = Colour(0.40, 0.46, 0.50);
pub(super) const ACCENT: Colour = Colour(0.043, 0.431, 0.459);
pub(super) const PALE: Colour = Colour(0.925, 0.961, 0.965);
pub(super) const HAIR: Colour = Colour(0.72, 0.80, 0.82);
pub(super) const RED: Colour = Colour(0.75, 0.16, 0.14);

pub(super) const fn plain(size: f32, colour: Colour) -> Look {
    Look { size, colour, weight: Weight::Plain }
}

pub(super) const fn heavy(size: f32, colour: Colour) -> Look {
    Look { size, colour, weight: Weight::Heavy }
}

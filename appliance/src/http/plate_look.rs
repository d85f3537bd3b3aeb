//! How a plate is shown: like the plate on the car.
//!
//! The colour is guessed from the text (GA 36-2018): for the eye only, no price follows from it.

use tollhouse_core::plate::{Form, Plate};

/// `粤C·12345`
pub(super) fn shown(plate: &str) -> String {
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let mut letters = plate.chars();
    match (letters.next(), letters.next()) {
        (Some(province), Some(city)) if is_chinese(province) && city.is_ascii_alphabetic() => {
            format!("{province}{city}·{}", letters.as_str())
        }
        _ => plate.to_owned(),
    }
}

/// The name of its style: `blue`, `green`, `yellow`, `white`, `black`.
pub(super) fn style(plate: &str) -> &'static str {
    let Ok(plate) = Plate::new(plate) else { return "blue" };
    match (plate.form(), plate.as_str().chars().last()) {
        (Form::NewEnergy, _) => "green",
        (Form::ArmedPolice, _) | (_, Some('警')) => "white",
        (_, Some('港' | '澳')) => "black",
        (_, Some('学' | '挂')) => "yellow",
        _ => "blue",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plate_looks_like_the_one_on_the_car() {
        for (plate, text, colour) in [
            ("粤C12345", "粤C·12345", "blue"),
            ("粤CD12345", "粤C·D12345", "green"),
            ("粤C1234学", "粤C·1234学", "yellow"),
            ("粤Z1234港", "粤Z·1234港", "black"),
            ("粤C1234警", "粤C·1234警", "white"),
            ("AB12XYZ", "AB12XYZ", "blue"),
        ] {
            assert_eq!((shown(plate).as_str(), style(plate)), (text, colour), "{plate}");
        }
    }
}

//! What a request says, read at the edge: money, dates, times, plates. Every fault is told, each with the field that it
//! concerns.

use std::fmt::Display;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::{Ready, ready};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tollhouse_core::money::{Currency, Money};
use tollhouse_core::plate::Plate;

use crate::http::problem::{FieldFault, Problem};

/// Gathers faults over all fields of a body.
#[derive(Debug, Default)]
pub(in crate::http) struct Fields(Vec<FieldFault>);

impl Fields {
    /// What was read of a field, or its fault. `pointer` is a JSON pointer, as `/lines/0/amount`.
    pub(in crate::http) fn read<T, E: Display>(&mut self, pointer: &str, read: Result<T, E>) -> Option<T> {
        read.map_err(|fault| self.fault(pointer, fault)).ok()
    }

    /// A fault of a field.
    pub(in crate::http) fn fault(&mut self, pointer: &str, detail: impl Display) {
        self.0.push(FieldFault { pointer: pointer.to_owned(), detail: detail.to_string() });
    }

    /// An amount of the lot's currency, as `"12.50"`.
    pub(in crate::http) fn money(&mut self, pointer: &str, text: &str, currency: Currency) -> Option<Money> {
        self.read(pointer, Money::parse(text, currency))
    }

    /// A day, as `2026-03-01`.
    pub(in crate::http) fn date(&mut self, pointer: &str, text: &str) -> Option<NaiveDate> {
        self.read(pointer, text.parse::<NaiveDate>().map_err(|_| "a day is written like \"2026-03-01\""))
    }

    /// A moment, RFC 3339.
    pub(in crate::http) fn time(&mut self, pointer: &str, text: &str) -> Option<DateTime<Utc>> {
        let read = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
        self.read(pointer, read.map_err(|_| "a moment is written like \"2026-03-01T08:00:00+08:00\""))
    }

    /// A plate, as `粤C12345`.
    pub(in crate::http) fn plate(&mut self, pointer: &str, text: &str) -> Option<Plate> {
        self.read(pointer, Plate::new(text))
    }

    /// A text for people: so many characters at most, not empty, nothing that a screen would act upon.
    pub(in crate::http) fn text(&mut self, pointer: &str, text: &str, most_chars: usize) -> Option<String> {
        let text = text.trim();
        let fits = (1..=most_chars).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        let read = if fits { Ok(text.to_owned()) } else { Err(format!("1 to {most_chars} characters are wanted")) };
        self.read(pointer, read)
    }

    /// 400 with all faults, if there was one.
    pub(in crate::http) fn done(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::fields(self.0)) }
    }
}

/// A body of this shape, or 400 with the field that does not fit.
pub(super) fn body<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|fault| {
        let path = fault.path().to_string();
        let pointer =
            if path == "." { String::new() } else { format!("/{}", path.replace(['.', '['], "/").replace(']', "")) };
        Problem::fields(vec![FieldFault { pointer, detail: fault.inner().to_string() }])
    })
}

/// What stands after the question mark. As an argument of a handler it answers 400 with the name that does not fit.
#[derive(Debug)]
pub(in crate::http) struct Query<T>(pub(in crate::http) T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(query(request.query_string()).map(Query))
    }
}

/// Reads a query of this shape.
pub(super) fn query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|fault| {
        let pointer = format!("?{}", fault.path());
        Problem::fields(vec![FieldFault { pointer, detail: fault.inner().to_string() }])
    })
}

//! Lists by cursor: `?cursor=&limit=` and `{"items":[...],"next":...}`. What is added or removed meanwhile moves nothing:
//! a cursor is the key after which the next page begins.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::{Ready, ready};
use serde::{Deserialize, Serialize};
use tollhouse_core::record::{Kept, Record, Records};
use utoipa::{IntoParams, ToSchema};

use super::fields;
use crate::http::problem::{FieldFault, Problem};

/// Items of a page unless the caller says otherwise.
const USUAL_LIMIT: u16 = 50;
/// The most items of a page.
const MOST_LIMIT: u16 = 500;
/// The most rows that are looked at for one page: a filter that finds little answers what it found, and where to go on.
const MOST_LOOKED_AT: usize = 20_000;
/// Rows that are read at once.
const ROWS_AT_ONCE: usize = 500;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Listed<T> {
    /// In the list's order.
    pub(in crate::http) items: Vec<T>,
    /// Where the next page begins; null when this is the last one.
    pub(in crate::http) next: Option<String>,
}

impl<T> Listed<T> {
    /// A page of a desk's own list: what follows begins after the key `next`.
    pub(in crate::http) fn after(items: Vec<T>, next: Option<&str>) -> Self {
        Self { items, next: next.map(|key| URL_SAFE_NO_PAD.encode(key)) }
    }
}

/// Which page is asked for.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct PageQuery {
    /// `next` of the page before; without it the list begins.
    #[param(max_length = 400)]
    cursor: Option<String>,
    /// The most items.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u16>,
}

/// A page as it is asked for. As an argument of a handler it answers 400 where cursor or limit cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Paging {
    after: Option<String>,
    limit: usize,
}

impl IntoParams for Paging {
    fn into_params(
        parameter_in_provider: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
    ) -> Vec<utoipa::openapi::path::Parameter> {
        PageQuery::into_params(parameter_in_provider)
    }
}

impl FromRequest for Paging {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(fields::query(request.query_string()).and_then(Self::read))
    }
}

impl Paging {
    fn read(asked: PageQuery) -> Result<Self, Problem> {
        let fault = |pointer: &str, detail: &str| {
            Problem::fields(vec![FieldFault { pointer: pointer.to_owned(), detail: detail.to_owned() }])
        };
        let limit = asked.limit.unwrap_or(USUAL_LIMIT);
        if !(1..=MOST_LIMIT).contains(&limit) {
            return Err(fault("?limit", "a page has 1 to 500 items"));
        }
        let decoded = |cursor: String| {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            String::from_utf8(bytes).ok()
        };
        let after = match asked.cursor {
            Some(cursor) => Some(decoded(cursor).ok_or_else(|| fault("?cursor", "not a cursor of this list"))?),
            None => None,
        };
        Ok(Self { after, limit: usize::from(limit) })
    }

    /// The key after which the page begins, for a list that its desk pages.
    pub(in crate::http) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The most items of the page.
    pub(in crate::http) fn limit(&self) -> usize {
        self.limit
    }

    /// What is sent for the page after a key.
    pub(in crate::http) fn next(key: &str) -> String {
        URL_SAFE_NO_PAD.encode(key)
    }

    /// The key after which the page begins, and how many items it has at most: for a desk's own lists.
    pub(in crate::http) fn asked(&self) -> (Option<&str>, usize) {
        (self.after.as_deref(), self.limit)
    }

    /// The page of a table, in key order; `show` gives what is shown of a record, or nothing where it is left out.
    pub(in crate::http) fn of<T: Record, A>(
        &self,
        records: &impl Records,
        show: impl FnMut(Kept<T>) -> Option<A>,
    ) -> Result<Listed<A>, Problem> {
        self.under("", records, show)
    }

    /// The same over the keys that begin with `prefix`.
    pub(in crate::http) fn under<T: Record, A>(
        &self,
        prefix: &str,
        records: &impl Records,
        mut show: impl FnMut(Kept<T>) -> Option<A>,
    ) -> Result<Listed<A>, Problem> {
        let mut from = self.after.as_ref().map_or_else(|| prefix.to_owned(), |after| format!("{prefix}{after}\u{0}"));
        let (mut items, mut looked_at) = (vec![], 0);
        loop {
            let rows = records.list::<T>(&from, ROWS_AT_ONCE)?;
            let full = rows.len() == ROWS_AT_ONCE;
            for row in rows {
                let key = row.record.key();
                let Some(rest) = key.strip_prefix(prefix) else { return Ok(Listed { items, next: None }) };
                if items.len() == self.limit || looked_at == MOST_LOOKED_AT {
                    // The row before this one was the last that was looked at: this one begins the next page.
                    return Ok(Listed { items, next: Some(cursor(&from, prefix)) });
                }
                looked_at += 1;
                from = format!("{prefix}{rest}\u{0}");
                items.extend(show(row));
            }
            if !full {
                return Ok(Listed { items, next: None });
            }
        }
    }

    /// The page of a list that is at hand whole, sorted by `key`.
    pub(in crate::http) fn of_all<T, A>(
        &self,
        all: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> String,
        show: impl Fn(T) -> A,
    ) -> Listed<A> {
        let after = self.after.as_deref();
        let mut rest = all.into_iter().filter(|item| after.is_none_or(|after| key(item).as_str() > after)).peekable();
        let (mut items, mut last) = (vec![], String::new());
        while items.len() < self.limit
            && let Some(item) = rest.next()
        {
            last = key(&item);
            items.push(show(item));
        }
        let next = rest.peek().is_some().then(|| URL_SAFE_NO_PAD.encode(last));
        Listed { items, next }
    }
}

/// What is sent for the place `from`, which is a key and a zero.
fn cursor(from: &str, prefix: &str) -> String {
    let rest = from.strip_prefix(prefix).unwrap_or(from);
    URL_SAFE_NO_PAD.encode(rest.strip_suffix('\u{0}').unwrap_or(rest))
}

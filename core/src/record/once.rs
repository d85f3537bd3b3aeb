//! By whom a change is ordered, why, and under which `Idempotency-Key`: what every desk is told beside what it is to do.
//!
//! The key and what came of the request stand in the same journal entry as what the request made, so that no crash can
//! part them. It knows neither HTTP nor who may do what.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Cause, Change, ChangeKind, ReadError, Record, Records, Table};
use crate::id::OrderId;

/// By whom a change is ordered, why, and under which key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// Who and why, as the journal tells it.
    pub cause: Cause,
    /// The request's key, if it bore one.
    pub once: Option<Once>,
}

impl By {
    /// A person or a program, by the name of its account, and why in its own words.
    pub fn person(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { cause: Cause::Person { name: name.into(), reason: reason.into() }, once: None }
    }

    /// The box itself, in so many words.
    pub fn the_box(why: impl Into<String>) -> Self {
        Self { cause: Cause::Box(why.into()), once: None }
    }

    /// The same, once for ever under this key.
    #[must_use]
    pub fn once(mut self, once: Option<Once>) -> Self {
        self.once = once;
        self
    }

    /// The name of the account, or of what else gave the order.
    pub fn name(&self) -> &str {
        match &self.cause {
            Cause::Person { name, .. } => name,
            _ => "box",
        }
    }

    /// An empty change of this kind, for this reason.
    pub fn change(&self, kind: ChangeKind, at: DateTime<Utc>) -> Change {
        Change::new(kind, at, self.cause.clone())
    }
}

/// A request that bears an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Once {
    /// Route, caller and key, joined by slashes.
    pub key: String,
    /// What is asked, or a digest of it: tells a repetition from another request under the same key.
    pub request: String,
}

/// Why an earlier answer is no answer to this request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OnceRefusal {
    /// The key was used for another request.
    #[error("this Idempotency-Key stands for another request: use a new one")]
    KeyReused,
    /// The records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Once {
    /// What came of this request when it was made before, if it was.
    pub fn before<T: DeserializeOwned>(&self, records: &impl Records) -> Result<Option<T>, OnceRefusal> {
        let Some(kept) = records.get::<Answer>(&self.key)? else { return Ok(None) };
        if kept.record.request != self.request {
            return Err(OnceRefusal::KeyReused);
        }
        let outcome = kept.record.outcome.or_else(|| serde_json::to_value(kept.record.order?).ok());
        let outcome = serde_json::from_value(outcome.unwrap_or(Value::Null)).map_err(|fault| ReadError::Damaged {
            table: Table::Answers,
            key: self.key.clone(),
            detail: fault.to_string(),
        })?;
        Ok(Some(outcome))
    }

    /// Puts what comes of the request beside what it makes. The change is refused if another one was faster.
    pub fn keep(&self, change: &mut Change, outcome: &impl Serialize) {
        let outcome = serde_json::to_value(outcome).expect("outcomes serialise: text keys, no fallible types");
        change.rely_on::<Answer>(&self.key, None);
        let (key, request) = (self.key.clone(), self.request.clone());
        change.put(&Answer { key, request, outcome: Some(outcome), at: Some(change.at), order: None });
    }
}

/// What came of a request that bore an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Route, caller and key.
    pub key: String,
    /// What was asked, or its digest.
    pub request: String,
    /// What was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Value>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// What was made, in the first release, which knew the keys of orders alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
}

impl Record for Answer {
    const TABLE: Table = Table::Answers;
    fn key(&self) -> String {
        self.key.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Memory;

    fn once(request: &str) -> Once {
        Once { key: "cards/mei/k1".to_owned(), request: request.to_owned() }
    }

    fn kept() -> Memory {
        let mut records = Memory::default();
        let mut change = By::person("mei", "a new card").change(ChangeKind::CardChanged, DateTime::UNIX_EPOCH);
        once("first").keep(&mut change, &"0001");
        records.take(&change).expect("taken");
        records
    }

    #[test]
    fn the_same_request_gets_what_came_of_it_and_another_one_is_refused() {
        let records = kept();
        assert_eq!(once("first").before::<String>(&records), Ok(Some("0001".to_owned())));
        assert_eq!(once("second").before::<String>(&records), Err(OnceRefusal::KeyReused));
        let other = Once { key: "cards/wei/k1".to_owned(), request: "second".to_owned() };
        assert_eq!(other.before::<String>(&records), Ok(None));
    }

    #[test]
    fn of_two_at_once_one_is_refused() {
        let mut records = kept();
        let mut change = By::person("mei", "again").change(ChangeKind::CardChanged, DateTime::UNIX_EPOCH);
        once("first").keep(&mut change, &"0002");
        assert!(records.take(&change).is_err());
    }

    #[test]
    fn an_answer_of_the_first_release_is_an_order() {
        let order = OrderId::from_bytes([7; 16]);
        let text = format!(r#"{{"key":"pay.orders/b/k","request":"sandbox","order":"{order}"}}"#);
        let answer: Answer = serde_json::from_str(&text).expect("read");
        let mut records = Memory::default();
        let mut change = By::the_box("an old file").change(ChangeKind::OrderMade, DateTime::UNIX_EPOCH);
        change.put(&answer);
        records.take(&change).expect("taken");
        let once = Once { key: "pay.orders/b/k".to_owned(), request: "sandbox".to_owned() };
        assert_eq!(once.before::<OrderId>(&records), Ok(Some(order)));
    }
}

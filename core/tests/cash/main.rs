//! Cash, shifts, stored value and arrears over records in memory: sentences, and a property over random days at the till.

mod arrears;
mod cards;
mod days;
mod elsewhere;
mod page;
#[path = "../charging/sample.rs"]
#[allow(dead_code, reason = "property charging's own samples; what lies before the till are two of them")]
mod sample;
mod till;

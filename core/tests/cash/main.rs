//! Cash, shifts and stored value over records in memory: sentences, and a property over random days at the till.

mod days;
mod page;
mod till;

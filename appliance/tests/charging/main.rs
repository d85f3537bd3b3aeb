//! Property charging through its desks, over a real store in a folder of its own.

mod cards;
mod estate;
mod exchange;
mod office;
mod prices;
mod statement;
mod visitors;

//! What browsers and programs see of the box. Owns routes, pages and problem documents; decides nothing about cars or
//! money: it asks the actors by their messages.

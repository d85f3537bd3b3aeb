//! Property charging, from outside: estates, fees, cards, bills and packages as the appliance will use them.

mod bills;
mod booked;
mod cards;
mod estate;
mod fees;
mod gate;
mod kill_bill;
mod orders;
mod packages;
mod refunded;
mod runs;
mod sample;
mod stored;
mod years;

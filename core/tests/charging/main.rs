//! Property charging, from outside: estates, fees, cards, bills and packages as the appliance will use them.

mod bills;
mod cards;
mod estate;
mod fees;
mod kill_bill;
mod packages;
mod runs;
mod sample;
mod stored;
mod years;

//! Property charging, from outside: estates, fees, cards, bills and packages as the appliance will use them.

mod estate;
mod fees;
mod sample;

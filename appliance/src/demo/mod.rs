//! What only the demo needs: a broker inside the process. An installed box has mosquitto, and nothing outside this
//! folder may lean on what is here.

pub mod broker;

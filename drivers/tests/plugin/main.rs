//! The plugin host against real children: the simulated lane, a driver in C made from the header alone, and a hostile one.

mod c_driver;
mod hostile;
mod hot;
mod options;
mod orphan;
mod refusals;
mod rig;
mod sim;
mod vendor;

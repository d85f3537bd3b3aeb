//! The plugin host against real children: the simulated lane, a driver in C made from the header alone, and a hostile one.

mod c_driver;
mod hostile;
mod options;
mod orphan;
mod rig;
mod sim;

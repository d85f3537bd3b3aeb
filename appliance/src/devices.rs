//! The way to every device, whatever link it stands behind.

use std::collections::HashMap;
use std::sync::Arc;

use tollhouse_core::id::DeviceId;
use tollhouse_core::lane::Command;
use tollhouse_drivers::{DeviceCommand, DeviceLink, LinkError};

/// All links, by device.
#[derive(Default)]
pub struct Devices {
    by_device: HashMap<DeviceId, Arc<dyn DeviceLink>>,
}

impl Devices {
    /// These devices stand behind this link.
    pub fn add(&mut self, devices: impl IntoIterator<Item = DeviceId>, link: &Arc<dyn DeviceLink>) {
        for device in devices {
            self.by_device.insert(device, Arc::clone(link));
        }
    }

    /// Hands a command to its device's link, without waiting.
    pub fn send(&self, command: Command) -> Result<(), LinkError> {
        let Command { device, cmd_id, name, args, expires_at } = command;
        self.hand_over(DeviceCommand { device, cmd_id, name, args, expires_at })
    }

    /// The same for a command in the form that links take.
    pub fn hand_over(&self, command: DeviceCommand) -> Result<(), LinkError> {
        let link = self.by_device.get(&command.device);
        link.ok_or_else(|| LinkError::UnknownDevice(command.device.clone()))?.send(command)
    }
}

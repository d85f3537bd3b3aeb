//! The sample estate's configuration as contracts.md fixes it: its lanes and its tariff.

use std::net::SocketAddr;
use std::path::Path;

use rust_decimal::Decimal;
use serde_json::json;
use tollhouse_core::books::Payee;
use tollhouse_core::charging::policy::ChargingPolicy;
use tollhouse_core::id::{AreaId, DeviceId, IdError, LaneId, LotId};
use tollhouse_core::invoice::{Documents, SellerTitle};
use tollhouse_core::money::Currency;
use tollhouse_core::user::RoleLimits;
use tollhouse_drivers::plugin::{Allowance, Unsigned};

use crate::charging::bills::round::BillTimes;
use crate::config::{
    BooksConfig, Config, ConfirmedBy, Direction, DriverSource, DriversConfig, ExitWithoutEntry, HolderOwes, HttpConfig,
    LISTED_PLATES, LaneConfig, LivePage, LotConfig, MqttConfig, PassedBy, PaymentConfig, PluginConfig, PolicyConfig,
    SPARE_AFTER_MS, Sandbox, StoreConfig, TariffSource,
};

/// The lot's name in topics.
pub const LOT: &str = "demo";
/// The name of the simulated driver's file, which `cargo run` leaves beside the executable.
pub const SIM_LIBRARY: &str = "libtollhouse_driver_sim.so";
/// What the simulated driver calls itself; the demo runs no other.
const SIM_DRIVER: &str = "tollhouse.sim";
/// What the demo charges: the same file that anybody can read and change for a lot of their own.
pub const TARIFF: &str = include_str!("../../tariffs/demo.toml");
/// Places for temporary cars.
const CAPACITY: i64 = 200;

/// The demo's configuration.
pub fn config(http: SocketAddr, broker: SocketAddr, data: &Path, sim: &Path, speed: u32) -> Result<Config, IdError> {
    Ok(Config {
        lot: LotConfig {
            id: LotId::new(LOT)?,
            name: "观澜花园 Tollhouse Demo".to_owned(),
            zone: chrono_tz::Asia::Shanghai,
            currency: Currency::Cny,
            capacity: CAPACITY,
            tax_rate: Decimal::new(9, 2),
            tariff: TariffSource::BuiltIn { name: "demo.toml", text: TARIFF },
        },
        store: StoreConfig { data: data.to_owned() },
        http: HttpConfig {
            listen: http,
            public_url: None,
            live_page: LivePage::Open,
            admin_password_file: None,
            trusted_proxies: vec![],
        },
        limits: RoleLimits::default(),
        books: BooksConfig::default(),
        bills: BillTimes::default(),
        documents: demo_documents(),
        mqtt: MqttConfig {
            host: broker.ip().to_string(),
            port: broker.port(),
            client_id: "tollhouse-demo".to_owned(),
            username: None,
            password_file: None,
        },
        policy: PolicyConfig {
            exit_without_entry: ExitWithoutEntry::Open,
            holder_owes: HolderOwes::Arrears,
            stale_after_s: 60,
            command_ttl_s: 10,
            passed_after_s: 10,
        },
        payment: PaymentConfig {
            sandbox: Sandbox::On,
            order_minutes: 5,
            inside_token: Some("demo".to_owned()),
            code_seconds: 45,
            temporary_payee: Payee::Firm,
        },
        accounts: vec![],
        charging: ChargingPolicy::default(),
        areas: vec![],
        lanes: vec![lane("in-1")?, lane("out-1")?, lane("in-2")?, lane("out-2")?],
        drivers: DriversConfig { unsigned: Unsigned::Only(vec![SIM_DRIVER.to_owned()]), ..DriversConfig::default() },
        plugins: vec![plugin("in-2", sim, speed)?, plugin("out-2", sim, speed)?],
    })
}

fn device(kind: &str, lane: &str) -> Result<DeviceId, IdError> {
    DeviceId::new(format!("{kind}-{lane}"))
}

fn lane(id: &str) -> Result<LaneConfig, IdError> {
    let exit = id.starts_with("out");
    // The lanes behind the driver have a loop; those behind MQTT have none, so that two programs are enough to play them.
    let looped = id.ends_with('2');
    Ok(LaneConfig {
        id: LaneId::new(id)?,
        direction: if exit { Direction::Exit } else { Direction::Entry },
        area: AreaId::new("main")?,
        within: None,
        code: id.to_owned(),
        barrier: device("gate", id)?,
        display: if exit { Some(device("display", id)?) } else { None },
        cameras: vec![device("cam", id)?],
        spare_cameras: vec![],
        spare_after_ms: SPARE_AFTER_MS,
        loop_device: None,
        passed_by: if looped { PassedBy::Event } else { PassedBy::Opening },
        self_opening: vec![],
        whitelist_limit: LISTED_PLATES,
        confirmed_by: ConfirmedBy::Signal,
    })
}

fn plugin(lane: &str, library: &Path, speed: u32) -> Result<PluginConfig, IdError> {
    let mut devices = vec![device("cam", lane)?, device("gate", lane)?];
    let mut roles = json!({ "camera": devices[0].as_str(), "barrier": devices[1].as_str() });
    if lane.starts_with("out") {
        let display = device("display", lane)?;
        roles["display"] = json!(display.as_str());
        devices.push(display);
    }
    let pace = |milliseconds: u32| (milliseconds / speed).max(1);
    let config = json!({
        "devices": roles,
        "travel_ms": pace(600),
        "drive_ms": pace(800),
        "stay_up_ms": pace(8_000),
    });
    Ok(PluginConfig {
        name: format!("sim-{lane}"),
        driver: DriverSource::File(library.to_owned()),
        devices,
        allowance: Allowance::default(),
        config,
    })
}

/// Who receives the demo's money. The number is the example of the standard, GB 32100-2015.
fn demo_documents() -> Documents {
    let firm = SellerTitle {
        title: "珠海市观澜物业管理有限公司（演示）".to_owned(),
        tax_number: "91350100M000100Y43".to_owned(),
        address: "珠海市香洲区演示路 1 号 0756-0000000".to_owned(),
        bank: String::new(),
    };
    Documents { firm, ..Documents::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estate_is_the_one_of_the_contract() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let config = config(address, address, Path::new("d"), Path::new("l"), 1).expect("names");
        let devices: Vec<String> = config.mqtt_devices().iter().map(ToString::to_string).collect();
        assert_eq!(devices, ["cam-in-1", "cam-out-1", "display-out-1", "gate-in-1", "gate-out-1"]);
        assert_eq!(config.plugins.iter().map(|plugin| plugin.devices.len()).sum::<usize>(), 5);
    }
}

//! Owns the configuration that the tests give to an installed box (`tollhouse run`): so many lanes, the sample estate's
//! tariff, a broker somewhere. What each key means is told in systemd/tollhouse.toml.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use crate::device::LOT;

/// A configuration with entries `in-1..in-N` and exits `out-1..out-N`, each lane's code being its name, as in the demo.
///
/// # Panics
/// Never: writing to a text does not fail.
pub fn configuration(http: SocketAddr, broker: SocketAddr, data: &Path, lanes: usize) -> String {
    let (host, port, data) = (broker.ip(), broker.port(), data.display());
    let tariff = concat!(env!("CARGO_MANIFEST_DIR"), "/../appliance/tariffs/demo.toml");
    let mut text = format!(
        r#"[lot]
id = "{LOT}"
name = "Test Estate"
zone = "Asia/Shanghai"
currency = "CNY"
capacity = 1000000
tax_rate = "0.09"
tariff = "{tariff}"

[store]
data = "{data}"

[http]
listen = "{http}"
live_page = "open"

[mqtt]
host = "{host}"
port = {port}
client_id = "tollhouse"

[policy]
exit_without_entry = "attend"
stale_after_s = 60
command_ttl_s = 10
passed_after_s = 10

[payment]
order_minutes = 5
inside_token = "demo"
sandbox = "no money is taken"
"#
    );
    for number in 1..=lanes {
        for (short, direction) in [("in", "entry"), ("out", "exit")] {
            let display = if short == "out" { format!("display = \"display-out-{number}\"\n") } else { String::new() };
            write!(
                text,
                "\n[[lanes]]\nid = \"{short}-{number}\"\ndirection = \"{direction}\"\narea = \"main\"\n\
                 code = \"{short}-{number}\"\nbarrier = \"gate-{short}-{number}\"\ncameras = [\"cam-{short}-{number}\"]\n\
                 {display}passed_by = \"event\"\n"
            )
            .expect("writing to a text does not fail");
        }
    }
    text
}

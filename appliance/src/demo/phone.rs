//! The driver's phone: pays at the pay page's own calls, over real HTTP, as a stranger's would.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

/// A phone waits no longer for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Pays what the car at this lane owes. Blocks; run it off the runtime's threads.
pub fn pay_at_lane(http: SocketAddr, lane: &str) -> Result<String, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
    let base = format!("http://{http}");
    let view: Value = agent.get(format!("{base}/api/v1/pay/lanes/{lane}")).call()?.body_mut().read_json()?;
    let (Some(bill), Some(amount)) = (view["bill_id"].as_str(), view["amount"].as_str()) else {
        return Ok("nothing".to_owned());
    };
    let order: Value = agent
        .post(format!("{base}/api/v1/pay/bills/{bill}/orders"))
        .send_json(json!({ "provider": "sandbox" }))?
        .body_mut()
        .read_json()?;
    if let Some(order) = order["order_id"].as_str() {
        agent.post(format!("{base}/sandbox/orders/{order}/pay")).send_empty()?;
    }
    Ok(amount.to_owned())
}

//! Owns a site whose box takes real money of the emulated providers: an installed box with its accounts, a lane with a car at
//! its exit, and the phone in front of it. It must not know how the box settles anything.

use std::fmt::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::broker::Mosquitto;
use crate::http::Answer;
use crate::lane::{Entry, Exit};
use crate::payment_providers::PaymentProviders;
use crate::site::Site;
use crate::story;
use crate::the_box::TheBox;
use crate::wait::{PATIENCE, eventually};

/// Parked for less than two hours: 10.00.
const STAY: Duration = Duration::from_secs(110 * 60);

/// How a phone pays: provider and way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// `wechat` or `alipay`.
    pub provider: &'static str,
    /// `native`, `h5`, `jsapi`, `wap`, `precreate`.
    pub way: &'static str,
}

/// The site.
#[derive(Debug)]
pub struct Paying {
    /// The box and its broker.
    pub site: Site,
    /// The emulator.
    pub providers: PaymentProviders,
    /// The devices of `in-1`.
    pub entry: Entry,
    /// The devices of `out-1`.
    pub exit: Exit,
}

/// The accounts of the emulator's merchant, as a box is told of them.
fn accounts(providers: &PaymentProviders) -> String {
    let (client, keys) = (providers.client(), providers.keys());
    let text = |provider: &str, name: &str| client[provider][name].as_str().expect("the emulator says it").to_owned();
    let file = |name: &str| keys.join(name).display().to_string();
    secret(&keys.join("app-secret.txt"), &text("wechat", "app_secret"));
    let platform = client["wechat"]["platform_keys"].as_object().expect("an object");
    let (public_id, public_file) = platform.iter().find(|(id, _)| id.starts_with("PUB_KEY_ID_")).expect("a public key");
    let mut said = String::new();
    write!(
        said,
        "\n[[payment_accounts]]\nprovider = \"wechat\"\nappid = {:?}\nmchid = {:?}\ncertificate_serial = {:?}\n\
         private_key_file = {:?}\napi_v3_key_file = {:?}\npublic_key_id = {:?}\npublic_key_file = {:?}\n\
         app_secret_file = {:?}\nbase_url = {:?}\n",
        text("wechat", "appid"),
        text("wechat", "mchid"),
        text("wechat", "serial"),
        file(&text("wechat", "private_key")),
        file(&text("wechat", "apiv3_key")),
        public_id,
        file(public_file.as_str().expect("a file")),
        file("app-secret.txt"),
        providers.address(),
    )
    .expect("writing to a text does not fail");
    write!(
        said,
        "\n[[payment_accounts]]\nprovider = \"alipay\"\napp_id = {:?}\nseller_id = {:?}\nprivate_key_file = {:?}\n\
         public_key_file = {:?}\nnext_public_key_file = {:?}\nbase_url = {:?}\n",
        text("alipay", "app_id"),
        text("alipay", "seller_id"),
        file(&text("alipay", "private_key")),
        file(&text("alipay", "alipay_public_key")),
        file(&text("alipay", "next_alipay_public_key")),
        providers.address(),
    )
    .expect("writing to a text does not fail");
    said
}

fn secret(path: &Path, text: &str) {
    use std::io::Write as _;
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).expect("opens");
    file.write_all(text.as_bytes()).expect("written");
}

impl Paying {
    /// A site of one lane each way, whose providers' chance comes from `seed`.
    pub fn start(seed: u64) -> Self {
        Self::with(seed, 1, |text| text)
    }

    /// A site of so many lanes each way, whose configuration the test has changed.
    pub fn with(seed: u64, lanes: usize, change: impl Fn(String) -> String) -> Self {
        let providers = PaymentProviders::start(seed);
        let accounts = accounts(&providers);
        let site = Site::configured(Mosquitto::start(), lanes, |text| {
            let listen = text.lines().find(|line| line.starts_with("listen = ")).expect("it listens").to_owned();
            let public = listen.replace("listen = \"", "public_url = \"http://");
            change(text.replace(&listen, &format!("{listen}\n{public}")) + &accounts)
        });
        let (entry, exit) = (site.entry(), site.exit());
        Self { site, providers, entry, exit }
    }

    /// This car stands at the exit, owes 10.00, and has its bill.
    pub fn car_at_the_exit(&self, plate: &str) -> Value {
        story::enters_from_the_backlog(&self.entry, plate, STAY);
        self.exit.camera.publish(&self.exit.camera.plate(plate));
        self.site.bill_at_the_exit(plate)
    }

    /// A phone asks for an order.
    pub fn asks(&self, bill: &Value, way: Way, more: &Value) -> Answer {
        let id = bill["bill_id"].as_str().expect("a bill has an id");
        let mut body = json!({"provider": way.provider, "way": way.way});
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        let key = format!("key-{}-{}", self.orders_made(), way.way);
        self.site.http().post(&format!("/api/v1/pay/bills/{id}/orders"), &key, &body)
    }

    /// An order that the box and the provider have made, with the number under which the provider knows it.
    ///
    /// # Panics
    /// When they have not.
    pub fn order(&self, bill: &Value, way: Way) -> (Value, String) {
        // A phone whose box is busy, because the provider's answer could not be believed, tries again.
        let answer = eventually("an order to be made", PATIENCE, || {
            Some(self.asks(bill, way, &json!({}))).filter(|answer| answer.status != 503)
        });
        assert_eq!(answer.status, 201, "{}", answer.body);
        let order = answer.json();
        if order["action"]["kind"] == "redirect" && way.provider == "alipay" {
            // Alipay hears of it when the browser opens its page.
            self.opens(order["action"]["url"].as_str().expect("an address"));
        }
        (order, self.newest(way.provider))
    }

    /// A browser opens an address of the emulator.
    pub fn opens(&self, url: &str) -> Answer {
        let path = url.strip_prefix(self.providers.address()).expect("an address of the emulator");
        crate::http::Http::new(self.providers.address()).get(path)
    }

    fn orders_made(&self) -> usize {
        let orders = self.providers.ask("orders");
        ["wechat", "alipay"].iter().filter_map(|name| orders[*name].as_array()).map(Vec::len).sum()
    }

    /// The number of the newest order at a provider.
    ///
    /// # Panics
    /// When there is none.
    pub fn newest(&self, provider: &str) -> String {
        let orders = self.providers.ask("orders");
        let last = orders[provider].as_array().and_then(|all| all.last()).expect("there is an order");
        last["order"].as_str().expect("it has a number").to_owned()
    }

    /// The phone pays an order; tells when.
    pub fn phone_pays(&self, provider: &str, number: &str) -> Instant {
        let at = Instant::now();
        self.providers.tell("pay", &json!({"provider": provider, "order": number}));
        at
    }

    /// The barrier opens for what was paid at `since`; tells how long that took. Then the car passes, and the lane is free.
    ///
    /// # Panics
    /// When it does not open.
    pub fn car_leaves(&self, openings_before: usize, since: Instant) -> Duration {
        let opened = self.exit.barrier.command("open", openings_before, PATIENCE).expect("it opens when paid");
        assert!(self.exit.barrier.has_answered(&opened, PATIENCE));
        self.exit.camera.publish(&self.exit.camera.passed());
        eventually("the lane to be free", PATIENCE, || {
            (self.site.http().get("/api/v1/pay/lanes/out-1").status == 404).then_some(())
        });
        opened.arrived.saturating_duration_since(since)
    }

    /// Scans a code at the exit's camera.
    pub fn scans(&self, code: &str) {
        let mut event = self.exit.camera.plate("粤B00001");
        event.kind = "code";
        let body = event.body.as_object_mut().expect("an object");
        for name in ["plate", "colour", "confidence", "direction", "candidates"] {
            body.remove(name);
        }
        body.insert("code".to_owned(), json!(code));
        self.exit.camera.publish(&event);
    }

    /// A bearer token of the administrator.
    ///
    /// # Panics
    /// When the box gives none.
    pub fn token(&self) -> String {
        let data = self.site.data.display().to_string();
        let output = TheBox::command(&["user", "token", "admin", "--data", &data]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// How often something has become of the payments through a provider.
    pub fn metric(&self, provider: &str, outcome: &str) -> f64 {
        let labels = [("provider", provider), ("outcome", outcome)];
        self.site.http().metrics().sum("tollhouse_payments_total", &labels)
    }
}

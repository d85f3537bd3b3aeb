//! Asserts what a driver meets at a real lane: a coupon typed at the pay page takes off at once and opens the lane, and what
//! was paid comes as a receipt whose Chinese text another program finds.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tollhouse_tests::{PATIENCE, Site, eventually, plate_number, program_of_the_box, story};

const STAY: Duration = Duration::from_secs(110 * 60);

/// A program with a bearer token of an account of its own.
struct Client {
    agent: ureq::Agent,
    base: String,
    token: String,
}

/// What the box answered.
struct Told {
    status: u16,
    body: Value,
}

impl Client {
    fn of(site: &Site, role: &str, name: &str) -> Self {
        let run = |arguments: &[&str]| {
            let output = Command::new(program_of_the_box())
                .args(arguments)
                .arg("--data")
                .arg(&site.data)
                .output()
                .expect("the program runs");
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
        };
        run(&["user", "add", name, "--role", role]);
        let token = run(&["user", "token", name]);
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        Self { agent: config.into(), base: site.http().url(""), token: format!("Bearer {token}") }
    }

    fn told(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Told {
        let mut answer = answer.expect("an answer");
        let text = answer.body_mut().read_to_string().expect("a body");
        Told { status: answer.status().as_u16(), body: serde_json::from_str(&text).unwrap_or_default() }
    }

    fn get(&self, path: &str) -> Told {
        Self::told(self.agent.get(format!("{}{path}", self.base)).header("Authorization", &self.token).call())
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.agent.post(format!("{}{path}", self.base)).header("Authorization", &self.token);
        let told = Self::told(request.send_json(body));
        assert_eq!(told.status, 201, "{path}: {}", told.body);
        told.body
    }

    /// Raw bytes, without signing in.
    fn document(&self, path: &str) -> Vec<u8> {
        let mut answer = self.agent.get(format!("{}{path}", self.base)).call().expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        answer.body_mut().read_to_vec().expect("a body")
    }
}

fn issue(clerk: &Client, worth: &Value) -> Vec<String> {
    let merchant = json!({ "id": "bookshop", "name": "万象书店", "terms": "monthly", "accounts": ["bookshop"] });
    clerk.post("/api/v1/merchants", &merchant);
    let batch = json!({ "merchant": "bookshop", "worth": worth, "count": 2, "valid_to": tomorrow() });
    let issued = clerk.post("/api/v1/coupons", &batch);
    let coupons = issued["coupons"].as_array().expect("coupons").clone();
    coupons.iter().map(|coupon| coupon["code"].as_str().expect("a code").to_owned()).collect()
}

fn tomorrow() -> String {
    (chrono::Utc::now() + chrono::TimeDelta::days(2)).date_naive().to_string()
}

fn text_of(pdf: &[u8]) -> String {
    let mut reader = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("apt-get install poppler-utils");
    reader.stdin.take().expect("a pipe").write_all(pdf).expect("written");
    let output = reader.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_coupon_takes_off_at_the_exit_and_the_rest_is_paid_and_comes_as_a_receipt() {
    let mut site = Site::demo();
    let (entry, exit) = (site.entry(), site.exit());
    let clerk = Client::of(&site, "clerk", "mei");
    let codes = issue(&clerk, &json!({ "kind": "minutes", "minutes": 60 }));
    let plate = plate_number(1);
    story::enters_from_the_backlog(&entry, &plate, STAY);
    exit.camera.publish(&exit.camera.plate(&plate));
    let bill = site.bill_at_the_exit(&plate);
    assert_eq!(bill["amount"], "10.00");
    let id = bill["bill_id"].as_str().expect("a bill");

    let redeem = |code: &str| {
        site.http().post(&format!("/api/v1/pay/bills/{id}/coupons?lang=zh"), "k", &json!({ "code": code }))
    };
    assert_eq!(redeem("0000-0000-0000-0000").status, 404);
    let reduced = redeem(&codes[0].to_uppercase());
    assert_eq!(reduced.status, 200, "{reduced:?}");
    let reduced = reduced.json();
    assert_eq!(reduced["amount"], "5.00");
    let last = reduced["lines"].as_array().and_then(|lines| lines.last()).expect("lines").clone();
    assert_eq!(last, json!({ "text": "万象书店优惠：减免 60 分钟", "amount": "-5.00" }));
    assert_eq!(redeem(&codes[0]).json()["amount"], "5.00", "the same code again is the same");

    let ask = |title: &str| {
        let buyer = json!({ "buyer": { "kind": "firm", "title": title, "uscc": "91350100M000100Y43" } });
        site.http().post(&format!("/api/v1/pay/bills/{id}/invoices"), "k", &buyer)
    };
    assert_eq!(ask("海湾商贸有限公司").status, 409, "nothing is paid yet");
    let order = site.order(&bill, "only").field("order_id");
    assert!((200..300).contains(&site.pay(&order).status));
    let opened = exit.barrier.command("open", 0, PATIENCE).expect("it opens when the rest is paid");
    assert!(exit.barrier.has_answered(&opened, PATIENCE));
    exit.camera.publish(&exit.camera.passed());

    let receipt = ask("海湾商贸有限公司");
    assert_eq!(receipt.status, 201, "{receipt:?}");
    assert_eq!(receipt.field("total"), "5.00");
    assert_eq!(ask("别的公司").status, 409, "each yuan once");
    let text = text_of(&clerk.document(&receipt.field("document")));
    for wanted in ["非发票", "海湾商贸有限公司", "91350100M000100Y43", "伍元整", &plate, &receipt.field("number")]
    {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    let page = site.http().get(&format!("/pay/bills/{id}/invoice?lang=zh"));
    assert!(page.body.contains(&receipt.field("number")), "{}", page.body);

    let red =
        clerk.post(&format!("/api/v1/invoices/{}/reversals", receipt.field("id")), &json!({ "reason": "抬头有误" }));
    assert_eq!(
        (red["kind"].as_str(), red["state"].as_str(), red["total"].as_str()),
        (Some("red"), Some("issued"), Some("-5.00"))
    );
    assert_eq!(ask("别的公司").status, 201, "a reversed yuan can be invoiced again");
    let merchant = clerk.get("/api/v1/merchants/bookshop").body;
    assert_eq!((merchant["balance"].as_str(), merchant["state"].as_str()), (Some("-5.00"), Some("open")));
    site.end_and_verify();
}

#[test]
fn a_merchant_gives_its_own_coupons_with_its_own_account_and_the_lane_opens() {
    let mut site = Site::demo();
    let (entry, exit) = (site.entry(), site.exit());
    let clerk = Client::of(&site, "clerk", "mei");
    issue(&clerk, &json!({ "kind": "free" }));
    let shop = Client::of(&site, "merchant", "bookshop");
    let other = Client::of(&site, "merchant", "stranger");
    assert_eq!(other.get("/api/v1/merchants/bookshop").status, 404, "another's account is as unknown as none");
    assert_eq!(shop.get("/api/v1/invoices").status, 403);
    let plate = plate_number(1);
    story::enters_from_the_backlog(&entry, &plate, STAY);
    exit.camera.publish(&exit.camera.plate(&plate));
    site.bill_at_the_exit(&plate);
    let give = json!({ "plate": plate, "merchant": "bookshop", "batch": 1 });
    let taken = shop.post("/api/v1/coupons/redemptions", &give);
    assert_eq!((taken["value"].as_str(), taken["due"].as_str()), (Some("10.00"), Some("0.00")));
    let opened = exit.barrier.command("open", 0, PATIENCE).expect("it opens for who owes nothing any more");
    assert!(exit.barrier.has_answered(&opened, PATIENCE));
    exit.camera.publish(&exit.camera.passed());
    let month = (chrono::Utc::now() + chrono::TimeDelta::hours(8)).format("%Y-%m").to_string();
    let statement = eventually("the charge", PATIENCE, || {
        let found = shop.get(&format!("/api/v1/merchants/bookshop/statements/{month}"));
        (found.status == 200).then_some(found.body)
    });
    assert_eq!((statement["charged"].as_str(), statement["closing"].as_str()), (Some("10.00"), Some("-10.00")));
    site.end_and_verify();
}

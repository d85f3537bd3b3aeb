//! The end of the day after the long run: each provider's statement goes through the box's reconciliation, first twisted, then
//! true. Every row ends in a class, and every difference is one that was planted here, is a case, and gets an owner.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tollhouse_tests::{Http, Paying, PaymentProviders, TheBox};

pub(crate) const PROVIDERS: [&str; 2] = ["wechat", "alipay"];
/// So much is given back in each provider's console, in fen. It stays in suspense until somebody says what for.
pub(crate) const IN_THE_CONSOLE: i64 = 100;

/// Whoever closes the days: with the box's command, and over HTTP as the administrator.
pub(crate) struct DayEnd<'s> {
    http: &'s Http,
    providers: &'s PaymentProviders,
    data: String,
    token: String,
}

impl<'s> DayEnd<'s> {
    pub(crate) fn of(site: &'s Paying) -> Self {
        let data = site.site.data.display().to_string();
        Self { http: site.site.http(), providers: &site.providers, data, token: site.token() }
    }

    /// All items of a list of the box, page after page.
    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut next) = (vec![], String::new());
        loop {
            let page = self.http.get_as(&self.token, &format!("{path}{next}"));
            assert_eq!(page.status, 200, "{}", page.body);
            let page = page.json();
            items.extend(page["items"].as_array().cloned().unwrap_or_default());
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return items,
            }
        }
    }

    /// Whether nothing is under way any more: no order can be paid, no refund is to be asked for, and of refunds the box has
    /// heard all that the providers have done.
    pub(crate) fn all_is_at_rest(&self) -> bool {
        if !self.all("/api/v1/orders?state=pending&limit=500").is_empty() {
            return false;
        }
        let refunds = self.all("/api/v1/refunds?limit=500");
        let in_state = |state: &str| -> i64 {
            let these = refunds.iter().filter(|refund| refund["state"] == state);
            these.map(|refund| fen(refund["amount"].as_str().expect("an amount"))).sum()
        };
        let given_back: i64 = PROVIDERS.iter().map(|provider| total(self.providers, provider, "refunded")).sum();
        in_state("requested") == 0 && in_state("done") == given_back
    }

    /// Reconciles all days of both providers; in the end each is closed.
    pub(crate) fn reconcile(&self) {
        self.providers.tell("habits", &json!({"statement_days": 0}));
        for provider in PROVIDERS {
            let days = self.days_of(provider);
            for day in &days {
                self.spoilt_statements_are_refused(provider, day);
                self.twisted_rows_are_cases(provider, day);
            }
            let order = self.refund_in_the_console(provider);
            self.providers.faults(&json!({}));
            for day in &days {
                self.closes(provider, day, &order);
            }
        }
    }

    /// The days on which money moved at a provider; one, unless the run has seen midnight.
    fn days_of(&self, provider: &str) -> BTreeSet<String> {
        let movements = self.providers.ask("movements");
        let of_provider = |movement: &&Value| movement["provider"] == provider;
        let days = movements.as_array().expect("a list").iter().filter(of_provider);
        days.map(|movement| movement["at"].as_str().expect("a time")[..10].to_owned()).collect()
    }

    /// The rows that the statement of a day truly has.
    fn true_rows(&self, provider: &str, day: &str) -> usize {
        let movements = self.providers.ask("movements");
        let of_day = |movement: &&Value| {
            movement["provider"] == provider && movement["at"].as_str().is_some_and(|at| at.starts_with(day))
        };
        movements.as_array().expect("a list").iter().filter(of_day).count()
    }

    /// `tollhouse reconcile` on the running box: the day's report and whether it is closed, or why there is none.
    fn command(&self, provider: &str, day: &str) -> Result<(Value, bool), String> {
        let ask = ["reconcile", "--provider", provider, "--date", day, "--json", "--data", &self.data];
        let output = TheBox::command(&ask);
        match serde_json::from_slice::<Value>(&output.stdout) {
            Ok(reports) => Ok((reports[0].clone(), output.status.success())),
            Err(_) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn spoilt_statements_are_refused(&self, provider: &str, day: &str) {
        let both = ["statement_wrong_total", "statement_bomb", "statement_torn"];
        let one = if provider == "wechat" { "statement_wrong_hash" } else { "statement_slip" };
        for fault in both.into_iter().chain([one]) {
            self.providers.faults(&json!({fault: {"times": 1, "provider": provider}}));
            let refused = self.command(provider, day).expect_err(fault);
            assert!(refused.contains(provider) || refused.contains("statement"), "{fault}: {refused}");
        }
        let path = format!("/api/v1/reconciliations/{provider}/{day}");
        assert_eq!(self.http.get_as(&self.token, &path).status, 404, "nothing of a refused statement is used");
    }

    /// A row is missing, one is altered, one too many, one is another merchant's: each is a difference, and nothing else is.
    fn twisted_rows_are_cases(&self, provider: &str, day: &str) {
        let once = json!({"times": 1, "provider": provider});
        self.providers.faults(&json!({"statement_missing_row": once, "statement_altered_row": once,
            "statement_extra_row": once, "statement_foreign_row": once}));
        let (report, closed) = self.command(provider, day).expect("a statement that agrees with itself");
        table(&format!("{provider} {day}, twisted"), &report);
        assert!(!closed, "nobody has the differences yet");
        let planted = self.planted(provider);
        let mut left: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for difference in report["differences"].as_array().expect("a list") {
            let (class, side) = (difference["class"].as_str().expect("a class"), theirs_or_ours(difference));
            let order = side["order"].as_str().expect("an order").to_owned();
            let about =
                format!("{} {order} {}", side["transaction"].as_str().unwrap_or_default(), text(&side["refund"]));
            let fault = match class {
                "missing_with_them" => "statement_missing_row",
                "amount_differs" | "refund_differs" => "statement_altered_row",
                "missing_with_us" if order.starts_with("EXTRA") => "statement_extra_row",
                "foreign" if order.starts_with("FOREIGN") => "statement_foreign_row",
                other => panic!("{other} was not planted: {difference}"),
            };
            left.entry(fault).or_default().insert(about.trim().to_owned());
            self.is_an_open_case(difference);
        }
        for (fault, about) in planted {
            let found = left.remove(fault.as_str()).unwrap_or_default();
            match fault.as_str() {
                "statement_missing_row" if found.is_empty() => {
                    let carried = &report["reconciliation"]["classes"]["carried_to_next_day"]["rows"];
                    assert_eq!(carried, 1, "a row that is missing is missing, or so late that it may come tomorrow");
                }
                "statement_missing_row" | "statement_altered_row" => assert_eq!(found, BTreeSet::from([about])),
                _ => assert_eq!(found.len(), 1, "{fault}"),
            }
        }
        assert!(left.is_empty(), "{left:?}");
        // One of them gets an owner; that it differs no longer will settle it.
        self.assign(&report["differences"][0]);
    }

    /// What the menu has done to the provider's last statement: the fault, and about which row.
    fn planted(&self, provider: &str) -> Vec<(String, String)> {
        let faults = self.providers.ask("faults");
        let struck = faults["struck"].as_array().expect("a list");
        let mut planted = BTreeMap::new();
        for one in struck.iter().filter(|one| one["provider"] == provider) {
            let fault = text(&one["fault"]);
            if fault.ends_with("_row") {
                planted.insert(fault, text(&one["about"]));
            }
        }
        assert_eq!(planted.len(), 4, "{planted:?}");
        planted.into_iter().collect()
    }

    fn is_an_open_case(&self, difference: &Value) {
        let id = difference["id"].as_str().expect("an id");
        let case = self.http.get_as(&self.token, &format!("/api/v1/cases/{id}"));
        assert_eq!((case.status, case.field("state").as_str()), (200, "open"), "{}", case.body);
        let case = case.json();
        assert!(case["difference"]["proposal"].is_string() && case["text_zh"].is_string(), "{case}");
    }

    fn assign(&self, difference: &Value) {
        let id = difference["id"].as_str().expect("an id");
        let path = format!("/api/v1/cases/{id}/assignments");
        let answer = self.http.post_as(&self.token, &path, &format!("assign-{id}"), &json!({"owner": "admin"}));
        assert_eq!((answer.status, answer.field("owner").as_str()), (201, "admin"), "{}", answer.body);
    }

    /// Somebody gives money back in the provider's console; nobody tells the box. Gives the order.
    fn refund_in_the_console(&self, provider: &str) -> String {
        let orders = self.providers.ask("orders");
        let whole = orders[provider].as_array().expect("a list").iter().filter(|order| order["refunded"] == 0);
        let mut numbers = whole.map(|order| text(&order["order"]));
        let refund = |order: &String| {
            let ask = json!({"provider": provider, "order": order, "amount": IN_THE_CONSOLE});
            self.providers.try_tell("console_refund", &ask).is_ok()
        };
        numbers.find(refund).expect("an order of which nothing has gone back")
    }

    /// The provider's true statement: what was twisted differs no longer, the console's refund is the one case, and the day
    /// closes when it has an owner.
    fn closes(&self, provider: &str, day: &str, refunded: &str) {
        let (report, _) = self.command(provider, day).expect("a true statement");
        table(&format!("{provider} {day}"), &report);
        let rows = report["reconciliation"]["statement"]["rows"].as_u64().expect("a number");
        assert_eq!(usize::try_from(rows).expect("small"), self.true_rows(provider, day));
        let classes = report["reconciliation"]["classes"].as_object().expect("classes");
        let in_a_class: u64 = classes.values().map(|total| total["rows"].as_u64().expect("a number")).sum();
        assert_eq!(in_a_class, rows, "every row of both sides is in one class, and none of ours is alone");
        for difference in report["differences"].as_array().expect("a list") {
            assert_eq!(difference["class"], "refunded_in_console", "{difference}");
            assert_eq!(theirs_or_ours(difference)["order"], refunded, "{difference}");
            self.assign(difference);
        }
        let (again, closed) = self.command(provider, day).expect("the same statement");
        assert!(closed, "{again}");
        assert_eq!(again["repaired_now"], 0, "run again, it books nothing");
        assert_eq!(again["reconciliation"]["classes"], report["reconciliation"]["classes"]);
        let check = self.http.get_as(&self.token, &format!("/api/v1/three-way-checks/{day}")).json();
        assert_eq!(check["misfits"], 0, "releases, bills and money: {check}");
    }
}

/// One of a provider's own totals of our account, in fen.
pub(crate) fn total(providers: &PaymentProviders, provider: &str, name: &str) -> i64 {
    let named = if provider == "wechat" { "mchid" } else { "seller_id" };
    let client = providers.client();
    let merchant = client[provider][named].as_str().expect("the emulator says it");
    providers.ask("totals")[provider][merchant][name].as_i64().unwrap_or(0)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn theirs_or_ours(difference: &Value) -> &Value {
    if difference["theirs"].is_object() { &difference["theirs"] } else { &difference["ours"] }
}

/// An amount with two decimals, in fen.
fn fen(amount: &str) -> i64 {
    amount.replace('.', "").parse().expect("an amount with two decimals")
}

/// Prints the table of classes.
fn table(title: &str, report: &Value) {
    let day = &report["reconciliation"];
    println!("{title}: {} rows, fees {}", day["statement"]["rows"], text(&day["fees"]));
    for (class, total) in day["classes"].as_object().expect("classes") {
        println!("  {class:20} | {:>6} | {:>16}", total["rows"], text(&total["amount"]));
    }
}

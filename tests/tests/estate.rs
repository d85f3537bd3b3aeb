//! Owns the way of an estate into a running box: imported over the command line, cards opened over HTTP, everything shown
//! and undone, and nothing lost.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tollhouse_tests::{Clerk, Site, program_of_the_box};

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../appliance/estates/sample")
}

fn tollhouse(arguments: &[&str], data: &Path) -> Output {
    Command::new(program_of_the_box()).args(arguments).arg("--data").arg(data).output().expect("it runs")
}

fn answer(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|fault| panic!("{fault}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Asks as the administrator, and takes no other answer than this status.
fn post(office: &Clerk, path: &str, key: &str, body: &Value, status: u16) -> Value {
    let (told, answer) = office.try_post(path, key, body);
    assert_eq!(told, status, "{path}: {answer}");
    answer
}

#[test]
fn an_estate_is_imported_into_a_running_box_and_its_cards_are_opened_over_http() {
    let site = Site::installed(1);
    let data = site.data.clone();
    let office = Clerk::new(site.http(), &data, "administrator", "mei");
    let sample = sample().display().to_string();
    let would = tollhouse(&["import", "estate", &sample, "--dry-run", "--json"], &data);
    assert!(would.status.success(), "{}", String::from_utf8_lossy(&would.stdout));
    let (would, done) = (answer(&would), answer(&tollhouse(&["import", "estate", &sample, "--json"], &data)));
    assert_eq!((&would["dry_run"], &would["written"]), (&json!(true), &done["written"]));
    let again = answer(&tollhouse(&["import", "estate", &sample, "--json"], &data));
    assert_eq!((&again["written"], &again["there_already"]), (&json!(0), &done["written"]));

    let body = json!({"number": "K1", "holder": "H001", "places": ["BR-2"], "vehicles": [{"plate": "粤C10001"}, {"plate": "粤CD12345"}], "months": 3});
    let opened = post(&office, "/api/v1/cards", "k1", &body, 201);
    // Three months at 350.00, deposit 500.00, card 20.00: one bill.
    assert_eq!((&opened["state"], &opened["drew_total"]), (&json!("pending"), &json!("1570.00")));
    assert_eq!(opened["bills"].as_array().map(Vec::len), Some(1));
    assert_eq!(post(&office, "/api/v1/cards", "k1", &body, 201), opened, "the same request is answered the same");
    let refused = post(&office, "/api/v1/cards", "k2", &json!({"holder": "H002", "places": ["BR-2"]}), 409);
    assert!(refused["detail"].as_str().is_some_and(|why| why.contains("held by card K1")), "{refused}");
    let faulty = post(
        &office,
        "/api/v1/spaces",
        "s1",
        &json!({"number": "X-1", "area": "B1", "location": "moon", "tenure": "sold", "use": "residential", "grade": "ordinary", "size": "1"}),
        400,
    );
    assert_eq!(faulty["errors"].as_array().map(Vec::len), Some(2), "{faulty}");

    let tandem =
        post(&office, "/api/v1/cards", "k3", &json!({"holder": "H003", "places": ["BO-2"], "vehicles": []}), 201);
    let number = tandem["card"].as_str().expect("a number").to_owned();
    let moved = post(
        &office,
        &format!("/api/v1/cards/{number}/plates?reason=first%20car"),
        "p1",
        &json!({"new": "粤C30001"}),
        201,
    );
    assert_eq!((&moved["act"]["what"], &moved["act"]["note"]["why"]), (&json!("plate_added"), &json!("first car")));
    let undone = post(&office, &format!("/api/v1/cards/{number}/undo"), "u1", &json!({}), 201);
    assert_eq!(undone["act"]["undoes"], moved["act"]["number"]);
    let recommended = post(
        &office,
        "/api/v1/packages/recommendations",
        "r1",
        &json!({"places": ["AR-1"], "plates": ["粤C99999"]}),
        201,
    );
    assert_eq!(recommended["candidates"][0]["package"], Value::Null, "who never came needs no package");

    let file = "id,name,room\nH900,林一,3-1-301\nH901,林二,nowhere\n";
    let (status, told) = office.hand_in("/api/v1/imports/holders", "text/csv", file);
    assert_eq!((status, &told["written"], &told["faults"][0]["row"]), (200, &json!(0), &json!(3)), "{told}");
    let (status, told) = office.hand_in("/api/v1/imports/holders", "text/csv", &file.replace("nowhere", "3-1-302"));
    assert_eq!((status, &told["written"], &told["faults"]), (200, &json!(2), &json!([])), "{told}");
    let holders = office.get("/api/v1/exports/holders?format=json");
    assert!(holders.as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "林二")), "{holders}");
    assert_eq!(office.hand_in("/api/v1/imports/holders", "text/plain", file).0, 415);
    assert_eq!(office.hand_in("/api/v1/imports/journal", "text/csv", file).0, 404);
    let exported = data.with_file_name("cards.json");
    let told = tollhouse(&["export", "cards", &exported.display().to_string()], &data);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let cards: Value = serde_json::from_slice(&std::fs::read(&exported).expect("written")).expect("JSON");
    assert_eq!(cards.as_array().map(Vec::len), Some(2));
    let verified = tollhouse(&["verify", "--json"], &data);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

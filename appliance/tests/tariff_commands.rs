//! Runs `tollhouse quote` and `tollhouse tariff ...` as a person would: on the shipped tariffs, and on broken ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tollhouse_core::tariff::parse::parse;

fn tollhouse(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tollhouse")).args(arguments).env("LANG", "C").output().expect("it runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn answer(arguments: &[&str]) -> Value {
    let output = tollhouse(arguments);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {}", said(&output)))
}

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tariffs");
    let files = fs::read_dir(folder).expect("the folder of tariffs").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    files.sort();
    assert!(files.len() >= 18, "{files:?}");
    files
}

fn demo() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tariffs/demo.toml").display().to_string()
}

#[test]
fn quote_gives_every_plain_example_of_every_shipped_tariff() {
    let mut quoted = 0;
    for path in shipped() {
        let file = parse(&fs::read_to_string(&path).expect("a text")).expect("a tariff");
        let path = path.display().to_string();
        for example in &file.examples {
            let stay = &example.stay;
            let plain = stay.areas.is_empty() && stay.earlier.is_empty() && stay.payments.is_empty();
            let plain = plain && stay.covered.is_empty() && stay.calendar.is_none();
            if !plain || stay.record != tollhouse_core::tariff::model::Record::Known {
                continue;
            }
            let (enter, exit) = (stay.enter.to_rfc3339(), stay.exit.to_rfc3339());
            let mut arguments = vec!["quote", "--json", "--tariff", &path, "--enter", &enter, "--exit", &exit];
            arguments.extend(["--colour", stay.colour.as_str()]);
            if let Some(vehicle) = &stay.vehicle {
                arguments.extend(["--vehicle", vehicle]);
            }
            let priced = answer(&arguments);
            assert_eq!(priced["fee"], json!(example.fee.amount()), "{path} line {}: {priced}", example.line);
            quoted += 1;
        }
    }
    assert!(quoted >= 80, "only {quoted} examples were quoted");
}

#[test]
fn every_shipped_tariff_is_sound_and_none_can_be_cheated_by_paying_early() {
    let paths: Vec<String> = shipped().iter().map(|path| path.display().to_string()).collect();
    let mut arguments = vec!["tariff", "check", "--json"];
    arguments.extend(paths.iter().map(String::as_str));
    let checked = answer(&arguments);
    assert_eq!(checked["ok"], json!(true), "{checked}");
    for file in checked["files"].as_array().expect("files") {
        let warnings = file["warnings"].as_array().expect("warnings");
        assert!(warnings.iter().all(|warning| warning["hole"] != "pay_early"), "{file}");
    }
}

#[test]
fn a_stay_of_several_things_is_read_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stay.toml");
    let text =
        "enter = \"2026-03-02 08:00\"\nexit = \"2026-03-02 10:16\"\npayments = [{ at = \"2026-03-02 10:00\" }]\n";
    fs::write(&path, text).expect("written");
    let path = path.display().to_string();
    let priced = answer(&["quote", "--json", "--tariff", &demo(), "--stay", &path]);
    assert_eq!((&priced["fee"], &priced["paid"], &priced["due"]), (&json!("15.00"), &json!("10.00"), &json!("5.00")));
    fs::write(&path, text.replace("payments", "paiments")).expect("written");
    let refused = tollhouse(&["quote", "--tariff", &demo(), "--stay", &path]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("stay.toml:3:1") && said(&refused).contains("^^^"), "{}", said(&refused));
}

#[test]
fn a_price_is_explained_in_both_languages() {
    let stay = ["quote", "--tariff", &demo(), "--enter", "2026-03-02 08:00", "--exit", "2026-03-02 10:30", "--explain"];
    let english = said(&tollhouse(&stay));
    for part in ["Tollhouse demo", "unit price", "hourly", "5.00", "15.00 CNY"] {
        assert!(english.contains(part), "{part}: {english}");
    }
    let chinese = said(&tollhouse(&[&stay[..], &["--lang", "zh"]].concat()));
    assert!(chinese.contains("单价") && chinese.contains("合计"), "{chinese}");
}

#[test]
fn a_faulty_tariff_is_refused_with_its_line_and_a_wrong_question_is_wrong_usage() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("broken.toml");
    let sound = fs::read_to_string(demo()).expect("a text");
    let line = |text: &str, part: &str| text.lines().position(|line| line.contains(part)).expect("a line") + 1;
    let broken = sound.replace("price = \"5.00\"", "price = 5");
    fs::write(&path, &broken).expect("written");
    let shown = path.display().to_string();
    let refused = tollhouse(&["tariff", "check", &shown]);
    let place = format!("broken.toml:{}:1", line(&broken, "price = 5"));
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains(&place), "{}", said(&refused));
    // An example that does not hold is a fault as well.
    fs::write(&path, sound.replacen("fee = \"5.00\"", "fee = \"6.00\"", 1)).expect("written");
    let refused = tollhouse(&["tariff", "check", &shown]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("says a fee of 6.00 CNY, but the rules make it 5.00 CNY"), "{}", said(&refused));
    let demo = demo();
    for wrong in [
        vec!["quote", "--tariff", &demo],
        vec!["quote", "--tariff", &demo, "--enter", "soon", "--exit", "later"],
        vec!["quote", "--enter", "2026-03-02 08:00", "--exit", "2026-03-02 09:00"],
        vec!["tariff", "chart", &demo, "--enter", "2026-03-02 08:00", "--to", "a while"],
    ] {
        assert_eq!(tollhouse(&wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_change_is_previewed_against_stays_and_a_hundred_thousand_take_seconds() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let sound = fs::read_to_string(demo()).expect("a text");
    let dearer = sound.split("[[example]]").next().expect("a part").replace("\"5.00\"", "\"6.00\"");
    fs::write(at("new.toml"), dearer.replace("2026-01", "2026-02")).expect("written");
    let mut stays = String::from("enter,exit,colour\n");
    for number in 0..100_000_u32 {
        let (day, minutes) = (number % 28 + 1, number % 300);
        let (hour, minute) = (8 + minutes / 60, minutes % 60);
        let row =
            [format!("2026-02-{day:02} 08:00"), format!("2026-02-{day:02} {hour:02}:{minute:02}"), "blue\n".into()];
        stays.push_str(&row.join(","));
    }
    fs::write(at("stays.csv"), stays).expect("written");
    let found = answer(&[
        "tariff",
        "preview",
        "--json",
        "--old",
        &demo(),
        "--new",
        &at("new.toml"),
        "--stays",
        &at("stays.csv"),
    ]);
    assert_eq!(found["all"]["stays"], 100_000);
    // Of every 300 stays 16 are free, 0 to 15 minutes; all others pay one yuan more for each hour begun.
    assert_eq!(found["pays"]["less"]["stays"], 0);
    let (more, same) = (found["pays"]["more"]["stays"].as_u64(), found["pays"]["same"]["stays"].as_u64());
    assert_eq!(more.zip(same).map(|(more, same)| more + same), Some(100_000));
    assert_eq!(same, Some((0..100_000).filter(|number| number % 300 <= 15).count() as u64));
    assert_eq!(found["rises"][0]["old"], "25.00");
    assert_eq!(found["rises"][0]["new"], "30.00");
}

#[test]
fn a_picture_is_written_to_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out.svg").display().to_string();
    let output = tollhouse(&["tariff", "chart", &demo(), "--enter", "2026-03-02 08:00", "--to", "48h", "-o", &path]);
    assert!(output.status.success(), "{}", said(&output));
    let drawn = fs::read_to_string(&path).expect("a picture");
    assert!(drawn.starts_with("<svg") && drawn.contains("80.00 CNY"), "{drawn}");
}

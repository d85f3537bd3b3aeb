//! Runs `tollhouse quote` and `tollhouse tariff ...` as a person would: on the shipped tariffs, and on broken ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rust_decimal::Decimal;
use serde_json::{Value, json};

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
fn quote_gives_every_example_of_every_shipped_tariff_from_a_stay_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = folder.path().join("stay.json");
    let (mut quoted, mut told): (usize, Vec<&str>) = (0, vec![]);
    for path in shipped() {
        let text = fs::read_to_string(&path).expect("a text");
        let file: toml::Table = toml::from_str(&text).expect("TOML");
        let name = path.display().to_string();
        for example in file.get("example").and_then(toml::Value::as_array).into_iter().flatten() {
            let mut stay = example.as_table().expect("a table").clone();
            let [fee, due, leave_by, _] = ["fee", "due", "leave_by", "note"].map(|key| stay.remove(key));
            told.extend(
                ["areas", "earlier", "payments", "lost", "covered", "calendar"]
                    .iter()
                    .filter(|k| stay.contains_key(**k)),
            );
            fs::write(&written, serde_json::to_string(&stay).expect("JSON")).expect("written");
            let priced = answer(&["quote", "--json", "--tariff", &name, "--stay", &written.display().to_string()]);
            let said = |value: &Option<toml::Value>| value.as_ref().map(|value| json!(value.as_str().expect("a text")));
            assert_eq!(Some(priced["fee"].clone()), said(&fee), "{name}: {stay}: {priced}");
            assert!(due.is_none() || Some(priced["due"].clone()) == said(&due), "{name}: {stay}: {priced}");
            let hours = leave_by.as_ref().map(|at| at.as_str().expect("a text").replace(' ', "T"));
            let by = priced["leave_by"].as_str().unwrap_or_default();
            assert!(hours.is_none_or(|at| by.starts_with(&at)), "{name}: {stay}: {priced}");
            let lines = priced["lines"].as_array().expect("lines").iter();
            let sum: Decimal =
                lines.map(|line| line["amount"].as_str().expect("a text").parse::<Decimal>().expect("money")).sum();
            assert_eq!(sum, priced["fee"].as_str().expect("a text").parse().expect("money"), "{name}: {priced}");
            quoted += 1;
        }
    }
    assert!(quoted >= 130, "only {quoted} examples were quoted");
    for key in ["areas", "earlier", "payments", "lost", "covered"] {
        assert!(told.contains(&key), "no shipped example has {key}");
    }
}

/// What shared/tariffs.md asks of the eight published tariffs: file, entry, exit, vehicle, fee.
const PUBLISHED: &[(&str, &str, &str, &str, &str)] = &[
    ("beijing-kerb-1", "10:00", "10:14", "", "0.00"),
    ("beijing-kerb-1", "10:00", "10:15", "", "2.50"),
    ("beijing-kerb-1", "10:00", "11:00", "", "10.00"),
    ("beijing-kerb-1", "10:00", "11:15", "", "13.75"),
    ("beijing-kerb-1", "20:00", "21:59", "", "0.00"),
    ("beijing-kerb-1", "20:00", "22:00", "", "1.00"),
    ("chuzhou-jinzhou", "08:00", "08:20", "small", "0.00"),
    ("chuzhou-jinzhou", "08:00", "10:00", "small", "3.00"),
    ("chuzhou-jinzhou", "08:00", "12:00", "small", "5.00"),
    ("chuzhou-jinzhou", "08:00", "18:00", "small", "7.00"),
    ("chuzhou-jinzhou", "08:00", "+1 00:00", "small", "10.00"),
    ("chuzhou-jinzhou", "08:00", "+1 08:00", "small", "12.00"),
    ("chuzhou-jinzhou", "08:00", "10:00", "new_energy", "0.00"),
    ("chuzhou-jinzhou", "08:00", "11:00", "new_energy", "4.00"),
    ("zhangye-airport", "08:00", "08:14", "small", "0.00"),
    ("zhangye-airport", "08:00", "+1 09:00", "small", "27.00"),
    ("zhangye-airport", "08:00", "22:00", "large", "30.00"),
    ("shenzhen-yuanshan", "08:00", "08:15", "small", "0.00"),
    ("shenzhen-yuanshan", "08:00", "12:00", "small", "11.00"),
    ("shenzhen-yuanshan", "08:00", "12:00", "large", "22.00"),
    ("nine-seats-lot", "08:00", "09:30", "small", "0.00"),
    ("nine-seats-lot", "08:00", "10:01", "small", "6.00"),
    ("nine-seats-lot", "08:00", "+1 08:00", "small", "20.00"),
    ("nine-seats-lot", "08:00", "12:00", "new_energy", "2.50"),
    ("great-western-hospital", "08:00", "08:20", "", "0.00"),
    ("great-western-hospital", "08:00", "09:00", "", "1.10"),
    ("great-western-hospital", "08:00", "10:00", "", "2.20"),
    ("great-western-hospital", "08:00", "11:00", "", "3.30"),
    ("great-western-hospital", "08:00", "12:00", "", "4.40"),
    ("great-western-hospital", "08:00", "14:00", "", "7.20"),
    ("great-western-hospital", "08:00", "+1 08:00", "", "8.80"),
    ("hinchingbrooke", "08:00", "08:30", "", "0.00"),
    ("hinchingbrooke", "08:00", "09:00", "", "3.00"),
    ("hinchingbrooke", "08:00", "16:00", "", "10.00"),
    ("hinchingbrooke", "08:00", "20:00", "", "11.00"),
    ("hinchingbrooke", "08:00", "+1 08:00", "", "12.00"),
    ("st-georges", "09:00", "11:30", "", "7.50"),
    ("st-georges", "20:00", "+1 08:00", "", "10.00"),
];

#[test]
fn quote_gives_every_vector_of_the_published_tariffs() {
    for (name, enter, exit, vehicle, fee) in PUBLISHED {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tariffs/{name}.toml")).display().to_string();
        let at = |time: &str| match time.strip_prefix("+1 ") {
            Some(time) => format!("2026-03-03 {time}"),
            None => format!("2026-03-02 {time}"),
        };
        let (enter, exit) = (at(enter), at(exit));
        let mut arguments = vec!["quote", "--json", "--tariff", &path, "--enter", &enter, "--exit", &exit];
        if !vehicle.is_empty() {
            arguments.extend(["--vehicle", vehicle]);
        }
        let priced = answer(&arguments);
        assert_eq!(priced["fee"], json!(fee), "{name} {enter} to {exit} {vehicle}: {priced}");
    }
    // A lost ticket at the hospital.
    let folder = tempfile::tempdir().expect("a folder");
    let stay = folder.path().join("stay.toml").display().to_string();
    fs::write(&stay, "enter = \"2026-03-02 08:00\"\nexit = \"2026-03-02 08:40\"\nlost = true\n").expect("written");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tariffs/great-western-hospital.toml");
    let priced = answer(&["quote", "--json", "--tariff", &path.display().to_string(), "--stay", &stay]);
    assert_eq!(priced["fee"], json!("8.80"), "{priced}");
}

#[test]
fn each_of_the_broken_tariffs_is_refused_by_the_command_with_its_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/tariff_language/broken");
    let files = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    assert!(files.len() >= 60, "there are {}", files.len());
    for path in &files {
        let text = fs::read_to_string(path).expect("a text");
        let name = path.display().to_string();
        let output = tollhouse(&["tariff", "check", &name]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let told = String::from_utf8_lossy(&output.stderr);
        for expected in text.lines().map_while(|line| line.strip_prefix("# expect: line ")) {
            let (line, words) = expected.split_once(": ").expect("a line and words");
            // The message, then the place, the line itself and a caret below it.
            let shown = text.lines().nth(line.parse::<usize>().expect("a line").saturating_sub(1)).unwrap_or_default();
            assert!(told.contains(&format!("{name}:{line}:")), "line {line}: {told}");
            assert!(told.contains(words) && told.contains(shown.trim_end()), "{words}: {told}");
        }
        let checked = answer(&["tariff", "check", "--json", &name]);
        assert_eq!(checked["ok"], json!(false), "{checked}");
        assert!(checked["files"][0]["faults"][0]["line"].is_number(), "{checked}");
    }
    // All at once: each is told by its name, and one sound file among them changes nothing.
    let demo = demo();
    let mut arguments = vec!["tariff", "check", demo.as_str()];
    let names: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    arguments.extend(names.iter().map(String::as_str));
    let output = tollhouse(&arguments);
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(names.iter().all(|name| told.contains(&format!("{name}: refused: "))), "{told}");
    assert!(told.contains(&format!("{demo}: sound: ")), "{told}");
}

#[test]
fn what_is_wrong_with_a_stay_in_a_file_is_told_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stay.toml").display().to_string();
    let nested = Path::new(env!("CARGO_MANIFEST_DIR")).join("tariffs/nested-court.toml").display().to_string();
    let head = "enter = \"2026-03-02 08:00\"\nexit = \"2026-03-02 12:00\"\n";
    let cases = [
        ("areas = [{ area = \"curt\", enter = \"2026-03-02 09:00\", exit = \"2026-03-02 10:00\" }]", 3, "court"),
        (
            "areas = [{ area = \"court\", enter = \"2026-03-02 07:00\", exit = \"2026-03-02 10:00\" }]",
            3,
            "outside the stay",
        ),
        ("covered = [{ from = \"2026-03-02 09:00\", to = \"2026-03-02 08:30\" }]", 3, "before"),
        ("payments = [{ at = \"2026-03-02 09:00\", amount = \"1.005\" }]", 3, "decimals"),
        ("payments = [{ at = \"2026-03-02 13:00\" }]", 3, "outside the stay"),
        ("\nlost = \"yes\"", 4, "true"),
        ("fee = \"5.00\"", 3, "fee"),
        ("vehicle = \"tank\"", 3, "one of"),
        ("earlier = [{ enter = \"2026-03-02 07:00\", exit = \"2026-03-02 08:30\" }]", 3, "before"),
    ];
    for (more, line, says) in cases {
        fs::write(&path, format!("{head}{more}\n")).expect("written");
        let refused = tollhouse(&["quote", "--tariff", &nested, "--stay", &path]);
        let told = said(&refused);
        assert_eq!(refused.status.code(), Some(1), "{more}: {told}");
        assert!(told.contains(&format!("stay.toml:{line}:")) && told.contains(says), "{more}: {told}");
        let told = answer(&["quote", "--json", "--tariff", &nested, "--stay", &path]);
        assert_eq!((&told["ok"], &told["faults"][0]["line"]), (&json!(false), &json!(line)), "{told}");
    }
    let missing = tollhouse(&["quote", "--tariff", &nested, "--stay", "/nowhere/stay.toml"]);
    assert!(missing.status.code() == Some(1) && said(&missing).contains("/nowhere/stay.toml"), "{}", said(&missing));
}

#[test]
fn a_stay_of_everything_is_explained_line_by_line_to_people_and_programs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stay.toml").display().to_string();
    let nested = Path::new(env!("CARGO_MANIFEST_DIR")).join("tariffs/nested-court.toml").display().to_string();
    let stay = "enter = \"2026-03-02 08:00\"\nexit = \"2026-03-02 12:00\"\n\
                areas = [{ area = \"court\", enter = \"2026-03-02 09:00\", exit = \"2026-03-02 10:30\" }]\n\
                payments = [{ at = \"2026-03-02 11:00\", amount = \"10.00\" }]\n";
    fs::write(&path, stay).expect("written");
    let shown = tollhouse(&["quote", "--explain", "--lang", "en", "--tariff", &nested, "--stay", &path]);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    for part in ["Inner court", "2 ", "10.00", "20.00", "29.00", "19.00", "unit price"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let priced = answer(&["quote", "--json", "--explain", "--tariff", &nested, "--stay", &path]);
    assert_eq!((&priced["fee"], &priced["paid"], &priced["due"]), (&json!("29.00"), &json!("10.00"), &json!("19.00")));
    let court =
        priced["lines"].as_array().expect("lines").iter().find(|line| line["text"]["zh"].to_string().contains("内场"));
    let court = court.unwrap_or_else(|| panic!("{priced}"));
    assert_eq!((&court["quantity"], &court["from"]), (&json!("2"), &json!("2026-03-02T09:00:00+08:00")));
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
        vec!["quote", "--tariff", &demo, "--bill", "b", "--data", "d"],
        vec!["quote", "--bill", "b"],
        vec!["tariff", "preview", "--old", &demo, "--new", &demo],
        vec!["tariff", "preview", "--old", &demo, "--new", &demo, "--data", "d", "--last", "0"],
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

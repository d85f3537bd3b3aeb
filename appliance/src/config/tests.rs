//! The example loads, and each fault is told with its line.

use super::*;

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/tollhouse.toml");
    std::fs::read_to_string(path).expect("the example is there")
}

fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.starts_with(part)).unwrap_or_else(|| panic!("no {part}")) + 1
}

#[test]
fn the_commented_example_loads() {
    let config = parse(&example()).expect("no fault");
    assert_eq!(config.lot.id.as_str(), "riverside");
    assert_eq!(config.lot.zone, chrono_tz::Asia::Shanghai);
    assert_eq!(config.lot.tariff, TariffSource::Files(vec!["/etc/tollhouse/tariff.toml".into()]));
    assert_eq!(config.payment.sandbox, Sandbox::Off);
    assert_eq!(config.lanes.len(), 2);
    assert_eq!(config.lanes[1].direction, Direction::Exit);
    let devices: Vec<String> = config.mqtt_devices().iter().map(ToString::to_string).collect();
    assert_eq!(devices, ["cam-in-1", "cam-out-1", "display-out-1", "gate-in-1", "gate-out-1", "loop-out-1"]);
}

#[test]
fn every_commented_key_of_the_example_is_one_that_the_box_knows() {
    let text: String = example()
        .lines()
        .map(|line| {
            let bare = line.strip_prefix("# ").unwrap_or(line);
            let is_setting = bare.starts_with('[') || bare.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
            if is_setting { format!("{bare}\n") } else { format!("{line}\n") }
        })
        .collect();
    let config = parse(&text).expect("no fault");
    assert_eq!(config.payment.sandbox, Sandbox::On);
    assert!(config.payment.inside_token.is_some());
    assert_eq!(config.plugins[0].config["address"], "10.0.0.40:9000");
    assert_eq!(config.mqtt_devices().len(), 7);
    assert_eq!(config.lanes[0].spare_cameras.len(), 1);
    let areas: Vec<String> = config.areas().iter().map(ToString::to_string).collect();
    assert_eq!(areas, ["court", "main"]);
    let capacity = |area: &str| config.capacity_of(&AreaId::new(area).expect("a name"));
    assert_eq!((capacity("court"), capacity("main")), (40, 320));
}

#[test]
fn an_area_that_no_lane_leads_into_is_told_with_its_line() {
    let lane = |id: &str, area: &str, within: &str| {
        format!(
            "[[lanes]]\nid = \"{id}\"\ndirection = \"entry\"\narea = \"{area}\"\nwithin = \"{within}\"\ncode = \"{id}\"\n\
             barrier = \"gate-{id}\"\ncameras = [\"cam-{id}\"]\n"
        )
    };
    let area = |id: &str| format!("[[areas]]\nid = \"{id}\"\ncapacity = 4\n");
    let cases = [
        (area("court"), "id = \"court\"", "no lane leads into or out of area court"),
        (lane("c", "court", "court"), "within = ", "from area court into itself"),
        (lane("c", "court", "mian"), "within = ", "no lane leads from the street into area mian"),
        (area("main") + &area("main"), "id = \"main\"", "is given twice"),
    ];
    for (more, place, says) in cases {
        let text = example() + &more;
        let faults = parse(&text).expect_err(says);
        let told = faults.iter().find(|fault| fault.message.contains(says));
        let told = told.unwrap_or_else(|| panic!("{says}: {faults:?}"));
        let lines: Vec<usize> =
            text.lines().enumerate().filter(|(_, line)| line.starts_with(place)).map(|(at, _)| at + 1).collect();
        assert!(lines.contains(&told.line), "{told:?} {lines:?}");
    }
    let nested = example() + &lane("c", "court", "main") + &lane("k", "kiosk", "court");
    assert!(parse(&nested).is_ok(), "an area within an area");
}

#[test]
fn each_fault_is_told_with_its_line() {
    let cases = [
        ("id = \"riverside\"", "id = \"river side\"", "found ' '"),
        ("zone = ", "zone = \"Asia/Peking\"", "\"Asia/Peking\" is no time zone"),
        ("currency = ", "currency = \"XXX\"", "not a currency"),
        ("capacity = ", "capacity = \"320\"", "a whole number from 1"),
        ("capacity = ", "capacity = 0", "a whole number from 1"),
        ("tax_rate = ", "tax_rate = \"9\"", "no tax rate"),
        ("tariff = ", "tariff = \"tariff.toml\"", "begin with a slash"),
        ("tariff = ", "tariff = 5", "a text in quotes"),
        ("tariff = ", "tariff = []", "one text or a list of at most 64"),
        ("data = ", "data = \"data\"", "begin with a slash"),
        ("listen = ", "listen = \"localhost\"", "is no address"),
        ("public_url = ", "public_url = \"park.example.org\"", "an address like"),
        ("live_page = ", "live_page = \"on\"", "\"on\" is not one of \"open\", \"off\""),
        ("port = ", "port = 70000", "from 1 to 65535"),
        ("exit_without_entry = ", "exit_without_entry = \"maybe\"", "\"open\", \"attend\""),
        ("stale_after_s = ", "stale_afer_s = 60", "did you mean \"stale_after_s\"?"),
        ("order_minutes = ", "sandbox = \"yes\"", "only the words"),
        ("cameras = [\"cam-out-1\"]", "cameras = \"cam-out-1\"", "is a list"),
        ("cameras = [\"cam-out-1\"]", "cameras = [\"cam-in-1\"]", "stands at lane in-1 already"),
        ("id = \"out-1\"", "id = \"in-1\"", "lane id \"in-1\" is given twice"),
        ("username = ", "", "needs a username"),
    ];
    for (place, put, says) in cases {
        let text = example();
        let line = line_of(&text, place);
        let mut lines: Vec<&str> = text.lines().collect();
        lines[line - 1] = put;
        let faults = parse(&lines.join("\n")).expect_err(put);
        let told = faults.iter().find(|fault| fault.message.contains(says));
        let told = told.unwrap_or_else(|| panic!("{put}: {faults:?}"));
        let line = if put.is_empty() { line_of(&lines.join("\n"), "password_file") } else { line };
        assert_eq!(told.line, line, "{put}: {faults:?}");
    }
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_lines() {
    let text = example()
        .replace("zone = \"Asia/Shanghai\"", "zone = \"nowhere\"\ncolour = \"red\"")
        .replace("listen = \"127.0.0.1:8080\"", "")
        .replace("tax_rate = \"0.09\"", "tax_rate = \"five\"")
        .replace("barrier = \"gate-in-1\"", "barier = \"gate-in-1\"")
        + "\n[extras]\nfoo = 1\n";
    let faults = parse(&text).expect_err("faults");
    let lines: Vec<usize> = faults.iter().map(|fault| fault.line).collect();
    assert!(lines.is_sorted(), "{faults:?}");
    for says in [
        "nowhere",
        "no key \"colour\"",
        "[http] lacks \"listen\"",
        "five",
        "lacks \"barrier\"",
        "did you mean \"barrier\"",
        "extras",
    ] {
        assert!(faults.iter().any(|fault| fault.message.contains(says)), "{says}: {faults:?}");
    }
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let faults = parse("[lot]\nid = \"a\nname = = 3\n").expect_err("faults");
    assert!(faults.iter().any(|fault| fault.line == 2), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.line == 3), "{faults:?}");
}

#[test]
fn an_empty_file_lacks_every_section_by_name() {
    let faults = parse("").expect_err("faults");
    for section in ["[lot]", "[store]", "[http]", "[mqtt]"] {
        assert!(faults.iter().any(|fault| fault.message.contains(section)), "{section}: {faults:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_one_fault_of_the_whole() {
    let faults = load(Path::new("/nowhere/tollhouse.toml")).expect_err("faults");
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].line, 0);
}

#[test]
fn an_instance_names_a_file_or_an_installed_driver_and_not_both() {
    let with = |source: &str| {
        let plugin = format!("\n[[plugins]]\nname = \"north\"\n{source}devices = [\"gate-out-1\"]\n");
        parse(&(example() + &plugin)).map(|config| config.plugins[0].driver.clone())
    };
    let faults = |source: &str| with(source).expect_err(source).iter().map(ToString::to_string).collect::<String>();
    assert_eq!(with("driver = \"acme.barrier\"\n"), Ok(DriverSource::Installed("acme.barrier".to_owned())));
    assert_eq!(with("library = \"/lib/acme.so\"\n"), Ok(DriverSource::File("/lib/acme.so".into())));
    assert!(faults("").contains("needs library"));
    assert!(faults("driver = \"acme.barrier\"\nlibrary = \"/lib/acme.so\"\n").contains("one of them is enough"));
    assert!(faults("driver = \"a/b\"\n").contains("no driver id"));
}

#[test]
fn charging_may_be_left_out_and_says_what_it_does_not_take() {
    use tollhouse_core::charging::fees::Alignment;
    use tollhouse_core::charging::policy::ChargingPolicy;
    assert_eq!(parse(&example()).expect("no fault").charging, ChargingPolicy::default());
    let with = |line: &str| example().replace("billing_day = \"calendar\"\n", &format!("{line}\n"));
    assert_eq!(parse(&with("billing_day = \"31\"")).expect("no fault").charging.alignment, Alignment::Day(31));
    let late =
        parse(&with("late_fee_per_day = \"0.0005\"\nlate_fee_cap = \"0.2\"")).expect("no fault").charging.late_fee;
    assert_eq!(late.expect("a late fee").cap, Some(Decimal::new(2, 1)));
    for wrong in
        ["billing_day = \"32\"", "late_fee_per_day = \"0.2\"", "late_fee_cap = \"0.2\"", "late_fee_per_day = \"-1\""]
    {
        let faults = parse(&with(wrong)).expect_err("a fault");
        assert_eq!(faults.len(), 1, "{wrong}: {faults:?}");
        assert_eq!(faults[0].line, line_of(&with(wrong), &wrong[..8]), "{wrong}");
    }
}

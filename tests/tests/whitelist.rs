//! Owns the judgement of the list of plates that a box keeps with a camera that can open by itself, over a real mosquitto:
//! it goes out, comes again, and what the camera let in while the box was away is in the books afterwards.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tollhouse_tests::{
    Command, Estate, Journal, Manners, Mosquitto, PATIENCE, Retained, TestDevice, TheBox, configuration, eventually,
};

/// So many of the sample estate's plates have passes that let them in; one more is blocked.
const LISTED: usize = 5;

/// An installed box on the sample estate's passes, whose camera at in-1 can open by itself.
fn the_box(folder: &Path, broker: &Mosquitto) -> TheBox {
    let data = folder.join("data");
    TheBox::demo(&data, Estate::Quiet).terminate();
    TheBox::run(folder, |http| {
        let text = configuration(http, broker.address(), &data, 1);
        text.replacen("cameras = [\"cam-in-1\"]\n", "cameras = [\"cam-in-1\"]\nself_opening = [\"cam-in-1\"]\n", 1)
    })
}

fn list(camera: &TestDevice, number: usize) -> Command {
    camera.command("whitelist", number, PATIENCE).unwrap_or_else(|| panic!("no list number {number}"))
}

fn plates(command: &Command) -> Vec<String> {
    let listed = command.body["args"]["plates"].as_array().expect("plates");
    let mut plates: Vec<String> = listed.iter().filter_map(|one| one["plate"].as_str()).map(str::to_owned).collect();
    plates.sort();
    plates
}

fn held(the_box: &TheBox) -> f64 {
    the_box.http.metrics().sum("tollhouse_whitelist_held", &[("device", "cam-in-1")])
}

#[test]
fn the_list_goes_out_again_after_a_refusal_and_a_restart_and_what_the_camera_let_in_is_booked_as_its_own() {
    let (folder, broker) = (TempDir::new().expect("a temporary folder"), Mosquitto::start());
    let mut the_box = the_box(folder.path(), &broker);
    let camera = TestDevice::connect(broker.address(), "cam-in-1", "camera", Manners::Silent);
    let barrier = TestDevice::connect(broker.address(), "gate-in-1", "barrier", Manners::Obliging);

    // The first one is refused; it comes again after a rest, under another id, and the camera takes it.
    let first = list(&camera, 0);
    assert_eq!(plates(&first).len(), LISTED, "{:?}", plates(&first));
    assert!(!plates(&first).contains(&"粤C44404".to_owned()), "the blocked one is not on it");
    assert!(held(&the_box).abs() < f64::EPSILON);
    camera.acknowledge(&first, "rejected");
    let again = list(&camera, 1);
    assert_eq!(again.body["args"], first.body["args"]);
    camera.acknowledge(&again, "accepted");
    camera.acknowledge(&again, "confirmed");
    eventually("the list to be held", PATIENCE, || (held(&the_box) > 0.0).then_some(()));

    // It goes and comes back: the box does not rely on what it held.
    camera.leave();
    camera.send("availability", br#"{"state":"online","boot_id":"another-run"}"#, Retained::Yes);
    let anew = list(&camera, 2);
    assert_eq!(anew.body["args"]["revision"], first.body["args"]["revision"], "the same list");
    camera.acknowledge(&anew, "confirmed");
    eventually("the list to be held again", PATIENCE, || (held(&the_box) > 0.0).then_some(()));

    // The box is away. The camera lets one in by itself, and sees another that it does not know.
    let (status, _) = the_box.terminate();
    assert!(status.success());
    let listed = plates(&first).first().cloned().expect("a plate");
    for plate in [listed.as_str(), "京N67894"] {
        let mut event = camera.plate_captured(plate, Duration::from_secs(120));
        event.body["backlog"] = json!(true);
        camera.publish(&event);
        assert!(camera.was_acknowledged(&event, PATIENCE));
    }
    the_box.start_again();
    let inside = |the_box: &TheBox, tenure| the_box.http.metrics().sum("tollhouse_cars_inside", &[("tenure", tenure)]);
    eventually("both to be inside", PATIENCE, || {
        (inside(&the_box, "pass") + inside(&the_box, "free") >= 1.0 && inside(&the_box, "temporary") >= 1.0)
            .then_some(())
    });
    assert_eq!(barrier.commands("open").len(), 0, "nothing opens for a car that has long passed");
    let (status, _) = the_box.terminate();
    assert!(status.success());
    let data = folder.path().join("data");
    TheBox::verify(&data).unwrap_or_else(|fault| panic!("verify: {fault}"));
    let marked: Vec<Value> =
        Journal::records(&data, "passages").into_iter().filter(|passage| passage.get("opened_by").is_some()).collect();
    assert_eq!(marked.len(), 1, "{marked:?}");
    assert_eq!((&marked[0]["opened_by"], &marked[0]["code"]), (&json!("cam-in-1"), &json!("backlog_entry")));
}

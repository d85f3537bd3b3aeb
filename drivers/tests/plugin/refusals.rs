//! What a running host refuses to run, in words: nothing of such a file is loaded.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tollhouse_drivers::plugin::signature::signature_path;
use tollhouse_drivers::plugin::{LibraryError, Revoked, SealedLibrary, Trust};

use crate::hostile::fault_of;
use crate::rig::Rig;
use crate::vendor::Vendor;

const DEVICE: &str = "gate-in-2";

fn start(library: &Path, trust: Trust) -> Result<Rig, LibraryError> {
    Rig::start_trusting(library, json!({"device": DEVICE}), &[DEVICE], trust)
}

/// Why a box that runs one release takes no other from this file, and that the one that runs goes on.
fn refused_beside_a_running_one(library: &Path, trust: &Trust, running: &Rig, name: &str) -> String {
    let before = running.boot_id();
    let refusal = SealedLibrary::take(library, trust).expect_err(name).to_string();
    let fresh = start(library, trust.clone()).err().expect(name).to_string();
    assert_eq!(refusal, fresh, "{name}");
    assert_eq!(running.boot_id(), before, "{name}");
    refusal
}

#[tokio::test]
async fn whatever_is_not_the_file_that_its_vendor_signed_is_refused_and_what_runs_goes_on() {
    let (acme, stranger) = (Vendor::new(), Vendor::new());
    let trust = acme.trust(&["acme.barrier"]);
    let mut running = start(&acme.release("2.0.0", &[]), trust.clone()).expect("trusted");
    assert_eq!(running.take(2).await, ["gate-in-2 Online", "gate-in-2 down"]);

    let unsigned = acme.library("2.1.0", &["A"]);
    let wrong_key = acme.library("2.1.0", &["A", "B"]);
    stranger.sign(&wrong_key, "acme.barrier", "2.1.0");
    let not_pinned = acme.library("2.1.0", &["A", "B", "C"]);
    acme.sign(&not_pinned, "acme.camera", "2.1.0");
    let altered = acme.release("2.2.0", &[]);
    let mut bytes = std::fs::read(&altered).expect("a library");
    *bytes.last_mut().expect("not empty") ^= 1;
    std::fs::write(&altered, bytes).expect("altered after it was signed");
    let comment = acme.release("2.3.0", &[]);
    let signature = std::fs::read_to_string(signature_path(&comment)).expect("a signature");
    std::fs::write(signature_path(&comment), signature.replace("version=2.3.0", "version=2.4.0")).expect("forged");
    let older = acme.release("1.9.0", &[]);
    let revoked = acme.release("2.5.0", &[]);
    let floor =
        Trust { floors: [("acme.barrier".to_owned(), "2.0.0".parse().expect("a version"))].into(), ..trust.clone() };
    let with = |line: &str| Trust {
        revoked: Revoked::read_line(line).expect("a line").into_iter().collect(),
        ..trust.clone()
    };
    let digest = SealedLibrary::take(&revoked, &trust).expect("trusted").identity().digest.clone();

    let cases = [
        ("unsigned", &unsigned, trust.clone(), "not signed: no "),
        ("wrong key", &wrong_key, trust.clone(), "a key that this box does not know"),
        ("not pinned", &not_pinned, trust.clone(), "that key may not sign drivers of this name"),
        ("altered", &altered, trust.clone(), "it was altered: it is not the file that Acme signed"),
        ("forged comment", &comment, trust.clone(), "it was altered"),
        ("older", &older, floor, "tollhouse driver rollback acme.barrier --to 1.9.0"),
        ("revoked version", &revoked, with("driver acme.barrier 2.5.0"), "revoked (acme.barrier 2.5.0)"),
        ("revoked driver", &revoked, with("driver acme.barrier"), "revoked"),
        ("revoked key", &revoked, with(&format!("key {}", acme.public())), "revoked (the key of Acme)"),
        ("revoked file", &revoked, with(&format!("file {digest}")), "revoked (this very file)"),
    ];
    for (name, library, trust, words) in cases {
        let refusal = refused_beside_a_running_one(library, &trust, &running, name);
        assert!(refusal.contains(words), "{name}: {refusal}");
    }
    running.send(DEVICE, "open", json!({}));
    assert_eq!(running.take(2).await, ["gate-in-2 up", "gate-in-2 Confirmed"]);
}

#[tokio::test]
async fn a_library_that_calls_itself_something_else_than_it_is_signed_as_is_never_created() {
    let acme = Vendor::new();
    for (defines, words) in [
        (&["SAYS=\"1.1.0\""][..], "calls itself acme.barrier 1.1.0, yet it is signed as acme.barrier 1.0.0"),
        (&["ID=\"other.barrier\""][..], "calls itself other.barrier 1.0.0"),
    ] {
        let rig = start(&acme.release("1.0.0", defines), acme.trust(&["acme.barrier"])).expect("its signature holds");
        let fault = fault_of(&rig, words).await;
        assert!(rig.host.status().driver.is_none() && rig.host.status().restarts == 0, "{fault}");
    }
}

#[tokio::test]
async fn a_file_that_changes_after_it_was_taken_in_changes_nothing_also_not_after_a_crash() {
    let acme = Vendor::new();
    let library = acme.release("1.0.0", &[]);
    let mut rig = start(&library, acme.trust(&["acme.barrier"])).expect("trusted");
    assert_eq!(rig.take(2).await, ["gate-in-2 Online", "gate-in-2 down"]);
    std::fs::write(&library, "no library any more").expect("written over");
    rig.send(DEVICE, "x-die", json!({}));
    let again = ["gate-in-2 OutcomeUnknown", "gate-in-2 Offline", "gate-in-2 Online", "gate-in-2 down"];
    assert_eq!(rig.take(4).await, again, "the sealed copy is what runs");
    let refusal = start(&library, acme.trust(&["acme.barrier"])).err().expect("refused").to_string();
    assert!(refusal.contains("not a driver"), "{refusal}");
}

/// Somebody swaps the name between the signed library and another one, as fast as they can, while the box takes it in.
#[tokio::test]
async fn a_link_that_is_swapped_while_it_is_opened_never_lets_the_other_file_in() {
    let acme = Vendor::new();
    let signed = acme.release("1.0.0", &[]);
    let other = acme.library("1.0.0", &["DIES", "A"]);
    let link = acme.folder().join("driver.so");
    std::fs::copy(signature_path(&signed), signature_path(&link)).expect("its signature");
    symlink(&signed, &link).expect("a link");
    let digest = SealedLibrary::take(&link, &acme.trust(&["acme.barrier"])).expect("trusted").identity().digest.clone();
    let done = AtomicBool::new(false);
    let (taken, refused) = std::thread::scope(|scope| {
        scope.spawn(|| {
            let next = acme.folder().join("next");
            for target in [&other, &signed].into_iter().cycle() {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                symlink(target, &next).expect("a link");
                std::fs::rename(&next, &link).expect("swapped");
            }
        });
        let (mut taken, mut refused) = (0, 0);
        while (taken < 50 || refused < 50) && taken + refused < 20_000 {
            match SealedLibrary::take(&link, &acme.trust(&["acme.barrier"])) {
                Ok(library) => {
                    assert_eq!(library.identity().digest, digest, "the other file was let in");
                    taken += 1;
                }
                Err(fault) => {
                    assert!(fault.to_string().contains("altered"), "{fault}");
                    refused += 1;
                }
            }
        }
        done.store(true, Ordering::Relaxed);
        (taken, refused)
    });
    assert!(taken >= 50 && refused >= 50, "both were met: {taken} taken, {refused} refused");
}

#[tokio::test]
async fn a_pipe_or_a_folder_where_the_library_should_be_is_refused_at_once() {
    let acme = Vendor::new();
    let pipe = acme.folder().join("pipe.so");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there");
    assert!(made.success());
    for path in [pipe.as_path(), acme.folder(), Path::new("/dev/zero")] {
        let refusal = start(path, acme.trust(&["acme.barrier"])).err().expect("refused").to_string();
        assert!(refusal.contains("it is no file"), "{refusal}");
    }
}

/// Links a library against a C library of tomorrow: one symbol of a version that no glibc has.
fn wants_a_newer_glibc(folder: &Path) -> std::path::PathBuf {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    write("tomorrow.c", "void call_of_tomorrow(void) {}\n");
    write("tomorrow.map", "GLIBC_9.99 { call_of_tomorrow; };\n");
    write("wants.c", "extern void call_of_tomorrow(void);\nvoid wants(void) { call_of_tomorrow(); }\n");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (abi, source) = (root.join("../plugins/abi"), root.join("tests/plugin/versions.c"));
    let cc = |arguments: &[&str]| {
        let status = std::process::Command::new("cc").current_dir(folder).args(arguments).status();
        assert!(status.expect("a C compiler named cc").success(), "{arguments:?}");
    };
    let stub = ["-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libc.so.6", "-Wl,--version-script=tomorrow.map"];
    cc(&[&stub[..], &["-o", "libtomorrow.so", "tomorrow.c"]].concat());
    let (abi, source) = (abi.display().to_string(), source.display().to_string());
    cc(&["-std=c11", "-shared", "-fPIC", "-I", &abi, "-o", "new.so", "wants.c", &source, "./libtomorrow.so"]);
    folder.join("new.so")
}

#[tokio::test]
async fn a_file_that_wants_a_newer_glibc_is_refused_in_words_before_it_is_loaded() {
    let acme = Vendor::new();
    let library = wants_a_newer_glibc(acme.folder());
    acme.sign(&library, "acme.barrier", "1.0.0");
    let refusal = start(&library, acme.trust(&["acme.barrier"])).err().expect("refused").to_string();
    assert!(refusal.contains("too new for this box: it needs glibc 9.99"), "{refusal}");
}

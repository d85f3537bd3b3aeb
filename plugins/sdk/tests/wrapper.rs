//! The C++ wrapper, tried by a C++ program that plays the host; under the sanitizers of the compiler.

use std::path::Path;
use std::process::Command;

#[test]
fn the_cpp_wrapper_catches_exceptions_and_answers_each_command_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    for standard in ["-std=c++17", "-std=c++20"] {
        let program = folder.path().join("wrapper");
        let built = Command::new("c++")
            .args([standard, "-g", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsanitize=address,undefined"])
            .arg("-I")
            .arg(root.join("../abi"))
            .arg("-I")
            .arg(root.join("cpp"))
            .arg("-o")
            .args([&program, &root.join("tests/wrapper.cpp")])
            .status()
            .expect("a C++ compiler named c++");
        assert!(built.success(), "the wrapper does not compile with {standard}");
        let output = Command::new(&program).output().expect("the program runs");
        assert!(output.status.success(), "{standard}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

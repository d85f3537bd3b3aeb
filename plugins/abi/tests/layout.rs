//! The header and the Rust mirror of it agree, as a C compiler sees the one and rustc the other.

use std::mem::{offset_of, size_of};
use std::path::Path;
use std::process::Command;

use tollhouse_abi::{Bytes, DriverTable, HostTable, LogLevel, Status, Text, WhitelistTable};

macro_rules! layout {
    ($lines:ident, $rust:ident, $c:literal, [$($field:ident),*]) => {
        $lines.push((format!("sizeof({})", $c), number(size_of::<$rust>())));
        $($lines.push((format!("offsetof({}, {})", $c, stringify!($field)), number(offset_of!($rust, $field))));)*
    };
}

fn number(bytes: usize) -> i64 {
    i64::try_from(bytes).expect("sizes are small")
}

/// Every number that both sides must see alike: the C expression, and its value in Rust.
fn expectations() -> Vec<(String, i64)> {
    let mut lines = Vec::new();
    layout!(lines, Text, "tollhouse_text", [data, length]);
    layout!(lines, Bytes, "tollhouse_bytes", [data, length]);
    layout!(
        lines,
        HostTable,
        "tollhouse_host",
        [struct_size, abi_major, abi_minor, reserved, context, log, emit, complete, now_ms, extension]
    );
    layout!(
        lines,
        DriverTable,
        "tollhouse_driver",
        [
            struct_size,
            abi_major,
            abi_minor,
            reserved,
            descriptor_json,
            create,
            start,
            command,
            stop,
            destroy,
            extension
        ]
    );
    layout!(lines, WhitelistTable, "tollhouse_whitelist", [struct_size, reserved, replace, capacity]);
    lines.push(("TOLLHOUSE_ABI_MAJOR".into(), tollhouse_abi::ABI_MAJOR.into()));
    lines.push(("TOLLHOUSE_ABI_MINOR".into(), tollhouse_abi::ABI_MINOR.into()));
    lines.push(("TOLLHOUSE_MAX_JSON_BYTES".into(), number(tollhouse_abi::MAX_JSON_BYTES)));
    lines.push(("TOLLHOUSE_MAX_PICTURE_BYTES".into(), number(tollhouse_abi::MAX_PICTURE_BYTES)));
    lines.push(("TOLLHOUSE_MAX_LOG_BYTES".into(), number(tollhouse_abi::MAX_LOG_BYTES)));
    lines.push(("TOLLHOUSE_MAX_ID_BYTES".into(), number(tollhouse_abi::MAX_ID_BYTES)));
    lines.push(("TOLLHOUSE_WHITELIST_MAX_PLATES".into(), number(tollhouse_abi::WHITELIST_MAX_PLATES)));
    lines.push(("sizeof TOLLHOUSE_WHITELIST - 1".into(), number(tollhouse_abi::WHITELIST.len())));
    let statuses = [
        ("OK", Status::Ok),
        ("INVALID", Status::Invalid),
        ("UNSUPPORTED", Status::Unsupported),
        ("BUSY", Status::Busy),
        ("OFFLINE", Status::Offline),
        ("TIMEOUT", Status::Timeout),
        ("REJECTED", Status::Rejected),
        ("INTERNAL", Status::Internal),
    ];
    lines.extend(statuses.map(|(name, status)| (format!("TOLLHOUSE_{name}"), status.code().into())));
    let levels =
        [("ERROR", LogLevel::Error), ("WARN", LogLevel::Warn), ("INFO", LogLevel::Info), ("DEBUG", LogLevel::Debug)];
    lines.extend(levels.map(|(name, level)| (format!("TOLLHOUSE_LOG_{name}"), level.code().into())));
    lines
}

/// Compiles a program that prints every expectation's C side, and returns what it prints.
fn seen_by(compiler: &str, standard: &str, extension: &str, expectations: &[(String, i64)]) -> Vec<i64> {
    let prints: Vec<String> =
        expectations.iter().map(|(what, _)| format!("printf(\"%lld\\n\", (long long)({what}));\n")).collect();
    let prints = prints.concat();
    let source = format!(
        "#include <stddef.h>\n#include <stdio.h>\n#include \"tollhouse_driver.h\"\nint main(void) {{\n{prints}return 0;\n}}\n"
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, program) = (folder.path().join("layout").with_extension(extension), folder.path().join("layout"));
    std::fs::write(&file, source).expect("the program's source");
    let built = Command::new(compiler)
        .args([standard, "-Wall", "-Wextra", "-Werror", "-pedantic", "-I"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(["-o".as_ref(), program.as_os_str(), file.as_os_str()])
        .status()
        .expect("a compiler");
    assert!(built.success(), "the header does not compile with {compiler} {standard}");
    let printed = Command::new(&program).output().expect("the program runs");
    String::from_utf8(printed.stdout).expect("numbers").lines().map(|line| line.parse().expect("a number")).collect()
}

#[test]
fn c_and_cpp_compilers_see_the_same_layout_as_rust() {
    let expectations = expectations();
    for (compiler, standard, extension) in
        [("cc", "-std=c11", "c"), ("cc", "-std=c99", "c"), ("c++", "-std=c++17", "cpp"), ("c++", "-std=c++20", "cpp")]
    {
        let seen = seen_by(compiler, standard, extension, &expectations);
        assert_eq!(seen.len(), expectations.len());
        for ((what, rust), c) in expectations.iter().zip(seen) {
            assert_eq!(*rust, c, "{what} with {compiler} {standard}");
        }
    }
}

/// A field that one side has and the other lacks would not show in a list that is written by hand.
#[test]
fn the_header_has_no_field_that_the_test_forgets() {
    let header = include_str!("../tollhouse_driver.h");
    let known: Vec<String> = expectations().into_iter().map(|(what, _)| what).collect();
    let mut fields = 0;
    for name in ["tollhouse_text", "tollhouse_bytes", "tollhouse_host", "tollhouse_driver", "tollhouse_whitelist"] {
        let begin = header.find(&format!("typedef struct {name} {{")).expect(name);
        let body = &header[begin..begin + header[begin..].find(&format!("}} {name};")).expect("its end")];
        for field in fields_of(body) {
            assert!(known.contains(&format!("offsetof({name}, {field})")), "{name} has {field}");
            fields += 1;
        }
    }
    assert_eq!(fields, known.iter().filter(|what| what.starts_with("offsetof")).count());
}

/// The names of the fields in a struct's text: function pointers `(*name)(`, and what stands before a `;`.
fn fields_of(body: &str) -> Vec<String> {
    let mut code = String::new();
    for piece in body.split("/*") {
        code.push_str(piece.split_once("*/").map_or(piece, |(_, code)| code));
    }
    let (_, members) = code.split_once('{').expect("a struct");
    members
        .split(';')
        .filter(|member| !member.trim().is_empty())
        .map(|member| match member.split_once("(*") {
            Some((_, name)) => name.split(')').next().expect("a name").to_owned(),
            None => member.split([' ', '*']).next_back().expect("a name").to_owned(),
        })
        .collect()
}

#[test]
fn a_status_that_the_contract_does_not_know_is_a_fault_of_the_driver() {
    for code in 0..8 {
        assert_eq!(Status::from_code(code).code(), code);
    }
    assert_eq!(Status::from_code(-1), Status::Internal);
    assert_eq!(Status::from_code(99), Status::Internal);
}

//! The header and the Rust mirror of it agree, as a C compiler sees the one and rustc the other.

use std::mem::{offset_of, size_of};
use std::path::Path;
use std::process::Command;

use tollhouse_abi::{Bytes, DriverTable, HostTable, LogLevel, Status, Text};

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
    lines.push(("TOLLHOUSE_ABI_MAJOR".into(), tollhouse_abi::ABI_MAJOR.into()));
    lines.push(("TOLLHOUSE_ABI_MINOR".into(), tollhouse_abi::ABI_MINOR.into()));
    lines.push(("TOLLHOUSE_MAX_JSON_BYTES".into(), number(tollhouse_abi::MAX_JSON_BYTES)));
    lines.push(("TOLLHOUSE_MAX_PICTURE_BYTES".into(), number(tollhouse_abi::MAX_PICTURE_BYTES)));
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

#[test]
fn a_c_compiler_sees_the_same_layout_as_rust() {
    let expectations = expectations();
    let prints: Vec<String> =
        expectations.iter().map(|(what, _)| format!("printf(\"%lld\\n\", (long long)({what}));\n")).collect();
    let prints = prints.concat();
    let source = format!(
        "#include <stddef.h>\n#include <stdio.h>\n#include \"tollhouse_driver.h\"\nint main(void) {{\n{prints}return 0;\n}}\n"
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, program) = (folder.path().join("layout.c"), folder.path().join("layout"));
    std::fs::write(&file, source).expect("the program's source");
    let compiled = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(["-o".as_ref(), program.as_os_str(), file.as_os_str()])
        .status()
        .expect("a C compiler named cc");
    assert!(compiled.success(), "the header does not compile as C11");
    let printed = Command::new(&program).output().expect("the program runs");
    let seen: Vec<i64> = String::from_utf8(printed.stdout)
        .expect("numbers")
        .lines()
        .map(|line| line.parse().expect("a number"))
        .collect();
    assert_eq!(seen.len(), expectations.len());
    for ((what, rust), c) in expectations.iter().zip(seen) {
        assert_eq!(*rust, c, "{what}");
    }
}

#[test]
fn a_status_that_the_contract_does_not_know_is_a_fault_of_the_driver() {
    for code in 0..8 {
        assert_eq!(Status::from_code(code).code(), code);
    }
    assert_eq!(Status::from_code(-1), Status::Internal);
    assert_eq!(Status::from_code(99), Status::Internal);
}

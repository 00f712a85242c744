//! Every dependency that is built has a licence from a short list.

use std::process::Command;

/// What an expression may name.
const ACCEPTED: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "Unicode-3.0",
    "Unlicense",
];

/// The licences that an SPDX expression names; `/` is an old way to write `OR`.
fn licences(expression: &str) -> Vec<String> {
    let words = expression.replace(['(', ')'], " ").replace('/', " OR ");
    let mut names: Vec<String> = Vec::new();
    let mut with = false;
    for word in words.split_whitespace() {
        match (word, names.last_mut()) {
            ("AND" | "OR", _) => {}
            ("WITH", _) => with = true,
            (exception, Some(name)) if with => {
                *name = format!("{name} WITH {exception}");
                with = false;
            }
            (name, _) => names.push(name.to_owned()),
        }
    }
    names
}

#[test]
fn expressions_are_taken_apart() {
    assert_eq!(
        licences("(MIT OR Apache-2.0) AND Unicode-3.0"),
        ["MIT", "Apache-2.0", "Unicode-3.0"]
    );
    assert_eq!(licences("MIT/GPL-2.0"), ["MIT", "GPL-2.0"]);
    let exception = "Apache-2.0 WITH LLVM-exception OR MIT";
    assert_eq!(licences(exception), ["Apache-2.0 WITH LLVM-exception", "MIT"]);
}

#[test]
fn every_dependency_has_an_accepted_licence() {
    // Only this platform's packages have been downloaded.
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.iter().any(|package| package["name"] == "kvm-ioctls"));
    let mut refused = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let expression = package["license"].as_str().unwrap_or("none");
        if licences(expression).iter().any(|licence| !ACCEPTED.contains(&licence.as_str())) {
            refused.push(format!("{name}: {expression}"));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

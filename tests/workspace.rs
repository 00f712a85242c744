//! The rules of the house that a compiler does not check: which crate may know which.

use std::collections::BTreeMap;
use std::process::Command;

/// What each crate may depend on within the workspace (ARCHITECTURE.md has the same table in words).
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("qapi", &[]),
    ("codegen", &[]),
    ("qmp", &["qapi"]),
    ("arch", &[]),
    ("devices", &["qapi"]),
    ("vmm", &["arch", "devices", "qapi", "qmp"]),
    ("harness", &[]),
];

#[test]
fn crates_know_only_whom_they_may() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo metadata runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let allowed: BTreeMap<_, _> = MAY_KNOW.iter().copied().collect();
    let packages = metadata["packages"].as_array().expect("packages");
    assert_eq!(packages.len(), allowed.len(), "every crate of the workspace has a row");
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let may_know = allowed.get(name).unwrap_or_else(|| panic!("{name} has no row"));
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let known = dependency["name"].as_str().expect("a name");
            let for_tests = dependency["kind"] == "dev";
            if allowed.contains_key(known) && !for_tests {
                assert!(may_know.contains(&known), "{name} must not know {known}");
            }
        }
    }
}

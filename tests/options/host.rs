//! A host without KVM, or with one that may not be used: one line that says what to do.

use std::process::Command;

use harness::{Exit, kvm_or_skip, skip};

use crate::guest::builder;

/// Runs the program after `setup` in a mount namespace of its own.
fn run_after(setup: &str, name: &str) -> Option<Exit> {
    let possible = Command::new("unshare").args(["-m", "true"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        skip(name, "no right to a mount namespace");
        return None;
    }
    let mut builder = builder().args("-display none");
    let command = builder.command();
    let mut shell = Command::new("unshare");
    shell.args(["-m", "sh", "-c", &format!("{setup} && exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    *command = shell;
    Some(builder.run())
}

fn one_line(exit: &Exit, advice: &str) {
    assert_eq!(exit.status, Some(1), "{exit:?}");
    assert_eq!(exit.stderr.lines().count(), 1, "{exit:?}");
    assert!(exit.stderr.contains("/dev/kvm") && exit.stderr.contains(advice), "{exit:?}");
}

#[test]
fn no_kvm() {
    if let Some(exit) = run_after("mount -t tmpfs none /dev", "options::no_kvm") {
        one_line(&exit, "load kvm");
    }
}

#[test]
fn something_else_in_its_place() {
    if !kvm_or_skip("options::not_kvm") {
        return;
    }
    if let Some(exit) = run_after("mount --bind /dev/null /dev/kvm", "options::not_kvm") {
        one_line(&exit, "API version");
    }
}

#[test]
fn kvm_that_may_not_be_used() {
    if !kvm_or_skip("options::kvm_refused") {
        return;
    }
    let command = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    let tried = Command::new("sh").args(["-c", &format!("{command} cat /dev/kvm")]).output();
    let refused = tried
        .is_ok_and(|output| String::from_utf8_lossy(&output.stderr).contains("Permission denied"));
    if !refused {
        return skip("options::kvm_refused", "no other user who may not use /dev/kvm");
    }
    let mut builder = builder().args("-display none");
    let inner = builder.command();
    let mut shell = Command::new("setpriv");
    shell.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    shell.arg(inner.get_program()).args(inner.get_args());
    *inner = shell;
    let exit = builder.run();
    one_line(&exit, "kvm");
}

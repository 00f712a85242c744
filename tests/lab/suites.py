"""Finds the program and the suites, building them when only their names are given."""

import json
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class BuildError(Exception):
    """cargo failed; it has said why."""


def target():
    """The folder of everything that is built."""
    return Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").absolute()


def build_vmm():
    """Builds the program as users get it; returns its file."""
    return Path(_cargo("build", "--release", "--package", "vmm", "--bin", "vmm")["vmm"])


def find(suite):
    """The name and the file of a suite, given as a file or as the name of a test target."""
    path = Path(suite)
    if path.is_file():
        return re.sub(r"-[0-9a-f]{16}$", "", path.name), path
    if "/" in suite:
        raise BuildError(f"{suite}: no such file")
    return suite, Path(_cargo("test", "--no-run", "--package", "vmm", "--test", suite)[suite])


def _cargo(*words):
    """Runs cargo; returns the files of the executables that it made, by their names."""
    command = ["cargo", *words, "--message-format=json-render-diagnostics"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BuildError(f"cargo {' '.join(words)} failed")
    made = {}
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable"):
            made[message["target"]["name"]] = message["executable"]
    return made

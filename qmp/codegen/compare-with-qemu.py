#!/usr/bin/env python3
"""Compares the introspection of two monitors, for developers: what does ours say that QEMU's does not, and the reverse?

usage: compare-with-qemu.py OURS [QEMU]

OURS is the unix socket of a running monitor, or a file with its reply to query-qmp-schema. QEMU is the program to start
(default: qemu-system-x86_64). Only commands and events that both have are compared, member by member. Exit status 1 means
that ours has something QEMU has not; what ours leaves out is listed for information.
"""

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time


def ask(path):
    """The schema of the monitor at a socket."""
    connection = socket.socket(socket.AF_UNIX)
    for _ in range(100):
        try:
            connection.connect(path)
            break
        except OSError:
            time.sleep(0.1)
    stream = connection.makefile("rw")
    stream.readline()
    for command in "qmp_capabilities", "query-qmp-schema":
        stream.write(json.dumps({"execute": command}) + "\n")
        stream.flush()
        reply = json.loads(stream.readline())
    return reply["return"]


def load(source):
    """The schema from a socket or a file."""
    if stat.S_ISSOCK(os.stat(source).st_mode):
        return ask(source)
    with open(source, encoding="utf-8") as file:
        reply = json.load(file)
    return reply["return"] if isinstance(reply, dict) else reply


def qemu(program):
    """The schema of QEMU."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "qmp")
        options = ["-machine", "none", "-display", "none", "-nodefaults", "-qmp", f"unix:{path},server=on,wait=off"]
        with subprocess.Popen([program, *options]) as process:
            try:
                return ask(path)
            finally:
                process.terminate()


def flatten(schema, name, path, seen, lines):
    """Writes a line for each place in a type: its path and what is there, without names of types."""
    entry = schema[name]
    kind = entry["meta-type"]
    if name in seen:
        return
    seen = seen | {name}
    features = " ".join(entry.get("features", []))
    if kind == "builtin":
        lines[path] = entry["json-type"]
    elif kind == "enum":
        lines[path] = "enum"
        for member in entry["members"]:
            lines[f"{path}={member['name']}"] = " ".join(member.get("features", []))
    elif kind == "array":
        flatten(schema, entry["element-type"], path + "[]", seen, lines)
    elif kind == "alternate":
        lines[path] = f"alternate {features}"
        for number, member in enumerate(entry["members"]):
            flatten(schema, member["type"], f"{path}|{number}", seen, lines)
    elif kind == "object":
        lines[path] = f"object {features}"
        for place, member in enumerate(entry["members"]):
            inner = f"{path}.{member['name']}"
            flatten(schema, member["type"], inner, seen, lines)
            optional = "optional" if "default" in member else "needed"
            lines[inner + " "] = f"{optional} {' '.join(member.get('features', []))}"
        for variant in entry.get("variants", []):
            inner = f"{path}/{entry['tag']}={variant['case']}"
            flatten(schema, variant["type"], inner, seen, lines)
    else:
        lines[path] = f"{kind} {features} {entry.get('allow-oob', False)}"
        flatten(schema, entry["arg-type"], f"{path}(", seen, lines)
        if kind == "command":
            flatten(schema, entry["ret-type"], f"{path}->", seen, lines)


def orders(schema, name, path, seen, found):
    """The members of each object, in order."""
    entry = schema[name]
    if name in seen:
        return
    seen = seen | {name}
    for key in "element-type", "arg-type", "ret-type":
        if key in entry:
            orders(schema, entry[key], f"{path} {key}", seen, found)
    if entry["meta-type"] == "object":
        found[path] = [member["name"] for member in entry["members"]]
    if entry["meta-type"] in ("object", "alternate"):
        for number, member in enumerate(entry["members"]):
            orders(schema, member["type"], f"{path}.{member.get('name', number)}", seen, found)
    for variant in entry.get("variants", []):
        orders(schema, variant["type"], f"{path}/{variant['case']}", seen, found)


def main():
    ours = {entry["name"]: entry for entry in load(sys.argv[1])}
    theirs = {entry["name"]: entry for entry in qemu(sys.argv[2] if len(sys.argv) > 2 else "qemu-system-x86_64")}
    wrong = False
    for name, entry in ours.items():
        if entry["meta-type"] not in ("command", "event"):
            continue
        if name not in theirs:
            print(f"only ours: {name}")
            continue
        mine, other = {}, {}
        flatten(ours, name, name, frozenset(), mine)
        flatten(theirs, name, name, frozenset(), other)
        for path, what in mine.items():
            # Features that ours does not claim are left out like anything else.
            if path not in other or set(what.split()) - set(other[path].split()):
                wrong = True
                print(f"differs: {path}: {what} (QEMU: {other.get(path)})")
        for path in other.keys() - mine.keys():
            print(f"left out: {path}")
        my_orders, other_orders = {}, {}
        orders(ours, name, name, frozenset(), my_orders)
        orders(theirs, name, name, frozenset(), other_orders)
        for path, members in my_orders.items():
            same = [member for member in other_orders.get(path, []) if member in members]
            if same != members:
                wrong = True
                print(f"order: {path}: {members} (QEMU: {same})")
    sys.exit(wrong)


if __name__ == "__main__":
    main()

"""The lab's console: what it prints is shown as it comes; its "@lab" lines are the results."""

import os
import selectors
import shutil
import subprocess
import time

from kernel import Unavailable

# The machine gives a sign of life every 10 seconds (`init`); it hangs after this many without.
NO_LIFE = 90


def say(text):
    """A progress line."""
    print(f"lab: {text}", flush=True)


def need(program, package):
    """Checks that a program is installed."""
    if shutil.which(program) is None:
        raise Unavailable(f"{program} is missing (package {package})")


def record_skip(line):
    """Adds a line to the file of skipped tests, where someone collects them."""
    if path := os.environ.get("VMM_SKIPS"):
        with open(path, "a") as file:
            file.write(f"{line}\n")


class MachineHangs(Exception):
    """The emulated machine shows no sign of life."""


class Results:
    """What the "@lab" lines have said."""

    def __init__(self, wanted):
        self.wanted = wanted
        self.done = []
        self.broken = []
        self.ended = False

    def take(self, line):
        """Takes one line without the mark; returns what to show, if anything."""
        word, _, rest = line.partition(" ")
        if word == "up":
            return f"up after {rest} s of its own time"
        if word == "start":
            return f"suite {rest}"
        if word == "skip":
            record_skip(f"lab/{rest}")
            return f"skipped {rest}"
        if word == "broken":
            self.broken.append(rest)
        elif word == "done":
            name, status, seconds = rest.split(" ")
            self.done.append((name, int(status)))
            return f"suite {name}: status {status}, {seconds} s"
        elif word == "end":
            self.ended = True
        return None

    def passed(self):
        """Says how it ended: whether every suite ran and passed."""
        missing = self.wanted[len(self.done) :]
        failed = [name for name, status in self.done if status]
        for name in failed:
            say(f"FAILED {name}")
        for name in missing:
            say(f"FAILED {name}: it did not come to its end")
        for text in self.broken:
            say(f"FAILED: {text}")
        if not self.ended:
            say("FAILED: the lab ended before its last line")
        passed = len(self.done) - len(failed)
        say(f"{passed} of {len(self.wanted)} suites passed")
        return self.ended and not (failed or missing or self.broken)


def watch(command, wanted, silence, limit):
    """Runs the lab's machine to its end; returns the exit status for all of it."""
    start = time.monotonic()
    try:
        results = _attempt(command, wanted, silence, limit)
    except MachineHangs:
        # No program in the machine can do that to it; rarely, the emulator does it by itself.
        say("THE EMULATED MACHINE HANGS; once more from the start")
        results = Results(wanted)
        try:
            results = _attempt(command, wanted, silence, limit)
        except MachineHangs:
            results.broken.append("the emulated machine hung again")
    say(f"took {time.monotonic() - start:.0f} s")
    return 0 if results.passed() else 1


def _attempt(command, wanted, silence, limit):
    results = Results(wanted)
    start = progress = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        for line in _lines(child.stdout):
            now = time.monotonic()
            if now - start > limit:
                raise TimeoutError("the limit of time is over")
            before, mark, rest = line.partition("@lab ")
            if rest == "alive":
                # It can come in the middle of a line.
                print(before, end="", flush=True)
                if now - progress > silence:
                    raise TimeoutError(f"nothing printed for {silence} s")
                continue
            progress = now
            if before or not mark:
                print(before, flush=True)
            if text := mark and results.take(rest):
                say(f"[{now - start:.0f} s] {text}")
        child.wait(timeout=60)
    except TimeoutError as error:
        results.broken.append(str(error))
    except subprocess.TimeoutExpired:
        results.broken.append("the machine closed its console and went on")
    finally:
        child.kill()
        child.wait()
    return results


def _lines(pipe):
    """The lines of a console as they come."""
    selector = selectors.DefaultSelector()
    selector.register(pipe, selectors.EVENT_READ)
    rest = b""
    while True:
        chunk = selector.select(NO_LIFE) and os.read(pipe.fileno(), 65536)
        if not chunk and rest:
            yield _text(rest)
        if chunk == b"":
            return
        if not chunk:
            raise MachineHangs
        *lines, rest = (rest + chunk).split(b"\n")
        yield from map(_text, lines)


def _text(line):
    return line.decode(errors="replace").rstrip("\r")

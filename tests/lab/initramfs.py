"""Initial RAM file systems: cpio archives ("newc"), written without root and without cpio."""

import re
import shutil
import stat
import subprocess
from pathlib import Path

from kernel import Unavailable


class Initramfs:
    """A tree of files, written as one uncompressed archive."""

    def __init__(self):
        self._entries = {}
        for folder in ("dev", "proc", "sys", "tmp", "run", "root", "sbin"):
            self._folder(f"/{folder}")
        self._entries["/dev/console"] = (stat.S_IFCHR | 0o600, b"", (5, 1))
        self._busybox()

    def _folder(self, path):
        for parent in [*reversed(Path(path).parents)][1:] + [Path(path)]:
            self._entries.setdefault(str(parent), (stat.S_IFDIR | 0o755, b"", (0, 0)))

    def _busybox(self):
        source = shutil.which("busybox")
        if source is None:
            raise Unavailable("busybox is missing (package busybox-static)")
        if libraries(source):
            raise Unavailable(f"{source} is not static (package busybox-static)")
        self.file("/bin/busybox", source)
        self.link("/bin/sh", "busybox")

    def text(self, path, content, mode=0o644):
        """Adds a file with the given content."""
        self._folder(str(Path(path).parent))
        data = content.encode() if isinstance(content, str) else content
        self._entries[path] = (stat.S_IFREG | mode, data, (0, 0))

    def file(self, path, source):
        """Adds a copy of a file, or of a folder with all in it."""
        source = Path(source)
        if source.is_dir():
            self._folder(path)
            for entry in sorted(source.iterdir()):
                self.file(f"{path}/{entry.name}", entry)
        else:
            mode = 0o755 if source.stat().st_mode & 0o111 else 0o644
            self.text(path, source.read_bytes(), mode)

    def link(self, path, target):
        """Adds a symbolic link."""
        self._folder(str(Path(path).parent))
        self._entries[path] = (stat.S_IFLNK | 0o777, target.encode(), (0, 0))

    def program(self, path, source):
        """Adds a program with the libraries it is linked to, at the paths they have here."""
        self.file(path, source)
        for library in libraries(source):
            self.file(library, library)

    def write(self, path):
        """Writes the archive."""
        with open(path, "wb") as out:
            for number, (name, entry) in enumerate(self._entries.items(), 1):
                out.write(_record(number, name.lstrip("/"), *entry))
            out.write(_record(0, "TRAILER!!!", 0, b"", (0, 0)))


def libraries(program):
    """The libraries that `ldd` names, the dynamic linker among them."""
    done = subprocess.run(["ldd", str(program)], capture_output=True, text=True, timeout=60)
    if missing := re.findall(r"(\S+) => not found", done.stdout):
        raise Unavailable(f"{program} needs {', '.join(missing)}")
    return re.findall(r"(/\S+) \(0x[0-9a-f]+\)", done.stdout)


def _record(number, name, mode, data, device):
    path = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = [number, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(path), 0]
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + path
    return _padded(header) + _padded(data)


def _padded(data):
    return data + b"\0" * (-len(data) % 4)

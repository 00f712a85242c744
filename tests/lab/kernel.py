"""A stock distribution kernel, unpacked from its package into a cache; nothing is installed."""

import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

META_PACKAGE = "linux-image-cloud-amd64"

# Payload compressions of a bzImage by their first bytes, with the program that unpacks each from
# its standard input to its standard output.
PAYLOADS = {
    b"\x02\x21\x4c\x18": ["lz4", "-dc"],
    b"\x28\xb5\x2f\xfd": ["zstd", "-dc"],
    b"\x1f\x8b": ["gzip", "-dc"],
    b"\xfd7zXZ": ["xz", "-dc"],
}


class Unavailable(Exception):
    """Something that the lab needs cannot be had on this machine."""


class Kernel:
    """One kernel: its bzImage, the ELF image inside that, and its modules."""

    def __init__(self, folder):
        self.release = next((folder / "lib/modules").iterdir()).name
        self.bzimage = folder / f"boot/vmlinuz-{self.release}"
        self.vmlinux = folder / "vmlinux"
        self._modules = folder / "lib/modules" / self.release / "kernel"

    def module(self, path):
        """The file of the module at `path` below the kernel's module folder."""
        return self._modules / path


def obtain(cache):
    """The newest kernel that the package lists name, or else the newest in the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    try:
        folder = cache / _package_name()
        if not (folder / "vmlinux").exists():
            _unpack(folder)
    except Unavailable:
        cached = [f.parent for f in cache.glob("linux-image-*/vmlinux")]
        if not cached:
            raise
        folder = max(cached, key=lambda f: [int(n) for n in re.findall(r"\d+", f.name)])
    return Kernel(folder)


def extract(bzimage):
    """The uncompressed kernel inside a bzImage (boot protocol 2.08 or newer)."""
    if bzimage[0x202:0x206] != b"HdrS" or struct.unpack_from("<H", bzimage, 0x206)[0] < 0x208:
        raise ValueError("no bzImage of boot protocol 2.08 or newer")
    start = ((bzimage[0x1F1] or 4) + 1) * 512
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    # Linux appends the uncompressed size to every payload.
    payload = bzimage[start + offset : start + offset + length - 4]
    if payload.startswith(b"\x7fELF"):
        return payload
    for magic, command in PAYLOADS.items():
        if payload.startswith(magic):
            return _run(command, input=payload)
    raise ValueError(f"payload begins with {payload[:8].hex()}, of no known compression")


def _package_name():
    lines = _run(["apt-cache", "depends", META_PACKAGE]).decode().splitlines()
    for line in lines:
        if match := re.match(r"\s*Depends: (linux-image-\d\S*-cloud-amd64)$", line):
            return match[1]
    raise Unavailable(f"the package lists have no {META_PACKAGE}")


def _unpack(folder):
    # Under another name until complete, so that an interrupted run leaves no half kernel.
    partial = folder.with_name(f"partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        _run(["apt-get", "download", folder.name], cwd=partial)
        package = next(partial.glob("*.deb"))
        _run(["dpkg-deb", "-x", str(package), str(partial)])
        package.unlink()
        image = next((partial / "boot").glob("vmlinuz-*"))
        (partial / "vmlinux").write_bytes(extract(image.read_bytes()))
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _run(command, **options):
    try:
        done = subprocess.run(command, capture_output=True, timeout=300, check=False, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]}: {error}") from error
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Unavailable(f"{' '.join(command[:2])}: {' '.join(last) or done.returncode}")
    return done.stdout

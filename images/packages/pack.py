#!/usr/bin/env python3
"""Writes one archive whose bytes depend on nothing but names, contents and the time that it is given.

usage: pack.py TIME ARCHIVE TREE APP PLACE

TREE is a platform's own part, APP the folder that all share and PLACE where in the archive it goes. TIME is in seconds since 1970. The modes say
that scripts and programs may be started, for file systems that keep modes; nothing rests on them.
"""
import sys
import time
import zipfile
from pathlib import Path


def files(tree, place=""):
    """Every file below `tree`, as (name in the archive, path)."""
    return [(f"{place}{path.relative_to(tree).as_posix()}", path) for path in tree.rglob("*") if path.is_file()]


def starts(data):
    return data.startswith((b"#!", b"\x7fELF"))


def main():
    seconds, archive, tree, app, place = int(sys.argv[1]), *sys.argv[2:]
    entries = sorted(files(Path(tree)) + files(Path(app), place + "/"))
    names = [name for name, _ in entries]
    if len(set(names)) != len(names):
        sys.exit(f"{archive}: two files have one name")
    # A zip counts in steps of two seconds, from 1980.
    moment = time.gmtime(max(seconds, 315532800))[:6]
    with zipfile.ZipFile(archive, "w") as out:
        for name, path in entries:
            data = path.read_bytes()
            entry = zipfile.ZipInfo(name, moment)
            entry.create_system = 3
            entry.external_attr = (0o100755 if starts(data) else 0o100644) << 16
            # What is compressed already only costs a handheld time.
            small = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            out.writestr(entry, data, compress_type=small, compresslevel=9)


if __name__ == "__main__":
    main()

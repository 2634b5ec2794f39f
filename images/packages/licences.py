#!/usr/bin/env python3
"""Collects the licences of every crate in the handheld's program, from the crates themselves.

usage: cargo metadata ... | licences.py ROOT-CRATE PROJECT-FOLDER > crates.txt

Follows what is linked (normal dependencies) and what its code was made by (procedural macros are among them); crates that only tests or
build scripts need are left out. A crate without a licence text of its own, and whose licence the project's texts do not cover, is an error.
"""
import hashlib
import json
import sys
from pathlib import Path

# A crate that publishes no text but names one of these is covered by the same words in the project's own files.
STANDARD = {"MIT": "LICENSE-MIT", "Apache-2.0": "LICENSE-APACHE"}
NAMES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE", "AUTHORS-LICENSE")


def linked(metadata, root):
    """The packages behind normal dependencies of `root`, itself left out, by name and version."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    todo = [next(p["id"] for p in metadata["packages"] if p["name"] == root)]
    seen = set(todo)
    while todo:
        for dependency in nodes[todo.pop()]["deps"]:
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if normal and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                todo.append(dependency["pkg"])
    foreign = [packages[i] for i in seen if packages[i]["source"] is not None]
    return sorted(foreign, key=lambda p: (p["name"], p["version"]))


def texts(package):
    """The licence files in the package's folder and one below, sorted by name."""
    folder = Path(package["manifest_path"]).parent
    found = [f for f in sorted(folder.glob("*")) + sorted(folder.glob("*/*"))
             if f.is_file() and f.name.upper().startswith(NAMES) and f.suffix.lower() not in (".rs", ".py", ".sh", ".toml")]
    named = package.get("license_file")
    if named and (folder / named) not in found and (folder / named).is_file():
        found.append(folder / named)
    return [f.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").strip() for f in found]


def main():
    root, project = sys.argv[1], Path(sys.argv[2])
    packages = linked(json.load(sys.stdin), root)
    order, places, lines, missing = [], {}, [], []
    for package in packages:
        own = texts(package)
        if not own:
            licence = package["license"] or ""
            covered = [name for name in STANDARD if name in licence]
            if not covered:
                missing.append(f"{package['name']} {package['version']} ({licence or 'no licence named'})")
            own = [(project / STANDARD[name]).read_text(encoding="utf-8").strip() for name in covered]
        numbers = []
        for text in own:
            key = hashlib.sha256(" ".join(text.split()).encode()).digest()
            if key not in places:
                order.append(text)
                places[key] = len(order)
            numbers.append(places[key])
        authors = ", ".join(a.split(" <")[0] for a in package["authors"])
        lines.append(f"{package['name']} {package['version']}: {package['license'] or 'see text'}; texts {', '.join(map(str, sorted(set(numbers))))}"
                     + (f"; {authors}" if authors else ""))
    if missing:
        sys.exit("These crates come without a licence text: " + "; ".join(missing))
    print(f"The {len(packages)} crates in officeos-handheld, and the texts of their licences, which follow by number.\n")
    print("\n".join(lines))
    for number, text in enumerate(order, 1):
        print(f"\n{'=' * 100}\nText {number}\n{'=' * 100}\n\n{text}")


if __name__ == "__main__":
    main()

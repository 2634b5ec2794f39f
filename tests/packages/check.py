#!/usr/bin/env python3
"""Opens the packages and checks every rule of their platforms. Prints the rules that hold, and fails with those that do not.

usage: check.py FOLDER VERSION

Where a rule comes from is named at it:
  website   PortsMaster/PortMaster-Website, content/markdown/packaging.markdown
  release   PortsMaster/PortMaster-New, tools/build_release.py and tools/libs/util.py: what a release is refused or warned for
  gui       PortsMaster/PortMaster-GUI, PortMaster/pylibs/harbourmaster/captain.py: what PortMaster checks at installation
  muos      MustardOS/internal, script/mux/extract.sh and script/var/zip.sh; the applications in share/application
  stock     massimilianovallascas/anbernic_stockos_apps, Readme.md
  es        EmulationStation's local art: images/NAME-image.png beside the ports
  fat       Microsoft, "FAT: General Overview of On-Disk Format" and "exFAT file system specification": names
"""
import json
import re
import struct
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

SHARED = {"officeos-handheld", "launch", "officeos-radio", "field-test", "wpa_supplicant", "wpa_cli", "version", "officeos.md"}
FONTS = {path.name for path in Path("handheld/assets/fonts").glob("*.tt?")} - {"IBMPlexSans-Regular.ttf"}
LICENSES = {"LICENSE-MIT", "LICENSE-APACHE", "README.txt", "crates.txt", "fonts.txt", "words.md", "wpa_supplicant.txt", "libnl.txt",
            "glibc.txt", "zig.txt"} | {"font-" + p.name.removeprefix("LICENSE-") for p in Path("handheld/assets/fonts").glob("LICENSE-*")}
# util.py, PORT_INFO_GENRES
GENRES = {"action", "adventure", "arcade", "casino/card", "fps", "platformer", "puzzle", "racing", "rhythm", "rpg", "simulation", "sports",
          "strategy", "visual novel", "other"}
# What FAT's long names and exFAT's forbid, and what DOS took for devices.
FORBIDDEN = re.compile(r'[\x00-\x1f"*/:<>?\\|]')
DEVICES = {"CON", "PRN", "AUX", "NUL"} | {f"{d}{n}" for d in ("COM", "LPT") for n in range(1, 10)}

failures = 0


def rule(archive, text, holds, seen=""):
    global failures
    if not holds:
        failures += 1
        print(f"{archive}: BROKEN: {text}: {seen}")


def png_size(data):
    return struct.unpack(">II", data[16:24]) if data.startswith(b"\x89PNG\r\n\x1a\n") else (0, 0)


class Archive:
    def __init__(self, path):
        self.name, self.file = path.name, zipfile.ZipFile(path)
        self.names = self.file.namelist()
        self.rules = 0

    def rule(self, text, holds, seen=""):
        self.rules += 1
        rule(self.name, text, holds, seen)

    def read(self, name):
        return self.file.read(name) if name in self.names else b""

    def below(self, folder):
        return {name.removeprefix(folder) for name in self.names if name.startswith(folder)}

    def script(self, name, interpreters=("#!/bin/sh",)):
        data = self.read(name)
        self.rule(f"{name} is a script with Unix ends of lines", data.startswith(tuple(i.encode() + b"\n" for i in interpreters)) and b"\r" not in data, data[:20])


def common(a, app):
    infos = a.file.infolist()
    a.rule("every part is whole", a.file.testzip() is None)
    # gui, muos (SAFE_ARCHIVE)
    a.rule("no absolute path and no ..", not any(n.startswith("/") or ".." in n.split("/") or "\\" in n for n in a.names))
    # fat
    parts = {part for name in a.names for part in name.split("/")}
    bad = [p for p in parts if FORBIDDEN.search(p) or p != p.strip(" ") or p.endswith(".") or not p.isascii() or len(p) > 255 or p.split(".")[0].upper() in DEVICES]
    a.rule("names that FAT and exFAT take", not bad, bad)
    folded = [name.casefold() for name in a.names]
    a.rule("no two names that differ in case only", len(set(folded)) == len(folded))
    clashes = {f.casefold() for f in a.names} & {"/".join(n.split("/")[:i]).casefold() for n in a.names for i in range(1, n.count("/") + 1)}
    a.rule("no file with a folder's name", not clashes, clashes)
    a.rule("paths of at most 200 letters", max(map(len, a.names)) <= 200)
    a.rule("plain files only, no links", all(i.external_attr >> 28 == 0o10 for i in infos))
    a.rule("may be started: scripts and programs, nothing else", all(bool(i.external_attr >> 16 & 0o111) == a.read(i.filename).startswith((b"#!", b"\x7fELF")) for i in infos))
    a.rule("one time for all", len({i.date_time for i in infos}) == 1)
    a.rule("sorted", a.names == sorted(a.names))
    a.rule("what is of the user is in none", not [n for n in a.names if f"{app}home" in n or n.endswith((".log", ".log.1", "radio.txt"))])

    inside = a.below(app)
    a.rule("the program and what it starts", SHARED <= inside, SHARED - inside)
    a.rule("every font", FONTS == {n.removeprefix("fonts/") for n in inside if n.startswith("fonts/")})
    texts = {n.removeprefix("licenses/") for n in inside if n.startswith("licenses/")}
    a.rule("the licence of everything inside", texts == LICENSES, texts ^ LICENSES)
    a.rule("no licence is empty", all(len(a.read(f"{app}licenses/{n}")) > 200 for n in texts))
    for name in ("officeos-handheld", "wpa_supplicant", "wpa_cli"):
        head = a.read(app + name)[:20]
        a.rule(f"{name} is for aarch64", head[:5] == b"\x7fELF\x02" and head[18:20] == b"\xb7\x00", head)
    for name in ("launch", "officeos-radio", "field-test"):
        a.script(app + name)
    a.rule("the version", a.read(app + "version").decode().strip() == VERSION)


def portmaster(a):
    common(a, "officeos/")
    top = {n for n in a.names if "/" not in n}
    # website, "Portname requirements"; release: name_cleaner
    a.rule("the archive is named for the port", re.fullmatch(r"[a-z0-9][a-z0-9._]*\.zip", a.name) is not None)
    # release: what a released archive holds on its first level; gui refuses one without a folder or a script
    a.rule("on the first level one script and one folder", top == {"OfficeOS.sh"} and {n.split("/")[0] for n in a.names} - top == {"officeos"}, top)
    # website: "The script should have capital letters and must end in .sh"
    a.rule("the script has capitals and ends in .sh", all(n[0].isupper() and n.endswith(".sh") for n in top))
    # release, gui: "Script found in port directories, this can cause issues"
    a.rule("no .sh in the folder", not [n for n in a.names if "/" in n and n.lower().endswith(".sh")])
    # release: REQUIRED_FILES, and where build_port_zip puts them
    required = {"port.json", "gameinfo.xml", "screenshot.png", "officeos.md"}
    a.rule("port.json, gameinfo.xml, screenshot and read-me in the folder", required <= a.below("officeos/"), required - a.below("officeos/"))
    # website: "Please add licensefiles ... into a licenses subfolder"
    a.rule("a folder licenses", any(n.startswith("officeos/licenses/") for n in a.names))

    info = json.loads(a.read("officeos/port.json") or "{}")
    a.rule("port.json has the parts of version 2 and no others", info.get("version") == 2 and set(info) == {"version", "name", "items", "items_opt", "attr"}, info.keys())
    attributes = info.get("attr", {})
    known = {"title", "desc", "inst", "genres", "porter", "image", "rtr", "exp", "runtime", "reqs", "arch"}
    a.rule("its attributes are those of util.py", set(attributes) == known, set(attributes) ^ known)
    a.rule("its name is the archive's", info.get("name") == a.name)
    a.rule("its items are what is on the first level", sorted(info.get("items", [])) == ["OfficeOS.sh", "officeos/"], info.get("items"))
    a.rule("its genres are PortMaster's", attributes.get("genres") and set(attributes["genres"]) <= GENRES)
    a.rule("it says that it is for aarch64", attributes.get("arch") == ["aarch64"])
    a.rule("lists where lists are wanted", all(isinstance(attributes.get(k), list) for k in ("genres", "porter", "reqs", "arch")) and isinstance(attributes.get("image"), dict))
    a.rule("ready to run, with a sentence", attributes.get("rtr") is True and attributes.get("inst", "").startswith("Ready to run."))

    # website: "Use a 4:3 aspect ratio with minimum resolution of 640x480"
    width, height = png_size(a.read("officeos/screenshot.png"))
    a.rule("the screenshot is 4:3 and at least 640x480", width * 3 == height * 4 and width >= 640, (width, height))
    # website: the structure of gameinfo.xml
    game = ElementTree.fromstring(a.read("officeos/gameinfo.xml") or b"<x/>").find("game")
    fields = {child.tag: child.text for child in game} if game is not None else {}
    a.rule("gameinfo.xml names the script and the picture", fields.get("path") == "./OfficeOS.sh" and fields.get("image") == "./officeos/screenshot.png", fields)
    a.rule("gameinfo.xml has name, description, developer and genre", all(fields.get(k) for k in ("name", "desc", "developer", "publisher", "genre")))
    # website: the order of the steps
    text = a.read("OfficeOS.sh").decode()
    steps = ['controlfolder="/opt/system/Tools/PortMaster"', 'controlfolder="/opt/tools/PortMaster"', 'controlfolder="$XDG_DATA_HOME/PortMaster"',
             'controlfolder="/roms/ports/PortMaster"', "control.txt", "mod_${CFW_NAME}.txt", "get_controls\n", "GAMEDIR=", "SDL_GAMECONTROLLERCONFIG", "pm_platform_helper \"", "launch", "pm_finish;"]
    places = [text.find(step) for step in steps]
    a.rule("the script takes PortMaster's steps in their order", -1 not in places and places == sorted(places), dict(zip(steps, places)))
    a.script("OfficeOS.sh", ("#!/bin/bash",))
    # website: "Please always add a dedicated thank you note" is for ports of others' games; the controls are for all
    a.rule("the read-me has Notes and Controls", all(h in a.read("officeos/officeos.md").decode() for h in ("## Notes", "## Controls", "| Button | Action |")))


def muos(a):
    common(a, "OfficeOS/officeos/")
    a.rule("its name ends in .muxapp", a.name.endswith(".muxapp"))
    # muos: unpacked into MUOS/application, one folder an application
    a.rule("one folder, and all in it", {n.split("/")[0] for n in a.names} == {"OfficeOS"})
    a.script("OfficeOS/mux_launch.sh")
    head = a.read("OfficeOS/mux_launch.sh").decode().split("\n")
    # muos: the first lines of its own applications
    a.rule("HELP, ICON and GRID are the lines behind the first", [line.split(":")[0] for line in head[1:4]] == ["# HELP", "# ICON", "# GRID"], head[1:4])
    icon = head[2].removeprefix("# ICON: ")
    glyphs = [n for n in a.names if n.startswith("OfficeOS/glyph/") and n.endswith(f"/{icon}.png")]
    a.rule("its icon, for each size of screen and for all", len(glyphs) == 4 and all(png_size(a.read(n)) == (64, 64) for n in glyphs), glyphs)
    a.rule("it reaches its folder by the first argument", "${1:-" in a.read("OfficeOS/mux_launch.sh").decode())


def stock(a):
    common(a, "Roms/APPS/officeos/")
    a.rule("everything is for Roms/APPS", all(n.startswith("Roms/APPS/") for n in a.names))
    a.script("Roms/APPS/OfficeOS.sh")
    a.rule("one script on the menu", [n for n in a.names if n.count("/") == 2 and n.endswith(".sh")] == ["Roms/APPS/OfficeOS.sh"])
    # stock: Imgs beside the scripts, named for the script, case and all
    a.rule("its icon is Imgs/OfficeOS.png", png_size(a.read("Roms/APPS/Imgs/OfficeOS.png")) == (256, 256))


def ports(a):
    common(a, "officeos/")
    a.script("OfficeOS.sh")
    a.rule("one script on the menu", [n for n in a.names if n.lower().endswith(".sh")] == ["OfficeOS.sh"])
    a.rule("nothing over the firmware's own lists", not [n for n in a.names if n.endswith("gamelist.xml")])
    a.rule("its picture is where the menu looks", png_size(a.read("images/OfficeOS-image.png")) == (640, 480))


FOLDER, VERSION = Path(sys.argv[1]), sys.argv[2]
wanted = {"officeos.zip": portmaster, f"OfficeOS-{VERSION}.muxapp": muos, f"OfficeOS-{VERSION}-stock.zip": stock, f"OfficeOS-{VERSION}-ports.zip": ports}
there = {p.name for p in FOLDER.iterdir() if p.suffix in (".zip", ".muxapp")}
rule("packages", "four archives", there == set(wanted), there)
for name, check in wanted.items():
    archive = Archive(FOLDER / name)
    check(archive)
    print(f"{name}: {archive.rules} rules, {len(archive.names)} files, {(FOLDER / name).stat().st_size} bytes")
sys.exit(f"{failures} rules are broken." if failures else 0)

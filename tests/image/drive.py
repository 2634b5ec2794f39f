"""The whole way of a card: boots it, pairs by the pad, chats, paints, is attacked from inside, loses its battery.

Runs in a network namespace of its own (tests/image/run): at one end of the cable the machine, at the other a real laptop,
a router that announces itself, and a witness that sees every frame.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import time

from laptop import GLOBAL, LINK_LOCAL, PORT, ROUTER, Laptop, Temptation, Witness, lay_cable
from laptop import CABLE
from machine import PATIENCE, Machine, Picture

HERE = os.path.dirname(os.path.abspath(__file__))
QUIET = "console=tty1 quiet loglevel=3 vt.global_cursor_default=0 consoleblank=0 panic=10"

# What differs from run to run by its nature, as x, y, width, height: the clock in the title bar, the time of an answer,
# the six digits with what is left of two minutes.
CLOCK = (562, 6, 68, 30)
ANSWERED = (178, 98, 62, 28)
DIGITS = (0, 140, 640, 250)

# By how much the card is larger than the image, in octets.
MORE = 96 * 1024 * 1024


def say(text):
    print(text, flush=True)


class Failure(SystemExit):
    pass


class Test:
    def __init__(self, options):
        self.options = options
        self.out = options.out
        self.card = os.path.join(self.out, "card.img")
        self.golden = os.path.join(HERE, "golden")
        # SDL makes eight bits of five or six in another way than the kernel's driver does.
        self.slack = 8 if options.display == "sdl" else 0
        self.machine = None
        self.wrong = []

    # The machine

    def boot(self, what):
        initrd = os.path.join(self.out, "initrd")
        kernel = (os.path.join(self.options.image_folder, "Image"), initrd)
        self.machine = Machine(self.out, self.card, kernel=kernel, append=QUIET, tap=CABLE)
        frame = self.first_frame()
        self.machine.meet()
        self.wait("loaded=true")
        inside = self.machine.say("run cat /proc/uptime").split()[0]
        say(f"{what}: from the kernel's start to the first frame {frame:.1f} s (seen from outside; loaded {inside} s inside)")

    def first_frame(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            picture = self.machine.picture()
            if picture.width == 640 and picture.lit():
                return time.monotonic() - self.machine.started
            time.sleep(0.1)
        self.fail("no frame of the app came")

    def facts(self):
        answer = self.machine.say("app model")
        return json.loads(answer) if answer.startswith("{") else {"error": answer}

    def wait(self, condition, patience=PATIENCE):
        name, sign, value = re.match(r"([a-z.0-9]+)([=~!])(.*)", condition).groups()
        end = time.monotonic() + patience
        while True:
            facts = self.facts()
            has = facts.get(name, "")
            if "error" not in facts and {"=": has == value, "~": value in has, "!": has != value}[sign]:
                return facts
            if time.monotonic() > end:
                self.fail(f"waited in vain for {condition}; there is {json.dumps(facts, indent=1)}")
            time.sleep(0.2)

    def press(self, buttons):
        answer = self.machine.say("press " + buttons)
        if answer != "ok\n":
            self.fail(f"press {buttons}: {answer}")

    def type(self, text, field=False):
        answer = self.machine.say(("field " if field else "type ") + text)
        if answer != "ok\n":
            self.fail(f"type {text}: {answer}")
        self.wait(f"keyboard.text={text}")

    def home(self):
        for _ in range(12):
            facts = self.facts()
            if facts.get("screen") == "home" and not facts.get("overlay"):
                return
            self.press("B")
            time.sleep(0.5)
        self.fail(f"B does not lead home: {self.facts()}")

    # Pictures

    def shows(self, name, mask=(CLOCK,), patience=60):
        """The panel, seen from outside, is as its golden picture says, but for what is masked."""
        path = os.path.join(self.golden, name + ".png")
        os.makedirs(os.path.join(self.out, "pictures"), exist_ok=True)
        if self.options.update:
            picture = self.steady(mask)
            os.makedirs(self.golden, exist_ok=True)
            with open(path, "wb") as file:
                file.write(picture.png())
            say(f"  {name}: written anew")
            return
        if not os.path.exists(path):
            self.fail(f"there is no {path}; --update makes it")
        with open(path, "rb") as file:
            wanted = Picture.of_png(file.read())
        end = time.monotonic() + patience
        while True:
            picture = self.machine.picture().without(mask)
            if picture.same(wanted, self.slack):
                say(f"  {name}: as its golden picture")
                return
            if time.monotonic() > end:
                got = os.path.join(self.out, "pictures", name + ".png")
                with open(got, "wb") as file:
                    file.write(picture.png())
                self.fail(f"{got} is not {path}: {picture.differing(wanted)}")
            time.sleep(0.5)

    def steady(self, mask=()):
        """A picture that has stood still for two seconds, but for what is masked."""
        before, since = self.machine.picture().without(mask), time.monotonic()
        while time.monotonic() - since < 2:
            time.sleep(0.2)
            picture = self.machine.picture().without(mask)
            if not picture.same(before):
                before, since = picture, time.monotonic()
        return before

    def fail(self, text):
        if self.machine:
            with open(os.path.join(self.out, "last.png"), "wb") as file:
                file.write(self.machine.picture().png())
            if self.machine.port:
                with open(os.path.join(self.out, "journal"), "w") as file:
                    file.write(self.machine.say("run journalctl --no-pager -b; cat /card/officeos.log"))
        raise Failure(f"{text}\nThe last picture and the journal are in {self.out}.")

    # Attacks

    def refused(self, what, command, user="run"):
        """A command inside that must fail, and the packets that were dropped meanwhile."""
        before = self.dropped()
        answer = self.machine.say(f"{user} {command}")
        stopped = self.dropped() - before
        words = " ".join(answer.split())
        status = int(words.rsplit("[", 1)[1].rstrip("]"))
        verdict = "refused" if status != 0 else "NOT REFUSED"
        say(f"  {verdict}: {what}; {stopped} packets dropped; {words[:110]}")
        if status == 0:
            self.wrong.append(f"{what}: {words}")

    def dropped(self):
        text = self.machine.say("run nft list counters")
        return sum(int(n) for n in re.findall(r"counter dropped_\w+ \{\s*packets (\d+)", text))


def initrd(options, out):
    """The image's own first file system, and behind it ours: the agent, and the script socket of the app. They go to
    /run; nothing on the card is touched."""
    extra = os.path.join(out, "extra")
    shutil.rmtree(extra, ignore_errors=True)
    run = os.path.join(extra, "test")
    os.makedirs(os.path.join(run, "systemd/system/officeos.target.wants"))
    os.makedirs(os.path.join(run, "systemd/system/officeos-handheld.service.d"))
    os.makedirs(os.path.join(run, "test"))
    shutil.copy(options.agent, os.path.join(run, "test/agent"))
    shutil.copy(options.tools, os.path.join(run, "test/busybox"))
    with open(os.path.join(HERE, "..", "..", "images", "system", f"app-{options.display}.env")) as file:
        words = file.read()
    with open(os.path.join(run, "test/app.env"), "w") as file:
        file.write(words.replace("DISPLAY_OPTIONS=", "DISPLAY_OPTIONS=--control /run/officeos/script "))
    with open(os.path.join(run, "systemd/system/officeos-handheld.service.d/test.conf"), "w") as file:
        file.write("[Service]\nEnvironmentFile=/run/test/app.env\n")
    with open(os.path.join(run, "systemd/system/test-agent.service"), "w") as file:
        file.write(
            "[Unit]\nDescription=The test's agent\n[Service]\n"
            "ExecStartPre=/usr/sbin/modprobe -a uinput virtio_console\nExecStart=/run/test/agent /dev/virtio-ports/officeos.test\n"
            "Environment=BUSYBOX=/run/test/busybox PATH=/usr/sbin:/usr/bin:/run/test/bin\nRestart=on-failure\nRestartSec=300ms\n"
        )
    os.symlink("../test-agent.service", os.path.join(run, "systemd/system/officeos.target.wants/test-agent.service"))
    os.makedirs(os.path.join(run, "test/bin"))
    for name in ("sh", "cat", "ls", "ip", "ping", "ping6", "nc", "nslookup", "wget", "kill", "pidof", "mount", "umount", "sleep", "traceroute", "arping", "id", "head", "grep", "ps", "dd", "touch", "udhcpc", "telnet"):
        os.symlink("../busybox", os.path.join(run, "test/bin", name))
    with open(os.path.join(HERE, "..", "..", "images", "system", "init")) as file:
        words = file.read()
    marker = "$b umount /proc /sys\n"
    assert marker in words
    words = words.replace(marker, "$b mount -t tmpfs -o mode=755,nosuid,nodev run /root/run\n$b cp -a /test/. /root/run/\n" + marker)
    with open(os.path.join(extra, "init"), "w") as file:
        file.write(words)
    os.chmod(os.path.join(extra, "init"), 0o755)
    packed = subprocess.run("find . | cpio -o -H newc -R 0:0 --quiet | gzip -1", shell=True, cwd=extra, capture_output=True, check=True).stdout
    with open(os.path.join(options.image_folder, "initrd.gz"), "rb") as file:
        own = file.read()
    with open(os.path.join(out, "initrd"), "wb") as file:
        # The kernel wants each archive to begin at a multiple of four.
        file.write(own + bytes(-len(own) % 4) + packed)


def main():
    parser = argparse.ArgumentParser()
    for name in ("image", "image-folder", "agent", "tools", "programs", "out", "display"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--firmware", default="")
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    # Whoever stops the test stops the machine and the laptop with it.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit("stopped")))
    os.makedirs(options.out, exist_ok=True)
    os.chdir(options.out)
    lay_cable()
    witness, temptation = Witness(), Temptation()
    initrd(options, options.out)
    test = Test(options)
    shutil.copyfile(options.image, test.card)
    # A card larger than the image, as every card is.
    os.truncate(test.card, os.path.getsize(test.card) + MORE)
    home = os.path.join(options.out, "laptop")
    shutil.rmtree(home, ignore_errors=True)
    laptop = Laptop(options.programs, home)
    try:
        walk(test, laptop, witness, temptation)
    finally:
        if test.machine and test.machine.process.poll() is None:
            test.machine.cut()
        laptop.stop()


def walk(test, laptop, witness, temptation):
    say("== The card boots")
    test.boot("first start")
    test.shows("home-first")

    size = int(test.machine.say("run cat /sys/class/block/vda3/size").split()[0]) * 512
    files = test.machine.say("run ls /card").split()
    if size < MORE or "fresh.txt" in files or "README.txt" not in files:
        test.fail(f"the user's partition did not grow: {size} octets, with {files}")
    say(f"  the user's partition has grown to {size // 1048576} MiB")

    say("== Pairing by the pad")
    call(test, laptop)
    digits = test.wait("pairing.digits!")["pairing.digits"]
    # The digits are other ones each time, and so is what is left of two minutes.
    test.shows("pairing-digits", mask=(CLOCK, DIGITS))
    typing = subprocess.Popen([os.path.join(laptop.programs, "officectl"), "--home", laptop.home, "pair", "--digits", digits], stdin=subprocess.DEVNULL)
    test.wait("pairing=confirm")
    test.press("A")
    if typing.wait(PATIENCE) != 0:
        test.fail("officectl pair did not pair")
    test.wait("link=linked")
    test.home()
    test.wait("toast=")
    test.shows("home-paired")

    say("== Chat")
    test.press("Start")
    test.wait("screen=writing")
    test.type("Hello there")
    test.shows("writing")
    test.press("Start")
    test.wait("outbox.0=asked")
    laptop.approve()
    answer = test.wait("answer.state=done")["answer"]
    test.shows("answered", mask=(CLOCK, ANSWERED))

    say("== Picture")
    for operation in ("chat", "generate", "fit"):
        laptop.ask("permit", "Pocket", operation, "allow")
    test.home()
    test.press("Up Up Up Left Right A")
    test.wait("screen!home")
    if test.facts()["screen"] == "gallery":
        test.press("Start")
    test.wait("screen=prompt")
    test.press("A")
    test.wait("screen=writing")
    test.type("A calm harbour at sunset")
    test.press("Start")
    test.wait("screen=prompt")
    test.shows("prompt")
    test.press("Start")
    test.wait("picture.0=ready")
    if test.facts()["screen"] == "progress":
        test.press("A")
    test.wait("screen=viewer")
    test.wait("viewer=shown")
    same_picture(test, laptop)

    attack(test, temptation)
    laptop_is_there = test.wait("link=linked")["link"]
    say(f"== The app still is {laptop_is_there}")

    say("== The app is killed")
    before = test.machine.say("run pidof officeos-handheld").split()[0]
    test.machine.say("run kill -9 " + before)
    test.wait("loaded=true")
    after = test.machine.say("run pidof officeos-handheld").split()[0]
    if before == after:
        test.fail("the app was not killed")
    test.wait("link=linked")
    # It comes back to where it was; the picture is another one in each run, so it is held against the original and not a golden one.
    test.wait("screen=viewer")
    test.wait("viewer=shown")
    test.wait("toast=")
    same_picture(test, laptop)
    open_chat(test, "1", answer)

    say("== The battery is taken out while the app writes")
    test.home()
    test.press("Start")
    test.wait("screen=writing")
    test.type("Count to 5")
    test.press("Start")
    test.wait("screen=chat")
    time.sleep(1)
    test.machine.cut()
    test.boot("start after the cut")
    test.wait("link=linked")
    open_chat(test, "2", "1, 2, 3, 4, 5.")

    say("== A radio is plugged in")
    loaded = test.machine.say("run modprobe mac80211_hwsim radios=1")
    if not loaded.rstrip().endswith("[0]"):
        test.fail(f"the kernel's simulated radio cannot be loaded: {loaded}")
    facts = test.wait("radio.station=true")
    say(f"  our wpa_supplicant serves it, and the app drives it: Wi-Fi Direct {facts['radio.p2p']}")
    say("  " + " ".join(test.machine.say("run ls -ln /run/wpa_supplicant").split()[-9:-1]))

    say("== What left the handheld, by the witness on the cable")
    say("  " + ", ".join(f"{count} of {name}" for name, count in witness.seen.items()))
    if witness.forbidden:
        test.wrong.append(f"{len(witness.forbidden)} frames that may not leave: {witness.forbidden[:5]}")
    if not witness.seen["link"]:
        test.wrong.append("the witness saw no link: it looks at the wrong cable")
    if temptation.asked:
        test.wrong.append(f"{temptation.asked} names were asked for")
    test.machine.cut()

    if test.options.firmware:
        say("== The same card, untouched, through U-Boot")
        shutil.copyfile(test.options.image, test.card)
        test.machine = Machine(test.out, test.card, firmware=test.options.firmware, tap=CABLE)
        say(f"  first frame after {test.first_frame():.1f} s, boot loader included")
        test.shows("home-first", patience=PATIENCE)
        test.machine.cut()

    if test.wrong:
        raise Failure("\n".join(test.wrong))
    say("The image did all that it should, and nothing that it should not.")


def call(test, laptop):
    """From the home screen of an unpaired handheld to the digits: the laptop's address is typed."""
    index = test.machine.say("run cat /sys/class/net/usb0/ifindex").split()[0]
    test.press("Y")
    test.wait("screen=laptop")
    test.press("A")
    for _ in range(8):
        facts = test.facts()
        if "Type an address" in (facts.get("overlay.focus"), facts.get("focus")):
            break
        if facts["screen"] != "laptop" or facts.get("overlay") == "menu":
            test.press("Down")
        time.sleep(0.5)
    test.shows("ways")
    test.press("A")
    test.wait("screen=writing")
    test.type(f"[{LINK_LOCAL}%{index}]:{PORT}", field=True)
    # Its two minutes begin as late as may be: typing takes a busy machine one of them.
    laptop.ask("pair", "--open")
    test.press("Start")
    test.wait("screen=pairing")


def open_chat(test, chats, answer):
    """So many chats are there, and in the newest this answer."""
    test.home()
    test.press("Up Up Up Left A")
    facts = test.wait("screen!home")
    if facts["screen"] == "chats":
        test.press("A")
        test.wait("screen=chat")
    facts = test.wait("answer.state=done")
    if (facts["chats"], facts["answer"]) != (chats, answer):
        test.fail(f"there are {facts['chats']} chats, and the newest answer is {facts['answer']!r}")
    say(f"  {chats} chats are there, the newest with its answer")


def same_picture(test, laptop):
    """What the panel shows has the colours of what the laptop painted: the means of a grid, since the panel has 65536."""
    folder = os.path.join(laptop.home, "files")
    paths = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names if name.endswith(".png")]
    with open(paths[0], "rb") as file:
        painted = Picture.of_png(file.read())
    shown = test.steady()
    worst = max(abs(a - b) for a, b in zip(shown.means(), painted.means()))
    if worst > 12 or max(painted.means()) - min(painted.means()) < 20:
        test.fail(f"the picture on the panel is not the one that was painted: {worst} off")
    say(f"  viewer: the picture that the laptop painted, its means at most {worst} of 255 off")


def attack(test, temptation):
    say("== Attacks from inside, as the app's user")
    app = "pocket"
    test.refused("a route", f"ip route add default via {ROUTER} dev usb0", app)
    test.refused("an address", "ip addr add 10.0.2.15/24 dev usb0", app)
    test.refused("the firewall taken down", "nft flush ruleset", app)
    test.refused("a raw socket", f"ping -c 1 -W 2 {ROUTER}", app)
    test.refused("TCP to the router", f"nc -w 3 {ROUTER} 80", app)
    test.refused("a name", f"nslookup example.org {ROUTER}", app)
    test.refused("a name from the laptop itself", f"nslookup example.org {LINK_LOCAL}%usb0", app)
    test.refused("another TCP port of the laptop", f"nc -w 3 {LINK_LOCAL}%usb0 53", app)

    say("== Attacks from inside, as root")
    say(f"  routes before: {' '.join(test.machine.say('run ip route; ip -6 route').split())}")
    test.refused("a route to the router", f"ip route add default via {ROUTER} dev usb0")
    # A root may write into its own tables; what matters is that nothing comes of it.
    test.machine.say(f"run ip addr add 10.0.2.15/24 dev usb0; ip route add default via {ROUTER} dev usb0; ip -6 addr add fd00:2::5/64 dev usb0; ip -6 route add default via {LINK_LOCAL} dev usb0")
    test.refused("the router pinged, with address and route", f"ping -c 2 -W 2 {ROUTER}")
    test.refused("the internet pinged over that route", "ping -c 1 -W 2 192.0.2.1")
    test.refused("the router pinged by IPv6", f"ping6 -c 1 -W 2 {GLOBAL}")
    test.refused("the laptop pinged", f"ping6 -c 1 -W 2 {LINK_LOCAL}%usb0")
    test.refused("all nodes pinged", "ping6 -c 1 -W 2 ff02::1%usb0")
    test.refused("TCP to the router", f"nc -w 3 {ROUTER} {PORT}")
    test.refused("TCP to the link's port, by another than the app", f"nc -w 3 {LINK_LOCAL}%usb0 {PORT}")
    test.refused("a name", f"nslookup example.org {ROUTER}")
    test.refused("a name by IPv6", f"nslookup example.org {GLOBAL}")
    test.refused("an address by DHCP", "udhcpc -i usb0 -n -q -t 2 -T 1 -s /run/test/bin/true")
    test.refused("packets past the firewall (ARP by a packet socket)", f"arping -c 2 -w 3 -I usb0 {ROUTER}")
    test.refused("the way traced", f"traceroute -n -m 2 -q 1 -w 1 {ROUTER} | grep -q ' ms'")
    test.machine.say(f"run ip addr del 10.0.2.15/24 dev usb0; ip -6 addr del fd00:2::5/64 dev usb0; ip -6 route del default")
    say("  " + " ".join(re.sub(r"\s+", " ", test.machine.say("run nft list counters")).split("counter ")[1:]))

    audit = test.machine.say("pocket cd /tmp; /usr/lib/officeos/app/officeos-handheld --audit-airgap --home /tmp/audit")
    for line in audit.splitlines():
        say("  audit: " + line)
    if not audit.rstrip().endswith("[0]"):
        test.wrong.append("the app's own audit did not hold")
    if temptation.asked:
        test.wrong.append(f"the name server was asked {temptation.asked} times")


if __name__ == "__main__":
    main()

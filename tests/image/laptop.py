"""The host's side: a real laptop at the other end of the cable, and beside it what a handheld must never use."""

import json
import os
import socket
import struct
import subprocess
import threading
import time

from machine import PATIENCE

# The laptop's end of the cable, and its address there.
CABLE, LINK_LOCAL = "laptop0", "fe80::1"
PORT = 8144
# What a router would be called here; it answers pings and names, and announces itself.
ROUTER, GLOBAL = "10.0.2.2", "fd00:2::1"

ETH_P_ALL = 3


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def lay_cable():
    """In a network namespace of our own: the interface that the machine is plugged into."""
    ip("link", "set", "lo", "up")
    ip("tuntap", "add", "dev", CABLE, "mode", "tap")
    ip("link", "set", CABLE, "up", "addrgenmode", "none")
    ip("address", "add", f"{LINK_LOCAL}/64", "dev", CABLE, "nodad")
    ip("address", "add", f"{GLOBAL}/64", "dev", CABLE, "nodad")
    ip("address", "add", f"{ROUTER}/24", "dev", CABLE)


class Temptation(threading.Thread):
    """Announces a router and answers what is asked of it, as the internet would."""

    def __init__(self):
        super().__init__(daemon=True)
        self.asked = 0
        self.names = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.names.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.names.bind(("::", 53))
        self.start()
        threading.Thread(target=self.announce, daemon=True).start()

    def run(self):
        while True:
            question, sender = self.names.recvfrom(512)
            self.asked += 1
            # The question again, marked as an answer, with the router's address.
            answer = question[:2] + b"\x81\x80" + question[4:6] + b"\0\1\0\0\0\0" + question[12:]
            self.names.sendto(answer + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(ROUTER), sender)

    def announce(self):
        """A router advertisement (RFC 4861) with a prefix for addresses and a default route."""
        index = socket.if_nametoindex(CABLE)
        link = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        prefix = struct.pack(">BBBBIII", 3, 4, 64, 0xC0, 86400, 14400, 0) + socket.inet_pton(socket.AF_INET6, "fd00:2::")
        message = struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix
        while True:
            try:
                link.sendto(message, ("ff02::1", 0, 0, index))
            except OSError:
                # Nobody is plugged in.
                pass
            time.sleep(2)


class Witness(threading.Thread):
    """Looks at every frame that comes out of the handheld, and keeps those that it may not send."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind((CABLE, 0))
        self.seen = {"neighbour discovery": 0, "link": 0, "beacon": 0}
        self.forbidden = []
        self.start()

    def run(self):
        while True:
            frame, (_, _, kind, _, _) = self.socket.recvfrom(2048)
            if kind != socket.PACKET_OUTGOING:
                what = self.judge(frame)
                if what in self.seen:
                    self.seen[what] += 1
                else:
                    self.forbidden.append((what, frame[:64].hex()))

    @staticmethod
    def judge(frame):
        if frame[12:14] != b"\x86\xdd":
            return "frame of type " + frame[12:14].hex()
        protocol, source, target = frame[20], frame[22:38], frame[38:54]
        local = target[:2] == b"\xfe\x80"
        if protocol == 58 and frame[54] in (135, 136) and (local or target[:2] == b"\xff\x02"):
            return "neighbour discovery"
        if protocol in (6, 17) and source[:2] == b"\xfe\x80" and struct.unpack(">H", frame[56:58])[0] == PORT:
            if protocol == 6 and local:
                return "link"
            if protocol == 17 and (local or target == socket.inet_pton(socket.AF_INET6, "ff02::1")):
                return "beacon"
        return f"IPv6, protocol {protocol}, to {socket.inet_ntop(socket.AF_INET6, target)}"


class Laptop:
    """`laptop-daemon --standalone` with its built-in providers."""

    def __init__(self, programs, home):
        self.programs, self.home = programs, home
        os.makedirs(os.path.join(home, "config"), exist_ok=True)
        with open(os.path.join(home, "config", "daemon.toml"), "w") as file:
            file.write('[daemon]\ndevice_name = "Ada\'s ThinkPad"\nask_timeout_s = 240\n[manners]\nwait_when_busy = false\n')
            file.write(f'[networking]\nbind_address = "::"\nbind_port = {PORT}\nwifi_direct_enabled = false\n')
        environment = dict(os.environ, OFFICEOS_DISCOVERY="off", RUST_LOG="info")
        self.log = open(os.path.join(home, "log"), "ab")
        self.process = subprocess.Popen(
            [os.path.join(programs, "laptop-daemon"), "--standalone", "--home", home],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment,
        )  # fmt: skip
        self.until("the laptop listens", lambda: self.status() and all(self.status()["services"].values()))

    def run(self, *words, json_wanted=True):
        command = [os.path.join(self.programs, "officectl"), "--home", self.home, *(["--json"] if json_wanted else []), *words]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def status(self):
        done = self.run("status")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def ask(self, *words):
        done = self.run(*words)
        if done.returncode != 0:
            raise SystemExit(f"officectl {' '.join(words)}: {done.stderr}")
        return json.loads(done.stdout)

    def approve(self):
        number = str(self.until("a question to the owner", lambda: self.ask("pending"))[0]["id"])
        self.ask("approve", number)

    def until(self, what, ready):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SystemExit(f"laptop-daemon ended; its words are in {self.home}/log")
            got = ready()
            if got:
                return got
            time.sleep(0.3)
        raise SystemExit(f"waited in vain for: {what}")

    def stop(self):
        self.process.terminate()
        self.process.wait()

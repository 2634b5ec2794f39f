"""The machine that an image boots in: QEMU in software, its panel seen and its agent spoken to from outside."""

import json
import os
import socket
import struct
import subprocess
import time
import zlib

# What a busy machine may take for one thing.
PATIENCE = 240


def predicted(how, left, up, corner):
    """PNG's filters (W3C PNG, 9.2)."""
    if how == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda near: abs(guess - near))
    return (0, left, up, (left + up) // 2)[how]


class Picture:
    """RGB pixels of a panel."""

    def __init__(self, width, height, rows):
        self.width, self.height, self.rows = width, height, rows

    @classmethod
    def of_ppm(cls, data):
        words = data.split(None, 4)
        if words[0] != b"P6":
            raise ValueError("no picture")
        width, height = int(words[1]), int(words[2])
        pixels = data[len(data) - width * height * 3 :]
        return cls(width, height, [pixels[y * width * 3 : (y + 1) * width * 3] for y in range(height)])

    @classmethod
    def of_png(cls, data):
        """Eight bits of RGB or RGBA, not interlaced."""
        at, packed, width, height, deep = 8, b"", 0, 0, 3
        while at < len(data):
            length, kind = struct.unpack(">I4s", data[at : at + 8])
            body = data[at + 8 : at + 8 + length]
            if kind == b"IHDR":
                width, height, bits, colours = struct.unpack(">IIBB", body[:10])
                if bits != 8 or colours not in (2, 6):
                    raise ValueError("a picture of another kind")
                deep = 3 if colours == 2 else 4
            elif kind == b"IDAT":
                packed += body
            at += 12 + length
        raw, step = zlib.decompress(packed), width * deep
        rows, above = [], bytearray(step)
        for y in range(height):
            how, row = raw[y * (step + 1)], bytearray(raw[y * (step + 1) + 1 : (y + 1) * (step + 1)])
            for x in range(step if how else 0):
                left = row[x - deep] if x >= deep else 0
                corner = above[x - deep] if x >= deep else 0
                row[x] = (row[x] + predicted(how, left, above[x], corner)) & 255
            rows.append(bytes(row) if deep == 3 else bytes(c for i, c in enumerate(row) if i % 4 != 3))
            above = row
        return cls(width, height, rows)

    def means(self, across=8, down=6):
        """The mean colours of a grid, red, green, blue of each field."""
        means, wide, high = [], self.width // across, self.height // down
        for row in range(down):
            for column in range(across):
                field = b"".join(line[column * wide * 3 : (column + 1) * wide * 3] for line in self.rows[row * high : (row + 1) * high])
                means += [sum(field[c::3]) // (wide * high) for c in range(3)]
        return means

    def png(self):
        def chunk(kind, body):
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

        raw = b"".join(b"\0" + row for row in self.rows)
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")

    def without(self, areas):
        """The same with these areas (x, y, width, height) black: what differs from run to run by its nature."""
        rows = [bytearray(row) for row in self.rows]
        for x, y, width, height in areas:
            for row in rows[y : y + height]:
                row[x * 3 : (x + width) * 3] = bytes(width * 3)
        return Picture(self.width, self.height, [bytes(row) for row in rows])

    def same(self, other, slack=0):
        """Pixel by pixel; each colour may be `slack` of 255 off."""
        if (self.width, self.height) != (other.width, other.height):
            return False
        if not slack:
            return self.rows == other.rows
        return all(abs(a - b) <= slack for mine, theirs in zip(self.rows, other.rows) if mine != theirs for a, b in zip(mine, theirs))

    def differing(self, other):
        """How many pixels differ, and the rectangle that they lie in."""
        if (self.width, self.height) != (other.width, other.height):
            return f"the sizes are {self.width}x{self.height} and {other.width}x{other.height}"
        points = [
            (x, y)
            for y in range(self.height)
            if self.rows[y] != other.rows[y]
            for x in range(self.width)
            if self.rows[y][x * 3 : x * 3 + 3] != other.rows[y][x * 3 : x * 3 + 3]
        ]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return f"{len(points)} pixels differ, within x {min(xs)}..{max(xs)}, y {min(ys)}..{max(ys)}" if points else "none"

    def lit(self):
        """Whether anything shows but one colour and a text console's few points."""
        return len({row[x * 3 : x * 3 + 3] for row in self.rows[::8] for x in range(0, self.width, 8)}) > 8


class Machine:
    """One boot of one card."""

    def __init__(self, folder, disk, kernel=None, firmware=None, append="", tap=None):
        self.folder = folder
        for name in ("qmp", "agent"):
            if os.path.exists(os.path.join(folder, name)):
                os.unlink(os.path.join(folder, name))
        command = [
            "qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-smp", "2", "-m", "512", "-accel", "tcg,thread=multi",
            "-nodefaults", "-display", "none", "-no-reboot", "-serial", "file:" + os.path.join(folder, "serial.log"),
            "-drive", f"if=none,id=card,format=raw,file={disk},cache=directsync", "-device", "virtio-blk-pci,drive=card",
            "-device", "virtio-gpu-pci,xres=640,yres=480", "-device", "virtio-rng-pci", "-device", "qemu-xhci,id=usb",
            "-device", "virtio-serial-pci", "-chardev", "socket,id=agent,path=agent,server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=officeos.test", "-qmp", "unix:qmp,server=on,wait=off",
        ]  # fmt: skip
        if tap:
            # A cable: the driver of USB Ethernet calls it usb0, because the address is a local one.
            command += ["-netdev", f"tap,id=cable,ifname={tap},script=no,downscript=no"]
            command += ["-device", "usb-net,bus=usb.0,netdev=cable,mac=52:54:00:0f:f1:ce"]
        if kernel:
            command += ["-kernel", kernel[0], "-initrd", kernel[1], "-append", append]
        else:
            command += ["-bios", firmware]
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL)
        self.qmp = self._connect("qmp").makefile("rwb", buffering=0)
        self.qmp.readline()
        self._order("qmp_capabilities")
        self.port = None

    def _connect(self, name):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                link = socket.socket(socket.AF_UNIX)
                # A path of its own may be longer than a socket's may be.
                link.connect(os.path.relpath(os.path.join(self.folder, name)))
                return link
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise SystemExit("QEMU did not start; its words are above.")
                time.sleep(0.05)

    def _order(self, command, **arguments):
        self.qmp.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            line = self.qmp.readline()
            if not line:
                raise SystemExit(f"QEMU ended during {command}.")
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]

    def picture(self):
        self._order("screendump", filename="shot.ppm")
        with open(os.path.join(self.folder, "shot.ppm"), "rb") as file:
            return Picture.of_ppm(file.read())

    def key(self, code):
        self._order("send-key", keys=[{"type": "qcode", "data": code}])

    def meet(self):
        """Waits for the agent inside."""
        self.port = self._connect("agent")
        self.port.settimeout(PATIENCE)
        self.lines = self.port.makefile("rb")
        return self._answer()

    def _answer(self):
        length = self.lines.readline()
        if not length:
            raise SystemExit("the agent in the image ended")
        return self.lines.read(int(length)).decode()

    def say(self, line):
        self.port.sendall(line.encode() + b"\n")
        return self._answer()

    def cut(self):
        """Takes the battery out."""
        self.process.kill()
        self.process.wait()

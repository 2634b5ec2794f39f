#!/usr/bin/env python3
"""A second implementation of the wire, written from shared-proto/SPEC.md alone, held against its vectors.

Standard library only. Shares no code with the first: what it gets right is what SPEC.md says clearly enough.
"""

import base64
import hashlib
import hmac
import pathlib
import sys

SPEC = pathlib.Path(__file__).parents[2] / "shared-proto" / "SPEC.md"


class Refused(Exception):
    """Bytes that SPEC.md says must be refused."""


# Encoding: every type is a pair of functions, one that writes a value and one that reads it.


class Reader:
    def __init__(self, data):
        self.data, self.at = bytes(data), 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Refused("the bytes end too early")
        piece = self.data[self.at : self.at + count]
        self.at += count
        return piece

    def end(self):
        if self.at != len(self.data):
            raise Refused("bytes are left over")


def write_varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(reader, bits=64):
    value = 0
    for index in range((bits + 6) // 7):
        byte = reader.take(1)[0]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if value >> bits or (byte == 0 and index > 0):
                raise Refused("a number is too large or not in its shortest form")
            return value
    raise Refused("a number has too many bytes")


class Unsigned:
    def __init__(self, bits):
        self.bits = bits

    def write(self, value):
        return write_varint(value)

    def read(self, reader):
        return read_varint(reader, self.bits)


class Byte:
    def write(self, value):
        return bytes([value])

    def read(self, reader):
        return reader.take(1)[0]


class Signed:
    def write(self, value):
        return write_varint(2 * value if value >= 0 else -2 * value - 1)

    def read(self, reader):
        value = read_varint(reader, 16)
        return value // 2 if value % 2 == 0 else -(value + 1) // 2


class Bool:
    def write(self, value):
        return b"\x01" if value else b"\x00"

    def read(self, reader):
        byte = reader.take(1)[0]
        if byte > 1:
            raise Refused("neither 00 nor 01")
        return byte == 1


class Option:
    def __init__(self, inner):
        self.inner = inner

    def write(self, value):
        return b"\x00" if value is None else b"\x01" + self.inner.write(value)

    def read(self, reader):
        return self.inner.read(reader) if Bool().read(reader) else None


class Bytes:
    def write(self, value):
        return write_varint(len(value)) + value

    def read(self, reader):
        return reader.take(read_varint(reader))


class Text:
    def write(self, value):
        return Bytes().write(value.encode())

    def read(self, reader):
        try:
            return Bytes().read(reader).decode()
        except UnicodeDecodeError:
            raise Refused("not UTF-8") from None


class Array:
    def __init__(self, length):
        self.length = length

    def write(self, value):
        assert len(value) == self.length
        return value

    def read(self, reader):
        return reader.take(self.length)


class List:
    def __init__(self, inner, most):
        self.inner, self.most = inner, most

    def write(self, value):
        return write_varint(len(value)) + b"".join(map(self.inner.write, value))

    def read(self, reader):
        count = read_varint(reader)
        if count > self.most:
            raise Refused("too many")
        return [self.inner.read(reader) for _ in range(count)]


class Variant:
    def __init__(self, *names):
        self.names = names

    def write(self, value):
        return write_varint(self.names.index(value))

    def read(self, reader):
        number = read_varint(reader, 32)
        if number >= len(self.names):
            raise Refused("a variant that does not exist")
        return self.names[number]


class Struct:
    def __init__(self, *inner):
        self.inner = inner

    def write(self, value):
        assert len(value) == len(self.inner)
        return b"".join(one.write(part) for one, part in zip(self.inner, value))

    def read(self, reader):
        return tuple(one.read(reader) for one in self.inner)


U8, U16, U32, U64, I16 = Byte(), Unsigned(16), Unsigned(32), Unsigned(64), Signed()
BOOL, BYTES, STR = Bool(), Bytes(), Text()


def decode(kind, data):
    reader = Reader(data)
    value = kind.read(reader)
    reader.end()
    return value


def decode_all(kind, data):
    reader, values = Reader(data), []
    while reader.at < len(reader.data):
        values.append(kind.read(reader))
    return values


# Frames and messages.

SERVICE = Variant("language", "image", "files", "system")
ALLOWANCE = Struct(U8, Variant("deny", "ask", "allow"), Option(U64))
MODEL = Struct(SERVICE, STR, STR, Option(BOOL))
STANDING = Struct(U64, List(ALLOWANCE, 24), BYTES, U32, U64)
LINK = Struct(STR, BYTES, STR, U16, U16)
HEAD = Struct(U64, Array(32))

MESSAGES = {
    0x01: ("Hello", Struct(U16, STR, STR, U16, U16, U8, U64, HEAD)),
    0x02: ("Submit", Struct(U64, BYTES, BYTES)),
    0x03: ("Cancel", Struct(U64)),
    0x04: ("Resume", Struct(U64, List(Struct(U8, U64), 32))),
    0x05: ("Ack", Struct(U64)),
    0x06: ("Ping", Struct(U32)),
    0x07: ("Renew", Struct(BYTES)),
    0x08: ("Farewell", Struct()),
    0x10: ("Data", Struct(U64, U8, U64, U32, BOOL, BYTES)),
    0x11: ("Credit", Struct(U64, U8, U64, U64)),
    0x20: ("Welcome", Struct(U16, STR, U64, I16, U64, STANDING, LINK, HEAD)),
    0x21: ("Accepted", Struct(U64)),
    0x22: ("Awaiting", Struct(U64, U32)),
    0x23: ("Started", Struct(U64, U8, STR)),
    0x24: ("Progress", Struct(U64, U8, U16, U16, U16, Option(U32))),
    0x25: ("Done", Struct(U64, U64, U64, U32, U64, U64)),
    0x26: ("Failed", Struct(U64, U8, U16, STR)),
    0x27: ("Notice", Struct(STANDING)),
    0x28: ("Pong", Struct(U32)),
    0x29: ("Renewed", Struct(BYTES)),
    0x2A: ("Queued", Struct(U64, U16, U8)),
}
KINDS = {name: (kind, fields) for kind, (name, fields) in MESSAGES.items()}


def write_frame(name, *fields):
    kind, struct = KINDS[name]
    payload = struct.write(fields)
    return bytes([kind]) + write_varint(len(payload)) + payload


def read_frames(data):
    reader, found = Reader(data), []
    while reader.at < len(reader.data):
        kind = reader.take(1)[0]
        length = read_varint(reader)
        if kind not in MESSAGES or length > 32768:
            raise Refused("an unknown kind or a frame that is too long")
        name, struct = MESSAGES[kind]
        found.append((name, *decode(struct, reader.take(length))))
    return found


# Programs.

REF = U8
CHAT = Struct(REF, U64, Array(8), Option(REF), Option(REF), REF, U32, Option(U8))
COMPLETE = Struct(REF, REF, U32, Option(U8))
OPERATIONS = {
    0x00: ("text", Struct(REF)),
    0x01: ("bytes", Struct(REF)),
    0x02: ("integer", Struct(REF)),
    0x03: ("concat", Struct(List(REF, 16))),
    0x04: ("emit", Struct(REF)),
    0x10: ("chat", CHAT),
    0x11: ("complete", COMPLETE),
    0x12: ("code", COMPLETE),
    0x13: ("summarize", COMPLETE),
    0x14: ("embed", Struct(REF, REF, U16, Option(U16))),
    0x20: ("generate", Struct(REF, REF, Option(REF), REF, U16, U16, U8, Option(U32))),
    0x21: ("edit", Struct(REF, REF, REF, U8, U8)),
    0x22: ("upscale", Struct(REF, REF, U8)),
    0x23: ("variation", Struct(REF, REF, U8, U8, Option(U32))),
    0x24: ("fit", Struct(REF, U16, U16, U8)),
    0x30: ("list", Struct(REF, U32, U16)),
    0x31: ("metadata", Struct(REF)),
    0x32: ("get", Struct(REF, U64)),
    0x33: ("put", Struct(REF, REF, Variant("new", "replace", "rename"))),
    0x34: ("delete", Struct(REF)),
    0x35: ("fetch", Struct(REF, U64)),
    0x50: ("status", Struct()),
    0x51: ("capabilities", Struct()),
    0x52: ("resources", Struct()),
    0x53: ("health", Struct()),
}
OPCODES = {name: (opcode, struct) for opcode, (name, struct) in OPERATIONS.items()}


def result(index):
    return 0x40 + index


def write_program(constants, operations):
    """Constants are str, bytes, int or (sha256, length, type); operations (name, guard or None, operands)."""
    out = b"\x01" + write_varint(len(constants))
    for constant in constants:
        if isinstance(constant, str):
            kind, content = 0, constant.encode()
        elif isinstance(constant, bytes):
            kind, content = 1, constant
        elif isinstance(constant, int):
            kind, content = 2, write_varint(constant)
        else:
            sha256, length, what = constant
            kind, content = 3, sha256 + write_varint(length) + bytes([what])
        out += bytes([kind]) + BYTES.write(content)
    out += write_varint(len(operations))
    for name, guard, operands in operations:
        opcode, struct = OPCODES[name]
        out += bytes([opcode]) + write_varint(0 if guard is None else guard + 1)
        out += BYTES.write(struct.write(operands))
    return out


def read_constant(kind, content):
    if kind == 0:
        return content.decode()
    if kind == 1:
        return content
    reader = Reader(content)
    if kind == 2:
        value = read_varint(reader)
    elif kind == 3:
        value = (reader.take(32), read_varint(reader), reader.take(1)[0])
        if value[1] > 512 << 20 or value[2] > 2:
            raise Refused("an upload that is too long or of no type")
    else:
        raise Refused("a constant of an unknown kind")
    reader.end()
    return value


def read_program(data):
    if len(data) > 16384:
        raise Refused("the program is too long")
    reader = Reader(data)
    if read_varint(reader) != 1:
        raise Refused("another version")
    count = read_varint(reader)
    if count > 64:
        raise Refused("too many constants")
    constants = [read_constant(reader.take(1)[0], BYTES.read(reader)) for _ in range(count)]
    count = read_varint(reader)
    if count > 32:
        raise Refused("too many operations")
    operations = []
    for _ in range(count):
        opcode, guard, operands = reader.take(1)[0], read_varint(reader), BYTES.read(reader)
        if opcode not in OPERATIONS or guard > 32:
            raise Refused("an unknown operation or guard")
        name, struct = OPERATIONS[opcode]
        operations.append((name, guard - 1 if guard else None, decode(struct, operands)))
    reader.end()
    return constants, operations


# Conversations and records.

TURN = Struct(Variant("person", "model"), STR)


def advance(head, role, text):
    text = text.encode()
    role = bytes([["person", "model"].index(role)])
    return sha256(b"officeos context v1" + head + role + len(text).to_bytes(4, "little") + text)[:8]


ENTRY = Struct(STR, U64, U64, BOOL)
RECORDS = {
    "metadata": Struct(U64, U64, Array(32)),
    "status": Struct(STR, STR, U64, U16, U64),
    "resources": Struct(U16, U32, U64, U64, U64),
}


def read_counted(head, item, data):
    reader = Reader(data)
    values = head.read(reader)
    items = [item.read(reader) for _ in range(values[-1])]
    reader.end()
    return values, items


# Cryptography.


def sha256(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def lp(data):
    return len(data).to_bytes(2, "big") + data


def hash_of(*parts):
    return sha256(b"".join(lp(part) for part in parts))


def hkdf(salt, secret, info, length):
    return mac(mac(salt, secret), info + b"\x01")[:length]


class Ed25519:
    """RFC 8032, section 5.1, slowly."""

    P = 2**255 - 19
    Q = 2**252 + 27742317777372353535851937790883648493
    D = -121665 * pow(121666, P - 2, P) % P

    @classmethod
    def add(cls, a, b):
        (x1, y1), (x2, y2) = a, b
        product = cls.D * x1 * x2 * y1 * y2 % cls.P
        x = (x1 * y2 + x2 * y1) * pow(1 + product, cls.P - 2, cls.P)
        y = (y1 * y2 + x1 * x2) * pow(1 - product, cls.P - 2, cls.P)
        return x % cls.P, y % cls.P

    @classmethod
    def times(cls, scalar):
        y = 4 * pow(5, cls.P - 2, cls.P) % cls.P
        square = (y * y - 1) * pow(cls.D * y * y + 1, cls.P - 2, cls.P) % cls.P
        x = pow(square, (cls.P + 3) // 8, cls.P)
        if x * x % cls.P != square:
            x = x * pow(2, (cls.P - 1) // 4, cls.P) % cls.P
        point, total = (cls.P - x if x % 2 else x, y), (0, 1)
        while scalar:
            if scalar & 1:
                total = cls.add(total, point)
            point = cls.add(point, point)
            scalar >>= 1
        x, y = total
        return (y | (x & 1) << 255).to_bytes(32, "little")

    def __init__(self, seed):
        expanded = hashlib.sha512(seed).digest()
        scalar = int.from_bytes(expanded[:32], "little")
        self.scalar = scalar & (1 << 254) - 8 | 1 << 254
        self.prefix = expanded[32:]
        self.public = self.times(self.scalar)

    def sign(self, message):
        nonce = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % self.Q
        point = self.times(nonce)
        challenge = hashlib.sha512(point + self.public + message).digest()
        answer = (nonce + int.from_bytes(challenge, "little") * self.scalar) % self.Q
        return point + answer.to_bytes(32, "little")


def spki(key):
    return bytes.fromhex("302a300506032b6570032100") + key


def submit_signature(key, exporter, number, program):
    return key.sign(b"OfficeOS submit v1\0" + exporter + number.to_bytes(8, "big") + sha256(program))


def server_name(secret, nonce):
    both = nonce + mac(secret, b"OfficeOS token v1\0" + nonce)[:16]
    return base64.b32encode(both).decode().rstrip("=").lower() + ".invalid"


# The vectors.


def section(spec, heading):
    body = spec.split(f"\n{heading}\n", 1)[1]
    level = heading.split(" ")[0]
    for depth in range(1, len(level) + 1):
        body = body.split("\n" + "#" * depth + " ", 1)[0]
    return body


def fenced(spec, heading):
    blocks = section(spec, heading).split("```")[1::2]
    return [line for block in blocks for line in block.split("\n")[1:] if line]


def hexadecimal(spec, heading):
    found = {}
    for line in fenced(spec, heading):
        name, _, value = line.rpartition(" ")
        if value and set(value) <= set("0123456789abcdef"):
            found[name.strip()] = bytes.fromhex(value) if len(value) % 2 == 0 else value
    return found


CHECKS = 0


def same(what, mine, published):
    global CHECKS
    CHECKS += 1
    if mine != published:
        sys.exit(f"{what}: SPEC.md says\n  {published!r}\nand this implementation\n  {mine!r}")


def refused(what, call, *arguments):
    global CHECKS
    CHECKS += 1
    try:
        call(*arguments)
    except Refused:
        return
    sys.exit(f"{what}: must be refused and is not")


def check_encoding(vectors):
    for value in (0, 127, 128, 300, 16384, 2**64 - 1):
        published = vectors[f"varint {value}"]
        same(f"varint {value}", write_varint(value), published)
        same(f"varint {value} read", decode(U64, published), value)
    for value in (-210, 330):
        same(f"i16 {value}", I16.write(value), vectors[f"i16 {value}"])
        same(f"i16 {value} read", decode(I16, vectors[f"i16 {value}"]), value)
    same("option none", Option(U32).write(None), vectors["option none"])
    same("option 300", Option(U32).write(300), vectors["option 300"])
    for name, kind, data in (
        ("a varint not in its shortest form", U64, b"\x80\x00"),
        ("a varint of eleven bytes", U64, b"\xff" * 10 + b"\x01"),
        ("a u16 that is too large", U16, b"\x80\x80\x04"),
        ("a bool of 2", BOOL, b"\x02"),
        ("a text that is not UTF-8", STR, b"\x01\xff"),
        ("bytes that end too early", BYTES, b"\x05abc"),
        ("bytes left over", U8, b"\x01\x02"),
    ):
        refused(name, decode, kind, data)


def check_messages(vectors):
    program = write_program(*CHAT_PROGRAM)
    key = Ed25519(b"\x01" * 32)
    same("submit key", key.public, vectors["submit key"])
    same("submit digest", sha256(program), vectors["submit digest"])
    signature = submit_signature(key, b"\x07" * 32, 41, program)
    models = MODEL.write(("language", "ollama/llama3.1:8b", "Llama 3.1", True))
    models += MODEL.write(("image", "built-in/painter", "Built-in painter", None))
    allowances = [(0x10, "allow", 100000), (0x20, "ask", 25), (0x34, "deny", None)]
    standing = (2592000, allowances, models, 120, 536870912)
    link = ("wifi-direct", b"DIRECT-OO-ada", "correct horse battery", 2437, 8144)
    said = {
        "Hello": ("Hello", 1, "Ada's RG35XX", "0.1.0", 640, 480, 7, 40, (811, b"\xc1" * 32)),
        "Submit": ("Submit", 41, program, signature),
        "Cancel": ("Cancel", 41),
        "Resume": ("Resume", 41, [(0, 3), (3, 65536)]),
        "Ack": ("Ack", 41),
        "Ping": ("Ping", 5),
        "Renew": ("Renew", bytes.fromhex("0066be")),
        "Farewell": ("Farewell",),
        "Data": ("Data", 41, 0, 0, 0, True, b"Hello."),
        "Data of an upload": ("Data", 41, 0x44, 16384, 0, False, b"\xff\xd8"),
        "Credit": ("Credit", 41, 0, 262144, 524288),
        "Welcome": ("Welcome", 1, "Ada's ThinkPad", 1760000000000, -210, 41, standing, link, (812, b"\xc2" * 32)),
        "Accepted": ("Accepted", 41),
        "Awaiting": ("Awaiting", 41, 120000),
        "Started": ("Started", 41, 0, "ollama/llama3.1:8b"),
        "Progress": ("Progress", 41, 2, 450, 9, 20, 11000),
        "Done": ("Done", 41, 12, 3, 0, 0, 850),
        "Failed": ("Failed", 41, 0, 41, "ollama"),
        "Notice": ("Notice", standing),
        "Pong": ("Pong", 5),
        "Renewed": ("Renewed", bytes.fromhex("010b51")),
        "Queued": ("Queued", 41, 3, 92),
    }
    for name, message in said.items():
        same(name, write_frame(*message), vectors[name])
        same(f"{name} read", read_frames(vectors[name]), [message])
    everything = b"".join(vectors[name] for name in said)
    same("all frames in a row", read_frames(everything), list(said.values()))
    same("models", [model[1] for model in decode_all(MODEL, models)], ["ollama/llama3.1:8b", "built-in/painter"])
    refused("a cut frame", read_frames, vectors["Welcome"][:-1])
    refused("an unknown kind", read_frames, b"\x7f\x00")
    refused("a payload with bytes left over", read_frames, b"\x08\x01\x00")
    refused("a giant frame", read_frames, b"\x06\x81\x80\x02")


CHAT_PROGRAM = (
    ["ollama/llama3.1:8b", "Hi"],
    [
        ("chat", None, (0, 7, bytes(8), None, None, 1, 512, None)),
        ("emit", None, (result(0),)),
    ],
)
CHAIN_PROGRAM = (
    ["", "A harbour at dusk.", "built-in/partner"],
    [
        ("complete", None, (0, 1, 300, 70)),
        ("complete", 0, (2, 1, 300, 70)),
        ("generate", None, (0, result(0), None, 0, 640, 480, 20, 1)),
        ("fit", None, (result(2), 640, 480, 7)),
        ("emit", None, (result(0),)),
        ("emit", None, (result(1),)),
        ("emit", None, (result(3),)),
    ],
)
EVERY_OPERATION = (
    ["m", "w", b"\x01\x02", 300, (b"\xab" * 32, 70000, 2)],
    [
        ("text", None, (2,)),
        ("bytes", None, (1,)),
        ("integer", None, (1,)),
        ("concat", None, ([result(0), 3, 1],)),
        ("chat", None, (0, 1 << 40, bytes(range(1, 9)), 2, 1, result(0), 16, 200)),
        ("complete", None, (0, 1, 16, 200)),
        ("code", None, (0, 1, 16, 200)),
        ("summarize", None, (0, 1, 16, 200)),
        ("embed", None, (0, 2, 512, 256)),
        ("generate", None, (0, 1, result(0), 0, 2048, 16, 100, 2**32 - 1)),
        ("edit", None, (0, 4, 1, 60, 20)),
        ("upscale", None, (0, 4, 2)),
        ("variation", None, (0, 4, 30, 10, None)),
        ("fit", None, (result(12), 720, 720, 3)),
        ("list", None, (0, 0, 256)),
        ("metadata", None, (0,)),
        ("get", None, (0, 1 << 20)),
        ("put", None, (0, result(13), "rename")),
        ("delete", None, (0,)),
        ("fetch", None, (0, 5)),
        ("status", None, ()),
        ("capabilities", None, ()),
        ("resources", None, ()),
        ("health", None, ()),
        ("emit", None, (result(13),)),
    ],
)


def check_programs(spec, vectors):
    for name, program in (
        ("program chat", CHAT_PROGRAM),
        ("program chain", CHAIN_PROGRAM),
        ("program every operation", EVERY_OPERATION),
    ):
        same(name, write_program(*program), vectors[name])
        same(f"{name} read", read_program(vectors[name]), program)
        for end in range(len(vectors[name])):
            refused(f"{name} cut at {end}", read_program, vectors[name][:end])
    refused("a program with bytes left over", read_program, vectors["program chat"] + b"\x00")
    example = "".join(line.split("  ")[0].replace(" ", "") for line in fenced(spec, "## Worked example"))
    same("the worked example", bytes.fromhex(example), vectors["Submit"])


def check_conversations(vectors):
    first = advance(bytes(8), "person", "Hi")
    same("head of Hi", first, vectors["head of Hi"])
    same("head of Hi, Hello.", advance(first, "model", "Hello."), vectors["head of Hi, Hello."])
    turns = [("person", "Hi"), ("model", "Hello.")]
    history = b"".join(map(TURN.write, turns))
    same("history", history, vectors["history Hi, Hello."])
    same("texts", b"".join(STR.write(text) for _, text in turns), vectors["texts Hi, Hello."])
    same("history read", decode_all(TURN, history), turns)


def check_records(vectors):
    listing = read_counted(Struct(U32, U64, U64, U16), ENTRY, vectors["record of list"])
    entries = [("notes.txt", 1234, 1760000000, False), ("maps", 0, 1760000060, True)]
    same("record of list", listing, ((2, 1234, 536870912, 2), entries))
    capabilities = read_counted(Struct(U16), Struct(U8, BOOL), vectors["record of capabilities"])
    same("record of capabilities", capabilities, ((2,), [(0x10, True), (0x20, False)]))
    provider = Struct(SERVICE, STR, Variant("healthy", "degraded", "unhealthy"), STR)
    health = read_counted(Struct(U16), provider, vectors["record of health"])
    same("record of health", health, ((1,), [("language", "ollama", "degraded", "slow")]))
    for name, value in (
        ("metadata", (1234, 1760000000, b"\xcd" * 32)),
        ("status", ("Ada's ThinkPad", "0.1.0", 3600, 1, 2592000)),
        ("resources", (8, 125, 16 << 30, 9 << 30, 100 << 30)),
    ):
        same(f"record of {name}", RECORDS[name].write(value), vectors[f"record of {name}"])
        same(f"record of {name} read", decode(RECORDS[name], vectors[f"record of {name}"]), value)


def check_token(spec):
    # The second block of the section is the example, the first its rules.
    block = section(spec, "## Token").split("```")[3]
    published = dict(line.rsplit(" ", 1) for line in block.split("\n")[1:] if line)
    published = {name.strip(): value for name, value in published.items()}
    secret, nonce = (bytes.fromhex(published[name]) for name in ("token secret", "nonce"))
    same("server name", server_name(secret, nonce), published["name"])


def check_pairing(spec):
    published = hexadecimal(spec, "### Test vectors")
    handheld, laptop = Ed25519(b"\x01" * 32), Ed25519(b"\x02" * 32)
    same("handheld key", handheld.public, published["handheld key"])
    same("laptop key", laptop.public, published["laptop key"])
    context = b"\x01" + spki(handheld.public) + spki(laptop.public)
    same("context", context, published["context"])

    def exporter(label):
        return sha256(b"\0" + label + context)

    b, k = exporter(b"EXPORTER-OfficeOS-pair-v1"), exporter(b"EXPORTER-OfficeOS-pair-confirm-v1")
    same("exporter B", b, published["exporter B"])
    same("exporter K", k, published["exporter K"])
    same("exporter token", exporter(b"EXPORTER-OfficeOS-token-v1"), published["exporter token"])
    nh, nl = b"\x11" * 32, b"\x22" * 32
    info = b"OfficeOS pair digits v1" + spki(handheld.public) + spki(laptop.public)
    digits = int.from_bytes(hkdf(b, nh + nl, info, 8), "big") % 1000000
    shown = next(line for line in fenced(spec, "### Test vectors") if line.startswith("digits"))
    same("digits", f"{digits:06}", shown.removeprefix("digits").replace(" ", ""))

    transcript = hash_of(b"OfficeOS pair transcript v1", b)

    def say(name, sender, message):
        nonlocal transcript
        same(name, lp(message), published[name])
        transcript = hash_of(transcript, sender, message)

    def confirmation(sender, extra):
        return mac(k, hash_of(b"OfficeOS pair confirm v1", sender, transcript, extra))

    commitment = hash_of(b"OfficeOS pair commit v1", b"laptop", b, nl)
    say("Commit", b"laptop", b"\x00" + U8.write(1) + commitment + STR.write("Ada's ThinkPad"))
    screen = U16.write(640) + U16.write(480)
    say("Nonce", b"handheld", b"\x01" + nh + STR.write("Ada's RG35XX") + screen)
    say("Reveal", b"laptop", b"\x02" + nl)
    say("Typed", b"laptop", b"\x03")
    say("Confirm", b"handheld", b"\x04" + confirmation(b"handheld", b""))
    grant_struct = Struct(U64, BYTES, STR, U16, U16, BYTES)
    # What the laptop grants is its own choice, so it is read out of the message; its MAC is not.
    granted = published["Grant"][3:-32]
    fields = decode(grant_struct, granted)
    same("grant", fields[:4], (2592000, b"DIRECT-OO-ada", "correct horse battery", 2437))
    same("grant written", grant_struct.write(fields), granted)
    say("Grant", b"laptop", b"\x05" + granted + confirmation(b"laptop", granted))
    say("Stored", b"handheld", b"\x06")


def check_renewal(spec):
    published = hexadecimal(spec, "### Test vectors of renewal")
    seeds = (0x01, 0x02, 0x0B, 0x0C)
    old_handheld, old_laptop, new_handheld, new_laptop = (Ed25519(bytes([n]) * 32) for n in seeds)
    r, rt = b"\x07" * 32, b"\x87" * 32
    same("Propose", b"\x00" + new_handheld.public, published["Propose"])
    same("Offer", b"\x01" + new_laptop.public, published["Offer"])
    both = spki(new_handheld.public) + spki(new_laptop.public)
    for name, key, side in (("Sign handheld", old_handheld, b"H"), ("Sign laptop", old_laptop, b"L")):
        signature = key.sign(b"OfficeOS renew v1\0" + side + r + both)
        same(name, b"\x02" + signature, published[name])
    same("renewed token secret", mac(rt, b"OfficeOS renew token v1\0" + both), published["token secret"])


def main():
    spec = SPEC.read_text()
    vectors = hexadecimal(spec, "## Vectors")
    check_encoding(vectors)
    check_messages(vectors)
    check_programs(spec, vectors)
    check_conversations(vectors)
    check_records(vectors)
    check_token(spec)
    check_pairing(spec)
    check_renewal(spec)
    print(f"A second implementation agrees with SPEC.md: {CHECKS} checks.")


if __name__ == "__main__":
    main()

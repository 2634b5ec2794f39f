#!/usr/bin/env python3
"""Writes a tiny language model with random weights in GGUF, the file format of llama.cpp.

    make_model.py OUT.gguf

It has the shape of a Llama model (two layers, 64 wide) and a SentencePiece-like vocabulary of 256 bytes, the printable
ASCII characters and some words. What it says means nothing; what matters is that llama.cpp computes every token of it.
It never ends by itself: the end token and the bytes score so low that no sampler takes them, so an answer lasts until
max_tokens, and a test can cut it wherever it likes. The same file comes out every time. Standard library only.
"""

import random
import struct
import sys

WIDTH, LAYERS, HEADS, HIDDEN, CONTEXT = 64, 2, 4, 128, 131072

WORDS = (
    "a an and answer are as at be boat but by can cloud cold come day do door down earth eat ever far fire first fish for "
    "from garden get give go gold good great green hand have he help here hill his home house how i if in into is it just "
    "keep know lamp last leaf light like little long look made make many mind moon more morning most much my never new night "
    "no not now of old on one only open or other our out over paper people place rain read red river road room sail salt "
    "same say sea see she ship sing sky slow small snow so some song star stay stone story summer sun take tell than that "
    "the them then there these they thing this time to tree two under up us very wait walk wall want warm was water way we "
    "well west what when where which white who why wide will wind window winter with wood word work world write year you"
).split()

# Token types of the format.
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6

# Value types of the format.
U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"
)


def vocabulary():
    """Tokens as (text, score, type). The score ranks merges: longer words first."""
    tokens = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    tokens += [("<0x%02X>" % byte, 0.0, BYTE) for byte in range(256)]
    # U+2581 stands for the space in front of a word.
    tokens += [("\u2581", -1000.0, NORMAL)]
    tokens += [(chr(code), -1000.0, NORMAL) for code in range(33, 127)]
    tokens += [("\u2581" + word, float(len(word)), NORMAL) for word in WORDS]
    return tokens


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind, item):
    if kind == STRING:
        return string(item)
    return struct.pack({U32: "<I", F32: "<f", BOOL: "<?", I32: "<i"}[kind], item)


def entry(key, kind, item):
    return string(key) + struct.pack("<I", kind) + value(kind, item)


def entries(key, kind, items):
    return string(key) + struct.pack("<IIQ", ARRAY, kind, len(items)) + b"".join(value(kind, item) for item in items)


def metadata(tokens):
    return [
        entry("general.architecture", STRING, "llama"),
        entry("general.name", STRING, "officeos-test"),
        entry("general.file_type", U32, 0),
        entry("llama.vocab_size", U32, len(tokens)),
        entry("llama.context_length", U32, CONTEXT),
        entry("llama.embedding_length", U32, WIDTH),
        entry("llama.block_count", U32, LAYERS),
        entry("llama.feed_forward_length", U32, HIDDEN),
        entry("llama.rope.dimension_count", U32, WIDTH // HEADS),
        entry("llama.attention.head_count", U32, HEADS),
        entry("llama.attention.head_count_kv", U32, HEADS),
        entry("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
        entry("tokenizer.ggml.model", STRING, "llama"),
        entries("tokenizer.ggml.tokens", STRING, [text for text, _, _ in tokens]),
        entries("tokenizer.ggml.scores", F32, [score for _, score, _ in tokens]),
        entries("tokenizer.ggml.token_type", I32, [kind for _, _, kind in tokens]),
        entry("tokenizer.ggml.bos_token_id", U32, 1),
        entry("tokenizer.ggml.eos_token_id", U32, 2),
        entry("tokenizer.ggml.unknown_token_id", U32, 0),
        entry("tokenizer.ggml.add_bos_token", BOOL, False),
        entry("tokenizer.ggml.add_eos_token", BOOL, False),
        entry("tokenizer.chat_template", STRING, TEMPLATE),
    ]


def tensors(tokens):
    """Tensors as (name, shape with the row length first, values).

    Component 0 of the residual stream is 1 for every token and no layer writes to it, so after the last norm it is
    positive whatever came before. The output layer uses it to push away the tokens that shall never be said.
    """
    rng = random.Random(20)

    def rows(count, length, scale, quiet_row=None):
        return [0.0 if row == quiet_row else rng.uniform(-scale, scale) for row in range(count) for _ in range(length)]

    embedding = rows(len(tokens), WIDTH, 1.0)
    output = rows(len(tokens), WIDTH, 1.0)
    for index, (text, _, kind) in enumerate(tokens):
        embedding[index * WIDTH] = 1.0
        spoken = kind == NORMAL and text.startswith("\u2581") and len(text) > 1
        output[index * WIDTH] = 0.0 if spoken else -1000.0
    result = [("token_embd.weight", (WIDTH, len(tokens)), embedding)]
    ones = [1.0] * WIDTH
    for layer in range(LAYERS):
        name = "blk.%d." % layer
        square = (WIDTH, WIDTH)
        result += [
            (name + "attn_norm.weight", (WIDTH,), ones),
            (name + "attn_q.weight", square, rows(WIDTH, WIDTH, 0.3)),
            (name + "attn_k.weight", square, rows(WIDTH, WIDTH, 0.3)),
            (name + "attn_v.weight", square, rows(WIDTH, WIDTH, 0.3)),
            (name + "attn_output.weight", square, rows(WIDTH, WIDTH, 0.3, quiet_row=0)),
            (name + "ffn_norm.weight", (WIDTH,), ones),
            (name + "ffn_gate.weight", (WIDTH, HIDDEN), rows(HIDDEN, WIDTH, 0.3)),
            (name + "ffn_up.weight", (WIDTH, HIDDEN), rows(HIDDEN, WIDTH, 0.3)),
            (name + "ffn_down.weight", (HIDDEN, WIDTH), rows(WIDTH, HIDDEN, 0.3, quiet_row=0)),
        ]
    result += [("output_norm.weight", (WIDTH,), ones), ("output.weight", (WIDTH, len(tokens)), output)]
    return result


def padded(data, to=32):
    return data + bytes(-len(data) % to)


def model():
    tokens = vocabulary()
    facts, parts = metadata(tokens), tensors(tokens)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(parts), len(facts)) + b"".join(facts)
    body = b""
    for name, shape, values in parts:
        # Tensor type 0 is 32-bit float; the offset counts from the start of the data.
        head += string(name) + struct.pack("<I%dQIQ" % len(shape), len(shape), *shape, 0, len(body))
        body += padded(struct.pack("<%df" % len(values), *values))
    return padded(head) + body


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], "wb") as out:
        out.write(model())

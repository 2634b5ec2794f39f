"""OpenAI's own Python client against the gateway. Every step says what it checks; the first that fails ends it."""
import base64
import os
import struct

import openai

BASE = os.environ["GATEWAY"]
KEY = os.environ["KEY_ALLOWED"]
client = openai.OpenAI(base_url=BASE, api_key=KEY)


def step(words):
    print("python:", words, flush=True)


def raises(kind, call, code=None):
    try:
        call()
    except kind as error:
        assert code is None or error.code == code, (error.code, str(error))
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def say(text):
    return [{"role": "system", "content": "be brief"}, {"role": "user", "content": text}]


step("models")
ids = [model.id for model in client.models.list()]
for wanted in ("desk/parrot", "attic/echo:latest", "attic/vectors:latest", "easel/plain", "built-in/partner", "built-in/painter"):
    assert wanted in ids, (wanted, ids)
assert client.models.retrieve("desk/parrot").owned_by == "desk"
raises(openai.NotFoundError, lambda: client.models.retrieve("desk/none"), "model_not_found")

for model in ("desk/parrot", "attic/echo:latest"):
    step(f"chat with {model}")
    answer = client.chat.completions.create(model=model, messages=say("one two three"))
    assert answer.choices[0].message.content == "one two three", answer
    assert answer.choices[0].finish_reason == "stop" and answer.model == model
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0

    step(f"streaming from {model}")
    text, usage, chunks = "", None, 0
    for chunk in client.chat.completions.create(
        model=model, messages=say("four five six"), stream=True, stream_options={"include_usage": True}, temperature=0.5,
    ):
        chunks += 1
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
    assert text == "four five six" and chunks > 3, (text, chunks)
    assert usage and usage.completion_tokens > 0

step("an answer cut short, and one that ends at a word")
answer = client.chat.completions.create(model="attic/echo:latest", messages=say("a b c d e f"), max_tokens=3)
assert answer.choices[0].finish_reason == "length" and answer.choices[0].message.content == "a b c", answer
answer = client.chat.completions.create(model="desk/parrot", messages=say("left STOP right"), stop=["STOP"])
assert answer.choices[0].message.content == "left ", answer

step("the built-in partner")
answer = client.chat.completions.create(model="built-in/partner", messages=[{"role": "user", "content": "what is 6 * 7?"}])
assert "42" in answer.choices[0].message.content, answer

step("completions")
answer = client.completions.create(model="desk/parrot", prompt="once upon a time")
assert answer.choices[0].text and answer.usage.total_tokens > 0
text = "".join(
    chunk.choices[0].text
    for chunk in client.completions.create(model="desk/parrot", prompt="once upon a time", stream=True)
)
assert text == answer.choices[0].text, text

step("embeddings")
# Without a format the client asks for base64 and decodes it itself.
coded = client.embeddings.create(model="attic/vectors:latest", input=["a harbour", "a boat at dusk"])
plain = client.embeddings.create(model="attic/vectors:latest", input=["a harbour", "a boat at dusk"], encoding_format="float")
assert [one.index for one in coded.data] == [0, 1] and len(coded.data[0].embedding) == 3
for one, other in zip(coded.data, plain.data):
    assert all(abs(a - b) < 1e-6 for a, b in zip(one.embedding, other.embedding)), (one, other)
    assert abs(sum(value * value for value in one.embedding) - 1) < 1e-5
assert coded.data[0].embedding != coded.data[1].embedding
assert coded.model == "attic/vectors:latest" and coded.usage.total_tokens == coded.usage.prompt_tokens == 6
cut = client.embeddings.create(model="attic/vectors:latest", input="a harbour", dimensions=2)
assert len(cut.data) == 1 and len(cut.data[0].embedding) == 2

for model in ("built-in/painter", "easel/plain"):
    step(f"pictures from {model}")
    answer = client.images.generate(model=model, prompt="a red boat", size="256x128", n=2)
    assert len(answer.data) == 2
    for picture in answer.data:
        png = base64.b64decode(picture.b64_json)
        assert png[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", png[16:24]) == (256, 128)

step("errors")
plain = dict(model="desk/parrot", messages=say("x"))
for more in ({"n": 2}, {"logprobs": True}, {"seed": 4}, {"response_format": {"type": "json_object"}},
             {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}):
    error = raises(openai.BadRequestError, lambda: client.chat.completions.create(**plain, **more), "unsupported_parameter")
    assert error.param == next(iter(more)), error
raises(openai.BadRequestError, lambda: client.images.generate(model="easel/plain", prompt="x", response_format="url"))
raises(openai.NotFoundError, lambda: client.chat.completions.create(model="desk/none", messages=say("x")), "model_not_found")
stranger = openai.OpenAI(base_url=BASE, api_key="sk-officeos-wrong")
raises(openai.AuthenticationError, lambda: stranger.models.list(), "invalid_api_key")
denied = openai.OpenAI(base_url=BASE, api_key=os.environ["KEY_DENIED"])
raises(openai.PermissionDeniedError, lambda: denied.chat.completions.create(**plain), "permission_denied")
poor = openai.OpenAI(base_url=BASE, api_key=os.environ["KEY_POOR"])
raises(openai.RateLimitError, lambda: poor.chat.completions.create(**plain), "insufficient_quota")
for model, more in (("attic/echo:latest", {}), ("built-in/partner", {}), ("attic/vectors:latest", {"dimensions": 9000})):
    raises(openai.BadRequestError, lambda: client.embeddings.create(model=model, input="x", **more), "invalid_value")
error = raises(openai.BadRequestError, lambda: client.embeddings.create(model="attic/vectors:latest", input=[1, 2, 3]))
assert error.param == "input" and "tokens" in str(error), error
raises(openai.BadRequestError, lambda: client.embeddings.create(model="attic/vectors:latest", input="x", dimensions=4), "invalid_value")
raises(openai.PermissionDeniedError, lambda: denied.embeddings.create(model="attic/vectors:latest", input="x"), "permission_denied")
raises(openai.BadRequestError, lambda: client.chat.completions.create(model="attic/vectors:latest", messages=say("x")), "invalid_value")

step("cancel")
stream = client.chat.completions.create(model="attic/slow:7b", messages=say("count"), stream=True)
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        break
stream.close()
print("python: ok", openai.__version__)

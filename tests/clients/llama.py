"""OpenAI's own Python client, the gateway, and a real llama.cpp server whose model says words at random without an end."""
import os

import openai

client = openai.OpenAI(base_url=os.environ["GATEWAY"], api_key=os.environ["KEY_ALLOWED"])
MODEL = "stove/tiny"
SAY = [{"role": "user", "content": "What is a river?"}]

assert MODEL in [model.id for model in client.models.list()]
whole = client.chat.completions.create(model=MODEL, messages=SAY, max_tokens=40, temperature=0)
assert whole.choices[0].finish_reason == "length" and whole.usage.completion_tokens == 40, whole
text, usage = "", None
for chunk in client.chat.completions.create(
    model=MODEL, messages=SAY, max_tokens=40, temperature=0, stream=True, stream_options={"include_usage": True},
):
    usage = chunk.usage or usage
    text += "".join(choice.delta.content or "" for choice in chunk.choices)
assert text == whole.choices[0].message.content, "the stream and the whole say the same"
assert usage.completion_tokens == 40, usage
print("python: ok with llama.cpp")

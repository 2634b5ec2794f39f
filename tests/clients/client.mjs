// OpenAI's own JavaScript client against the gateway. Every step says what it checks; the first that fails ends it.
import assert from "node:assert/strict";
import OpenAI from "openai";

const baseURL = process.env.GATEWAY;
const client = new OpenAI({ baseURL, apiKey: process.env.KEY_ALLOWED });
const step = (words) => console.log("javascript:", words);
const say = (text) => [{ role: "system", content: "be brief" }, { role: "user", content: text }];

step("models");
const ids = [];
for await (const model of await client.models.list()) ids.push(model.id);
for (const wanted of ["desk/parrot", "attic/echo:latest", "easel/plain", "built-in/partner", "built-in/painter"])
  assert.ok(ids.includes(wanted), `${wanted}: ${ids}`);
assert.equal((await client.models.retrieve("desk/parrot")).owned_by, "desk");
await assert.rejects(client.models.retrieve("desk/none"), OpenAI.NotFoundError);

for (const model of ["desk/parrot", "attic/echo:latest"]) {
  step(`chat with ${model}`);
  const answer = await client.chat.completions.create({ model, messages: say("one two three") });
  assert.equal(answer.choices[0].message.content, "one two three");
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.ok(answer.usage.total_tokens > 0);

  step(`streaming from ${model}`);
  let text = "", usage = null, chunks = 0;
  const stream = await client.chat.completions.create({
    model, messages: say("four five six"), stream: true, stream_options: { include_usage: true },
  });
  for await (const chunk of stream) {
    chunks += 1;
    usage = chunk.usage ?? usage;
    text += chunk.choices[0]?.delta?.content ?? "";
  }
  assert.equal(text, "four five six");
  assert.ok(chunks > 3 && usage.completion_tokens > 0);
}

step("completions");
const gone = await client.completions.create({ model: "desk/parrot", prompt: "once upon a time" });
assert.ok(gone.choices[0].text.length > 0);

step("embeddings");
const coded = await client.embeddings.create({ model: "attic/vectors:latest", input: ["a harbour", "a boat at dusk"] });
const floats = await client.embeddings.create({
  model: "attic/vectors:latest", input: ["a harbour", "a boat at dusk"], encoding_format: "float",
});
assert.equal(coded.data.length, 2);
coded.data.forEach((one, at) => one.embedding.forEach((value, place) =>
  assert.ok(Math.abs(value - floats.data[at].embedding[place]) < 1e-6)));
assert.equal(floats.usage.total_tokens, 6);

for (const model of ["built-in/painter", "easel/plain"]) {
  step(`pictures from ${model}`);
  const answer = await client.images.generate({ model, prompt: "a red boat", size: "256x128" });
  const png = Buffer.from(answer.data[0].b64_json, "base64");
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [256, 128]);
}

step("errors");
const plain = { model: "desk/parrot", messages: say("x") };
const refused = async (kind, code, call) => {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof kind, `${error}`);
    assert.equal(error.code, code);
    return true;
  });
};
await refused(OpenAI.BadRequestError, "unsupported_parameter", client.chat.completions.create({ ...plain, n: 2 }));
await refused(OpenAI.BadRequestError, "invalid_value", client.chat.completions.create({ ...plain, messages: [] }));
await refused(OpenAI.NotFoundError, "model_not_found", client.chat.completions.create({ ...plain, model: "desk/none" }));
await refused(OpenAI.BadRequestError, "invalid_value", client.embeddings.create({ model: "attic/echo:latest", input: "x" }));
await refused(OpenAI.BadRequestError, "invalid_value", client.embeddings.create({ model: "attic/vectors:latest", input: [1, 2] }));
const other = (apiKey) => new OpenAI({ baseURL, apiKey });
await refused(OpenAI.AuthenticationError, "invalid_api_key", other("sk-officeos-wrong").models.list());
await refused(OpenAI.PermissionDeniedError, "permission_denied", other(process.env.KEY_DENIED).chat.completions.create(plain));
await refused(OpenAI.RateLimitError, "insufficient_quota", other(process.env.KEY_POOR).chat.completions.create(plain));

step("cancel");
const stream = await client.chat.completions.create({ model: "attic/slow:7b", messages: say("count"), stream: true });
for await (const chunk of stream) {
  if (chunk.choices[0]?.delta?.content) break;
}
stream.controller.abort();
console.log("javascript: ok", process.version);

#!/usr/bin/env python3
"""A server of Ollama's shape, written from its public API documentation (docs/api.md in github.com/ollama/ollama).

It has two models that answer a chat with what was said last, word by word, and one that makes embeddings. It holds requests against the documentation:
what is not documented is answered 400 with the reason, so that a test that uses it fails by name.
Says "PORT <number>" when it listens.
"""
import base64
import hashlib
import json
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODELS = ["echo:latest", "slow:7b", "vectors:latest"]
# Parameters of POST /api/chat.
CHAT = {"model", "messages", "tools", "think", "format", "options", "stream", "keep_alive"}
# Options of a modelfile that the documentation names.
OPTIONS = {
    "num_ctx", "repeat_last_n", "repeat_penalty", "temperature", "seed", "stop", "num_predict", "top_k", "top_p", "min_p",
    "num_keep", "typical_p", "presence_penalty", "frequency_penalty", "penalize_newline", "numa", "num_batch", "num_gpu",
    "main_gpu", "use_mmap", "num_thread",
}


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime())


def digest(model):
    return hashlib.sha256(model.encode()).hexdigest()


def capabilities(model):
    return ["embedding"] if model.startswith("vectors") else ["completion"]


def details(model):
    return {
        "parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"],
        "parameter_size": "7.6B" if model == "slow:7b" else "137M", "quantization_level": "Q4_K_M",
    }


class Wrong(Exception):
    pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def whole(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/api/tags":
            self.whole(200, {"models": [{
                "name": name, "model": name, "modified_at": now(), "size": 4683075271, "digest": digest(name),
                "details": details(name),
            } for name in MODELS]})
        elif self.path == "/api/ps":
            self.whole(200, {"models": [{
                "name": MODELS[0], "model": MODELS[0], "size": 5137025024, "digest": digest(MODELS[0]),
                "details": details(MODELS[0]), "expires_at": now(), "size_vram": 0,
            }]})
        elif self.path == "/api/version":
            self.whole(200, {"version": "0.5.1"})
        else:
            self.whole(404, {"error": "not found"})

    def do_POST(self):
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            if self.path == "/api/chat":
                self.chat(body)
            elif self.path == "/api/show":
                self.show(body)
            elif self.path == "/v1/embeddings":
                self.embed(body)
            else:
                self.whole(404, {"error": "not found"})
        except Wrong as wrong:
            self.whole(400, {"error": str(wrong)})

    def model(self, body):
        name = body.get("model")
        if name not in MODELS:
            self.whole(404, {"error": f"model '{name}' not found"})
            return None
        return name

    def chat(self, body):
        unknown = set(body) - CHAT | set(body.get("options", {})) - OPTIONS
        if unknown:
            raise Wrong(f"the documentation has no {sorted(unknown)}")
        if not all(set(one) <= {"role", "content", "images", "tool_calls", "thinking", "tool_name"}
                   and one["role"] in ("system", "user", "assistant", "tool") for one in body["messages"]):
            raise Wrong("a message is not as the documentation has it")
        name = self.model(body)
        if name is None:
            return
        limit = body.get("options", {}).get("num_predict", -1)
        words = body["messages"][-1]["content"].split(" ")
        if name == "slow:7b":
            words = [str(number) for number in range(100000)]
        pieces = [words[0]] + [" " + word for word in words[1:]]
        cut = 0 <= limit < len(pieces)
        pieces = pieces[:limit] if cut else pieces
        counts = {
            "total_duration": 4883583458, "load_duration": 1334875, "prompt_eval_duration": 342546000,
            "prompt_eval_count": sum(len(one["content"].split()) for one in body["messages"]),
            "eval_count": len(pieces), "eval_duration": 4535599000,
        }
        part = {"model": name, "created_at": now()}
        end = {**part, "done": True, "done_reason": "length" if cut else "stop", **counts}
        if body.get("stream", True) is False:
            return self.whole(200, {**end, "message": {"role": "assistant", "content": "".join(pieces)}})
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in pieces:
                self.line({**part, "message": {"role": "assistant", "content": piece}, "done": False})
                if name == "slow:7b":
                    time.sleep(0.02)
            self.line({**end, "message": {"role": "assistant", "content": ""}})
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            # Whoever asked has left: the real server stops writing as well.
            print("LEFT", flush=True)
            self.close_connection = True

    def line(self, value):
        data = json.dumps(value).encode() + b"\n"
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def show(self, body):
        unknown = set(body) - {"model", "verbose"}
        if unknown:
            raise Wrong(f"the documentation has no {sorted(unknown)}")
        name = self.model(body)
        if name is not None:
            self.whole(200, {
                "modelfile": "", "parameters": "", "template": "{{ .Prompt }}", "details": details(name),
                "model_info": {"general.architecture": "llama"}, "capabilities": capabilities(name), "modified_at": now(),
            })

    def embed(self, body):
        """OpenAI's /v1/embeddings, as docs/openai.md has it."""
        unknown = set(body) - {"model", "input", "encoding_format", "dimensions", "user"}
        if unknown:
            raise Wrong(f"the documentation has no {sorted(unknown)}")
        name = body.get("model")
        if name not in MODELS:
            return self.whole(404, {"error": {"message": f'model "{name}" not found, try pulling it first', "type": "api_error"}})
        if "embedding" not in capabilities(name):
            return self.whole(400, {"error": {"message": "this model does not support embeddings", "type": "api_error"}})
        inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
        data = []
        for index, text in enumerate(inputs):
            # Something that depends on the text, of length one as the documentation says; cut where fewer numbers are wanted.
            raw = [1.0 + sum(text.encode()) % 7, float(len(text)), 1.0][:body.get("dimensions") or 3]
            length = sum(value * value for value in raw) ** 0.5
            vector = [value / length for value in raw]
            if body.get("encoding_format") == "base64":
                vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
            data.append({"object": "embedding", "embedding": vector, "index": index})
        count = sum(len(text.split()) for text in inputs)
        self.whole(200, {
            "object": "list", "data": data, "model": name, "usage": {"prompt_tokens": count, "total_tokens": count},
        })


def main():
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Handler)
    server.daemon_threads = True
    # A connection that its client has dropped is nothing to tell of.
    server.handle_error = lambda *_: None
    print("PORT", server.server_address[1], flush=True)
    # Ends with whoever started it.
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


main()

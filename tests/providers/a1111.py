#!/usr/bin/env python3
"""A server of the shape of AUTOMATIC1111's stable-diffusion-webui, written from its public API documentation (the wiki page
"API" and the models in modules/api/models.py).

It paints one colour that depends on prompt and seed. What is not documented is answered 422, as the original does for a
body that does not fit. Says "PORT <number>" when it listens.
"""
import base64
import json
import struct
import sys
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TITLE = "plain.safetensors [0123456789]"
TXT2IMG = {
    "prompt", "negative_prompt", "styles", "seed", "subseed", "subseed_strength", "seed_resize_from_h", "seed_resize_from_w",
    "sampler_name", "scheduler", "batch_size", "n_iter", "steps", "cfg_scale", "width", "height", "restore_faces", "tiling",
    "do_not_save_samples", "do_not_save_grid", "eta", "denoising_strength", "s_min_uncond", "s_churn", "s_tmax", "s_tmin",
    "s_noise", "override_settings", "override_settings_restore_afterwards", "refiner_checkpoint", "refiner_switch_at",
    "disable_extra_networks", "firstpass_image", "comments", "enable_hr", "firstphase_width", "firstphase_height", "hr_scale",
    "hr_upscaler", "hr_second_pass_steps", "hr_resize_x", "hr_resize_y", "hr_checkpoint_name", "hr_sampler_name",
    "hr_scheduler", "hr_prompt", "hr_negative_prompt", "force_task_id", "sampler_index", "script_name", "script_args",
    "send_images", "save_images", "alwayson_scripts", "infotext",
}
IMG2IMG = TXT2IMG - {"enable_hr"} | {
    "init_images", "resize_mode", "image_cfg_scale", "mask", "mask_blur_x", "mask_blur_y", "mask_blur", "mask_round",
    "inpainting_fill", "inpaint_full_res", "inpaint_full_res_padding", "inpainting_mask_invert", "initial_noise_multiplier",
    "latent_mask", "include_init_images",
}


def png(width, height, colour):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\0" + bytes(colour) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def whole(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/sdapi/v1/sd-models":
            self.whole(200, [{
                "title": TITLE, "model_name": "plain", "hash": "0123456789", "sha256": "0" * 64,
                "filename": "/models/plain.safetensors", "config": None,
            }])
        elif path == "/sdapi/v1/options":
            self.whole(200, {"sd_model_checkpoint": TITLE, "samples_format": "png"})
        elif path == "/sdapi/v1/progress":
            self.whole(200, {
                "progress": 0.5, "eta_relative": 1.5, "state": {"skipped": False, "interrupted": False, "job": "",
                "job_count": 1, "job_no": 0, "sampling_step": 10, "sampling_steps": 20}, "current_image": None,
                "textinfo": None,
            })
        elif path == "/sdapi/v1/upscalers":
            self.whole(200, [{"name": "None", "model_name": None, "model_path": None, "model_url": None, "scale": 4}])
        else:
            self.whole(404, {"detail": "Not Found"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        known = {"/sdapi/v1/txt2img": TXT2IMG, "/sdapi/v1/img2img": IMG2IMG}.get(self.path)
        if self.path == "/sdapi/v1/interrupt":
            return self.whole(200, {})
        if known is None:
            return self.whole(404, {"detail": "Not Found"})
        unknown = sorted(set(body) - known)
        if unknown:
            return self.whole(422, {"detail": [{"loc": ["body", name], "msg": "unexpected value"} for name in unknown]})
        width, height = body.get("width", 512), body.get("height", 512)
        seed = body.get("seed", -1)
        if seed == -1:
            seed = 20
        colour = [zlib.crc32(f"{body.get('prompt', '')}{seed}{channel}".encode()) & 0xFF for channel in range(3)]
        count = body.get("batch_size", 1) * body.get("n_iter", 1)
        self.whole(200, {
            "images": [png(width, height, colour)] * count, "parameters": body,
            "info": json.dumps({"prompt": body.get("prompt", ""), "seed": seed, "all_seeds": [seed] * count,
                                "width": width, "height": height, "sd_model_name": "plain"}),
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

"""The page and the control API, from outside: HTTP by hand, WebSocket by a library, the page by a browser.

Each step proves what is let through and what is refused. Nothing here sleeps for luck: it looks until it sees, or gives up.
"""

import argparse
import asyncio
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

import websockets
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

PATIENCE = 60
HOSTILE = "<img src=x onerror=alert(1)>&\"'"


def eventually(what, look):
    until = time.monotonic() + PATIENCE
    while True:
        try:
            found = look()
        except Exception as error:  # The page may be in the middle of a change.
            found, why = None, error
        else:
            why = None
        if found:
            return found
        assert time.monotonic() < until, f"waited in vain for {what}: {why}"
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Laptop:
    def __init__(self, programs, folder):
        self.programs, self.home = programs, folder / "laptop"
        self.port, self.link = free_port(), free_port()
        (self.home / "config").mkdir(parents=True)
        (self.home / "config/daemon.toml").write_text(
            f"[daemon]\ndevice_name = \"Ada's ThinkPad\"\n[manners]\nwait_when_busy = false\n[networking]\nwifi_direct_enabled = false\nusb_link = false\n"
            f"bind_port = {self.link}\n[web]\nport = {self.port}\nmetrics_enabled = true\n"
        )
        self.log = open(folder / "laptop.log", "wb")
        self.child = subprocess.Popen(
            [programs / "laptop-daemon", "--standalone", "--home", self.home],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env=dict(os.environ, OFFICEOS_DISCOVERY="off"),
        )
        eventually("web-service", lambda: self.http("GET", "/login")[0] == 200)
        eventually("the services", lambda: all(self.ctl("status")["services"].values()))
        eventually("a carrier", lambda: self.ctl("status")["carriers"])

    def ctl(self, *arguments):
        done = subprocess.run(
            [self.programs / "officectl", "--home", self.home, "--json", *arguments],
            capture_output=True, stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"officectl {arguments}: {done.stderr.decode()}"
        return json.loads(done.stdout)

    def http(self, method, path, body=None, headers=(), host=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host or f"127.0.0.1:{self.port}")
        body = body.encode() if isinstance(body, str) else body
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def rpc(self, token, request, extra=()):
        headers = [("Authorization", f"Bearer {token}"), ("Content-Type", "application/json"), *extra]
        status, _, text = self.http("POST", "/rpc", json.dumps(request), headers)
        return status, json.loads(text) if status == 200 else text

    def call(self, token, method, **params):
        status, answer = self.rpc(token, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        assert status == 200, (status, answer)
        return answer

    def end(self):
        self.child.terminate()
        self.child.wait()


class Pocket:
    """A handheld without a panel, driven by a line of script at a time."""

    def __init__(self, programs, folder, laptop, name="Pocket"):
        home = folder / "card"
        home.mkdir()
        self.child = subprocess.Popen(
            [programs / "officeos-handheld", "--headless", "--name", name, "--home", home,
             "--size", "640x480", "--laptop", f"127.0.0.1:{laptop.link}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(folder / "card.log", "wb"), text=True,
        )
        self.wait("loaded=true")

    def raw(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().strip()

    def say(self, line):
        answer = self.raw(line)
        assert answer == "ok", f"{line}: {answer}; {self.raw('model')}"

    def press(self, buttons):
        self.say(f"press {buttons}")

    def wait(self, condition):
        self.say(f"wait {condition} {PATIENCE * 1000}")

    def fact(self, name):
        return json.loads(self.raw("model")).get(name, "")

    def go_home(self):
        for _ in range(12):
            if self.fact("screen") == "home" and not self.fact("overlay"):
                return
            self.press("B")
        raise AssertionError(self.raw("model"))

    def ask(self, text):
        self.go_home()
        self.press("Start")
        self.wait("screen=writing")
        self.say(f"type {text}")
        self.press("Start")
        self.wait("screen=chat")

    def end(self):
        self.child.kill()
        self.child.wait()


def browser(scripts=True, dark=False, size=(1280, 860)):
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--force-device-scale-factor=1", "--hide-scrollbars", f"--window-size={size[0]},{size[1]}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    chrome = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    if dark:
        set_dark(chrome, True)
    return chrome


def set_dark(chrome, dark):
    value = "dark" if dark else "light"
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": value}]})


def step(words):
    print(f"page: {words}", flush=True)


def walk_http(laptop):
    step("a program without a token, or with a wrong one, gets nothing")
    status = {"jsonrpc": "2.0", "id": 1, "method": "status"}
    json_type = ("Content-Type", "application/json")
    assert laptop.http("POST", "/rpc", json.dumps(status), [json_type])[0] == 401
    assert laptop.rpc("officeos-" + "0" * 64, status)[0] == 401
    reader = laptop.ctl("tokens", "make", "reader")["secret"]
    owner = laptop.ctl("tokens", "make", "owner", "--full")["secret"]

    step("a token calls; a batch is answered in one list; notifications are not answered")
    assert laptop.rpc(reader, status)[1]["result"]["name"] == "Ada's ThinkPad"
    code, answer = laptop.rpc(reader, [status, {"jsonrpc": "2.0", "method": "status"}, dict(status, id="b", method="sing"), 7])
    assert code == 200 and [one.get("id") for one in answer] == [1, "b", None], answer
    assert answer[1]["error"]["code"] == -32601 and answer[2]["error"]["code"] == -32600
    assert laptop.rpc(reader, {"jsonrpc": "2.0", "method": "status"})[0] == 204
    assert laptop.rpc(reader, [])[1]["error"]["code"] == -32600
    assert laptop.call(reader, "watch")["error"]["code"] == -32600

    step("a token for reading changes nothing and is told no secret; no token reaches the gateway's own methods")
    for method in ("pair.open", "pair.status", "devices.revoke", "tokens.make", "page.login"):
        assert laptop.call(reader, method, device="1", name="x")["error"]["code"] == 4, method
    assert laptop.call(owner, "gateway.models", key="x")["error"]["code"] == 4
    assert laptop.call(owner, "pair.cancel")["result"]["state"] == "closed"
    assert {one["name"] for one in laptop.call(reader, "methods")["result"]} >= {"status", "activity", "usage"}

    step("what is for the control socket alone is refused to every token, and the counts are read without one")
    for method in ("page.login", "callers.add", "files.list"):
        assert laptop.call(owner, method, name="x", device="1", path="")["error"]["code"] == 4, method
    for method in ("config.read", "config.try", "config.write"):
        assert laptop.call(owner, method, name="daemon.toml", text="")["error"]["code"] == 4, method
    code, headers, text = laptop.http("GET", "/metrics")
    assert code == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4"), (code, headers)
    assert "# TYPE officeos_" in text and "ThinkPad" not in text, text
    assert laptop.http("POST", "/metrics", "")[0] == 405
    assert laptop.http("GET", "/metrics", host="evil.example")[0] == 403
    assert laptop.http("GET", "/metrics", headers=[("Origin", "https://evil.example")])[0] == 403

    step("foreign names and origins are refused, with a token too")
    auth = ("Authorization", f"Bearer {owner}")
    for host in ("evil.example", f"evil.example:{laptop.port}", "127.0.0.1:1"):
        assert laptop.http("POST", "/rpc", json.dumps(status), [auth, json_type], host=host)[0] == 403, host
        assert laptop.http("GET", "/login", host=host)[0] == 403, host
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        assert laptop.rpc(owner, status, [("Origin", origin)])[0] == 403, origin
    assert laptop.rpc(owner, status, [("Sec-Fetch-Site", "cross-site")])[0] == 403
    assert laptop.http("POST", "/rpc", json.dumps(status), [auth, ("Content-Type", "text/plain")])[0] == 415
    assert laptop.http("GET", "/rpc", headers=[auth])[0] == 405

    step("a code logs in once; a foreign post with the cookie, and a form of no session, do nothing")
    login = laptop.ctl("page", "--print")
    own = ("Origin", f"http://127.0.0.1:{laptop.port}")
    form = ("Content-Type", "application/x-www-form-urlencoded")
    assert laptop.http("POST", "/login", "code=" + "0" * 32, [own, form])[0] == 403
    assert laptop.http("POST", "/login", "code=" + login["code"], [("Origin", "https://evil.example"), form])[0] == 403
    code, headers, _ = laptop.http("POST", "/login", "code=" + login["code"], [own, form])
    cookie = headers["Set-Cookie"]
    assert code == 303 and "HttpOnly" in cookie and "SameSite=Strict" in cookie, cookie
    assert laptop.http("POST", "/login", "code=" + login["code"], [own, form])[0] == 403
    cookie = ("Cookie", cookie.split(";")[0])
    code, headers, page = laptop.http("GET", "/", headers=[cookie])
    assert code == 200 and "Overview" in page
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and headers["X-Content-Type-Options"] == "nosniff"
    token = page.split('name="token" value="')[1].split('"')[0]
    assert laptop.http("GET", "/", headers=[("Cookie", "officeos=" + "0" * 64)])[0] == 303
    body = f"token={token}"
    assert laptop.http("POST", "/pair/open", body, [cookie, form])[0] == 403
    assert laptop.http("POST", "/pair/open", body, [cookie, form, ("Origin", "https://evil.example")])[0] == 403
    assert laptop.http("POST", "/pair/open", "token=x", [cookie, form, own])[0] == 403
    assert laptop.http("POST", "/rpc", json.dumps(status), [cookie, json_type])[0] == 403
    assert laptop.call(owner, "pair.status")["result"]["state"] == "closed"
    assert laptop.http("POST", "/pair/open", body, [cookie, form, own])[0] == 303
    assert laptop.http("POST", "/pair/cancel", body, [cookie, form, own])[0] == 303
    assert laptop.http("POST", "/rpc", json.dumps(status), [cookie, json_type, own])[0] == 200
    assert laptop.http("GET", "/devices/none", headers=[cookie])[0] == 404
    assert laptop.http("POST", "/logout", body, [cookie, form, own])[0] == 303
    assert laptop.http("GET", "/", headers=[cookie])[0] == 303
    return reader, owner


async def walk_events(laptop, pocket, owner):
    step("events and calls over WebSocket; a foreign origin and a missing token are refused")
    uri = f"ws://127.0.0.1:{laptop.port}/events"
    auth = [("Authorization", f"Bearer {owner}")]
    for headers, status in (([], 401), (auth + [("Origin", "https://evil.example")], 403)):
        try:
            async with websockets.connect(uri, extra_headers=headers):
                raise AssertionError("let in")
        except websockets.exceptions.InvalidStatusCode as error:
            assert error.status_code == status, error
    async with websockets.connect(uri, extra_headers=auth) as events:
        await events.send(json.dumps([{"jsonrpc": "2.0", "id": 5, "method": "status"}]))
        answer = json.loads(await asyncio.wait_for(events.recv(), PATIENCE))
        assert answer[0]["id"] == 5 and answer[0]["result"]["linked"] == 1, answer
        pong = await events.ping()
        await asyncio.wait_for(pong, PATIENCE)
        pocket.ask("Say something about rain.")
        seen = []
        while not seen or seen[-1]["event"] != "asks":
            seen.append(json.loads(await asyncio.wait_for(events.recv(), PATIENCE))["params"])
        await events.send(json.dumps({"jsonrpc": "2.0", "id": 6, "method": "deny", "params": {"id": seen[-1]["id"]}}))
        answered = False
        while not answered:
            message = json.loads(await asyncio.wait_for(events.recv(), PATIENCE))
            assert "error" not in message, message
            answered = message.get("params", {}).get("answer") == "no"
    step("a token that is revoked ends its connection with the next event")
    second = laptop.ctl("tokens", "make", "second", "--full")["secret"]
    async with websockets.connect(uri, extra_headers=[("Authorization", f"Bearer {second}")]) as events:
        laptop.ctl("tokens", "revoke", "second")
        laptop.ctl("pair", "--open")
        try:
            while True:
                await asyncio.wait_for(events.recv(), PATIENCE)
        except websockets.exceptions.ConnectionClosed:
            pass
    laptop.call(owner, "pair.cancel")
    assert laptop.rpc(second, {"jsonrpc": "2.0", "id": 1, "method": "status"})[0] == 401


def log_in(chrome, laptop):
    chrome.get(laptop.ctl("page", "--print")["url"])
    eventually("the overview", lambda: chrome.find_element(By.TAG_NAME, "h1").text == "Overview")


def press(chrome, css):
    eventually(css, lambda: chrome.find_elements(By.CSS_SELECTOR, css))
    chrome.find_element(By.CSS_SELECTOR, css).click()


def walk_pairing(chrome, laptop, pocket):
    step("log in by the address of officectl page; the code does not stay in the address")
    log_in(chrome, laptop)
    assert "#" not in chrome.current_url and chrome.execute_script("return document.cookie") == ""
    step("pair by typing the digits that the handheld shows")
    chrome.get(f"http://127.0.0.1:{laptop.port}/pair")
    press(chrome, "form[action='/pair/open'] button")
    eventually("the open window", lambda: "Waiting" in chrome.find_element(By.ID, "pairing").text)
    pocket.go_home()
    pocket.press("Y")
    pocket.wait("screen=laptop")
    pocket.press("A")
    pocket.wait("overlay=menu")
    pocket.press("A")
    pocket.wait("screen=pairing")
    pocket.wait("pairing.digits!")
    digits = pocket.fact("pairing.digits")
    field = eventually("the field", lambda: chrome.find_elements(By.ID, "digits"))[0]
    eventually("the field to have the focus", lambda: chrome.switch_to.active_element == chrome.find_element(By.ID, "digits"))
    field.send_keys(digits)
    press(chrome, "form[action='/pair/type'] button")
    eventually("the laptop to be content", lambda: "Now press A" in chrome.find_element(By.ID, "pairing").text)
    pocket.wait("pairing=confirm")
    pocket.press("A")
    eventually("the pairing", lambda: "is paired" in chrome.find_element(By.ID, "pairing").text)
    pocket.wait("link=linked")


def walk_requests(chrome, laptop, pocket):
    base = f"http://127.0.0.1:{laptop.port}"
    step("a request shows up by itself, and runs when it is allowed")
    chrome.get(base + "/")
    eventually("the live mark", lambda: "● live" in chrome.find_element(By.ID, "live").text)
    assert not chrome.find_elements(By.CSS_SELECTOR, ".ask")
    pocket.ask("Tell me a story about a lighthouse.")
    eventually("the question", lambda: chrome.find_elements(By.CSS_SELECTOR, ".card.ask"))
    return base


def walk_answers(chrome, laptop, pocket, base):
    press(chrome, "form[action$='/allow'] button")
    eventually("the question to go", lambda: not chrome.find_elements(By.CSS_SELECTOR, ".card.ask"))
    eventually("the request as done", lambda: "done" in chrome.find_element(By.ID, "recent").text)
    step("a permission is flipped by a switch, and the next request is denied at once")
    device = laptop.ctl("devices")[0]["id"]
    chrome.get(f"{base}/devices/{device}")
    switch = "#chat-deny"
    press(chrome, switch)
    eventually("the switch", lambda: chrome.find_element(By.CSS_SELECTOR, switch).get_attribute("aria-pressed") == "true")
    assert chrome.switch_to.active_element.get_attribute("id") == "chat-deny"
    chrome.get(base + "/activity")
    eventually("the live mark", lambda: "● live" in chrome.find_element(By.ID, "live").text)
    pocket.ask("Another one, please.")
    eventually("the refusal", lambda: "refused" in chrome.find_element(By.ID, "feed").text)
    eventually("its row", lambda: chrome.find_elements(By.CSS_SELECTOR, "#recent td.stop"))
    assert not laptop.ctl("pending")
    step("permissions by keyboard alone")
    chrome.get(f"{base}/devices/{device}")
    chrome.execute_script("document.getElementById('chat-allow').focus()")
    chrome.switch_to.active_element.send_keys(" ")
    eventually("the switch", lambda: chrome.find_element(By.ID, "chat-allow").get_attribute("aria-pressed") == "true")


def walk_hostile(chrome, laptop, owner, base):
    step("a hostile name is text on every page, and controls have names")
    device = laptop.ctl("devices")[0]["id"]
    name = laptop.ctl("devices")[0]["name"]
    assert "result" in laptop.call(owner, "devices.rename", device=str(device), name=HOSTILE)
    for path in ("/", "/devices", f"/devices/{device}", "/activity", "/usage", "/ledger", "/requests", "/settings", "/settings/services", "/logs", "/providers", "/setup", "/pair"):
        chrome.get(base + path)
        assert not chrome.find_elements(By.CSS_SELECTOR, "img[src=x]"), path
        nameless = chrome.execute_script(
            "return [...document.querySelectorAll('button, a, input:not([type=hidden]), select, textarea, meter')].filter(e =>"
            " !(e.getAttribute('aria-label') || e.textContent.trim() || (e.labels && e.labels.length))).map(e => e.outerHTML)")
        assert not nameless, (path, nameless)
        wide = chrome.execute_script("return document.documentElement.scrollWidth > innerWidth")
        assert not wide, f"{path} is wider than the window"
    chrome.get(f"{base}/devices/{device}")
    assert chrome.find_element(By.TAG_NAME, "h1").text == HOSTILE
    said = [line["message"] for line in chrome.get_log("browser") if "Content Security Policy" in line["message"]]
    assert not said, said
    laptop.call(owner, "devices.rename", device=str(device), name=name)


def walk_settings(chrome, laptop, base):
    step("a settings file is checked while it is typed, and kept from being lost")
    file = laptop.home / "config/daemon.toml"
    chrome.get(base + "/settings/daemon")
    field = chrome.find_element(By.ID, "text")
    before = file.read_text()
    assert field.get_attribute("value") == before
    def type(text):
        chrome.execute_script(
            "const field = document.getElementById('text'); field.value = arguments[0]; field.dispatchEvent(new Event('input'))", text)
    type(before + "[daemn]\nx = 1\n")
    eventually("the mistake", lambda: "daemn" in chrome.find_element(By.ID, "findings").text)
    assert "not saved" in chrome.find_element(By.ID, "unsaved").text
    asked = chrome.execute_script("return !window.dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    assert asked, "nobody is asked before what was typed is lost"
    step("what has a mistake is not written, and comes back")
    type(before.replace("[manners]", "[manners]\nbusy_percent = 3"))
    press(chrome, "button[formaction$='/save']")
    eventually("the answer", lambda: chrome.current_url.endswith("/save"))
    eventually("the mistake", lambda: "busy_percent" in chrome.find_element(By.ID, "findings").text)
    assert "busy_percent = 3" in chrome.find_element(By.ID, "text").get_attribute("value")
    assert file.read_text() == before
    step("what has none is written and in force at once")
    type(before.replace("[manners]", "[manners]\nbusy_percent = 93"))
    press(chrome, "button[formaction$='/save']")
    eventually("the word", lambda: "Saved" in chrome.find_element(By.ID, "findings").text)
    assert "busy_percent = 93" in file.read_text() and not laptop.ctl("config", "show")["pending"]
    assert not chrome.execute_script("return !window.dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    step("a file that somebody else has changed meanwhile stays as they left it")
    changed = file.read_text() + "# by hand\n"
    file.write_text(changed)
    type(before)
    press(chrome, "button[formaction$='/save']")
    eventually("the refusal", lambda: "meanwhile" in chrome.find_element(By.ID, "findings").text)
    assert file.read_text() == changed
    # Leaves without being asked, as by one of its buttons.
    chrome.execute_script("document.getElementById('text').form.dispatchEvent(new Event('submit'))")
    file.write_text(before)
    laptop.ctl("config", "reload")
    step("the log is there, and a model is switched off and on")
    chrome.get(base + "/logs")
    assert "laptop-daemon is ready" in chrome.find_element(By.ID, "log").text
    chrome.get(base + "/providers")
    enabled = lambda: [one["enabled"] for one in laptop.ctl("models") if one["id"] == "built-in/partner"]
    press(chrome, "button[aria-label='Switch off built-in/partner']")
    eventually("the model off", lambda: enabled() == [False])
    press(chrome, "button[aria-label='Switch on built-in/partner']")
    eventually("the model on", lambda: enabled() == [True])


def walk_without_scripts(laptop):
    step("without JavaScript: log in by typing the code, read, and flip a permission")
    chrome = browser(scripts=False)
    try:
        base = f"http://127.0.0.1:{laptop.port}"
        chrome.get(base + "/")
        chrome.find_element(By.ID, "code").send_keys(laptop.ctl("page", "--print")["code"])
        chrome.find_element(By.CSS_SELECTOR, "button.main").click()
        eventually("the overview", lambda: chrome.find_element(By.TAG_NAME, "h1").text == "Overview")
        text = chrome.find_element(By.TAG_NAME, "main").text
        assert "Devices linked" in text and "language" in text and "done" in text, text
        device = laptop.ctl("devices")[0]["id"]
        chrome.get(f"{base}/devices/{device}")
        chrome.find_element(By.ID, "chat-ask").click()
        eventually("the switch", lambda: chrome.find_element(By.ID, "chat-ask").get_attribute("aria-pressed") == "true")
        assert laptop.ctl("show", str(device))["rules"]["chat"] == "ask"
        chrome.get(f"{base}/settings/services")
        field = chrome.find_element(By.ID, "text")
        assert "routing = " in field.get_attribute("value")
        field.send_keys("x")
        chrome.find_element(By.CSS_SELECTOR, "button[formaction$='/try']").click()
        eventually("the mistake", lambda: "error" in chrome.find_element(By.ID, "findings").text)
        chrome.get(f"{base}/logs")
        assert "ready" in chrome.find_element(By.ID, "log").text
    finally:
        chrome.quit()


def walk_guesses(laptop):
    step("whoever guesses tokens is slowed down")
    codes = [laptop.rpc(f"officeos-{number:064}", {"jsonrpc": "2.0", "id": 1, "method": "status"})[0] for number in range(12)]
    assert codes[-1] == 429 and 401 in codes, codes


SHOTS = [("overview", "/"), ("requests", "/requests"), ("device", None), ("devices", "/devices"), ("activity", "/activity"),
         ("usage", "/usage"), ("providers", "/providers"), ("ledger", "/ledger?verify=1"), ("settings", "/settings"), ("editor", "/settings/daemon"), ("logs", "/logs"),
         ("setup", "/setup"), ("pair", "/pair")]


def shoot(chrome, laptop, folder, names=None):
    base = f"http://127.0.0.1:{laptop.port}"
    device = laptop.ctl("devices")[0]["id"] if laptop.ctl("devices") else 0
    for name, path in SHOTS:
        if names and name not in names:
            continue
        chrome.get(base + (path or f"/devices/{device}"))
        eventually("the live mark", lambda: "● live" in chrome.find_element(By.ID, "live").text)
        for dark in (False, True):
            set_dark(chrome, dark)
            eventually("the colours to stand still", lambda: not chrome.execute_script("return document.getAnimations().length"))
            chrome.save_screenshot(str(folder / f"{name}-{'dark' if dark else 'light'}.png"))


def shoot_narrow(laptop, folder):
    chrome = browser(size=(500, 900))
    try:
        log_in(chrome, laptop)
        shoot(chrome, laptop, folder, {"overview", "device"})
    finally:
        chrome.quit()


TERMINAL = [("status", ["status"]), ("device", ["devices", "show", "Pocket"]), ("ledger", ["ledger", "show"]), ("services", ["services"])]
TERMINAL_PAGE = ("<body style='margin:0;background:{background};color:{foreground}'><pre id='shown' style='display:inline-block;margin:0;padding:18px 22px;"
                 "font:15px/1.4 \"DejaVu Sans Mono\",monospace'><code style='font-family:inherit'>{code}</code></pre></body>")


def shoot_terminal(chrome, laptop, folder):
    """What officectl prints on a terminal that has colours, set as a picture."""
    from rich.console import Console
    from rich.text import Text

    for name, arguments in TERMINAL:
        done = subprocess.run([laptop.programs / "officectl", "--home", laptop.home, *arguments], capture_output=True, stdin=subprocess.DEVNULL,
                              env=dict(os.environ, CLICOLOR_FORCE="1", COLUMNS="100"))
        assert done.returncode == 0, done.stderr.decode()
        console = Console(record=True, width=120, file=open(os.devnull, "w"))
        console.print(Text("$ officectl " + " ".join(arguments), style="bold"))
        console.print(Text.from_ansi(done.stdout.decode()))
        page = folder / f"officectl-{name}.html"
        page.write_text(console.export_html(inline_styles=True, code_format=TERMINAL_PAGE))
        chrome.get(page.as_uri())
        chrome.find_element(By.ID, "shown").screenshot(str(page.with_suffix(".png")))
        page.unlink()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--shots", type=pathlib.Path)
    arguments = parser.parse_args()
    programs = arguments.programs.resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="oos-page-"))
    laptop = pocket = chrome = None
    try:
        laptop = Laptop(programs, folder)
        pocket = Pocket(programs, folder, laptop)
        _, owner = walk_http(laptop)
        chrome = browser()
        walk_pairing(chrome, laptop, pocket)
        asyncio.run(walk_events(laptop, pocket, owner))
        base = walk_requests(chrome, laptop, pocket)
        if arguments.shots:
            arguments.shots.mkdir(parents=True, exist_ok=True)
            shoot(chrome, laptop, arguments.shots, {"overview", "requests"})
            chrome.get(base + "/")
        walk_answers(chrome, laptop, pocket, base)
        if arguments.shots:
            shoot(chrome, laptop, arguments.shots, {name for name, _ in SHOTS} - {"overview", "requests"})
            shoot_terminal(chrome, laptop, arguments.shots.resolve())
            narrow = arguments.shots / "narrow"
            narrow.mkdir(exist_ok=True)
            shoot_narrow(laptop, narrow)
            chrome.get(base + "/")
        walk_settings(chrome, laptop, base)
        walk_hostile(chrome, laptop, owner, base)
        walk_without_scripts(laptop)
        walk_guesses(laptop)
    except BaseException:
        for name in ("laptop.log", "card.log"):
            if (folder / name).exists():
                sys.stderr.write(f"-- {name} --\n{(folder / name).read_text(errors='replace')[-6000:]}\n")
        if chrome:
            sys.stderr.write(f"-- {chrome.current_url} --\n{chrome.find_element(By.TAG_NAME, 'body').text}\n")
        raise
    finally:
        for one in (chrome and chrome.quit, pocket and pocket.end, laptop and laptop.end):
            if one:
                one()
        shutil.rmtree(folder, ignore_errors=True)
    step("all steps passed")


main()

// Keeps the page fresh. Everything here can be done without it, by loading the page again.
"use strict";

const live = document.getElementById("live");
const toast = document.getElementById("toast");

// A code behind # is typed for the person, and leaves the address at once.
const code = document.getElementById("code");
if (code && location.hash.length > 1) {
  code.value = location.hash.slice(1);
  history.replaceState(null, "", "/login");
  code.form.submit();
}

function say(words) {
  toast.textContent = words;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.textContent = ""; }, 6000);
}

// Takes the parts of another copy of this page that may have changed. What a person is typing in stays.
function take(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const focused = document.activeElement;
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(part.id);
    if (!other || other.innerHTML === part.innerHTML) continue;
    if (part.contains(focused) && focused.matches("input:not([type=hidden]), textarea") && other.querySelector("#" + CSS.escape(focused.id || "-"))) continue;
    const at = part.contains(focused) ? focused.id : "";
    const path = part.contains(focused) && !at ? [...part.querySelectorAll("a, button, input")].indexOf(focused) : -1;
    part.replaceChildren(...other.childNodes);
    const wanted = at ? document.getElementById(at) : path >= 0 ? part.querySelectorAll("a, button, input")[path] : part.querySelector("[autofocus]");
    if (wanted) wanted.focus({ preventScroll: true });
  }
}

let fetching = false, again = false;
async function refresh() {
  if (fetching) { again = true; return; }
  fetching = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.redirected && new URL(answer.url).pathname === "/login") location.href = "/login";
    else if (answer.ok) take(await answer.text());
  } catch { /* The next event tries again. */ }
  fetching = false;
  if (again) { again = false; refresh(); }
}
function soon() { clearTimeout(soon.timer); soon.timer = setTimeout(refresh, 120); }

// Forms are sent without leaving the page, where the answer is the page they stand on.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || form.action.endsWith("/logout") || form.action.endsWith("/login") || form.action.endsWith("/tokens/make") || form.classList.contains("editor")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    const text = await answer.text();
    if (!answer.ok) {
      const said = new DOMParser().parseFromString(text, "text/html").querySelector("[role=alert]");
      say(said ? said.textContent.trim() : text.trim());
    } else if (new URL(answer.url).pathname !== location.pathname && !form.action.includes("/requests/")) {
      location.href = answer.url;
      return;
    }
  } catch { say("The laptop does not answer."); }
  refresh();
});

// A settings file is checked while it is typed, and whoever leaves with something unsaved is asked first.
const draft = document.querySelector("textarea[data-try]");
if (draft && !draft.readOnly) {
  const findings = document.getElementById("findings"), unsaved = document.getElementById("unsaved");
  // What came back with mistakes in it is not in the file either.
  let saved = location.pathname.endsWith("/try") || location.pathname.endsWith("/save") ? null : draft.value, leaving = false, number = 0;
  const mark = () => { unsaved.textContent = draft.value === saved ? "" : "● not saved"; };
  const check = async () => {
    const own = ++number;
    try {
      const answer = await fetch(draft.dataset.try, { method: "POST", body: new URLSearchParams(new FormData(draft.form)) });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("findings");
      if (own === number && answer.ok && fresh) findings.replaceChildren(...fresh.childNodes);
    } catch { /* The next key tries again. */ }
  };
  draft.addEventListener("input", () => { mark(); clearTimeout(check.timer); check.timer = setTimeout(check, 300); });
  draft.form.addEventListener("submit", () => { leaving = true; });
  addEventListener("beforeunload", (event) => { if (!leaving && draft.value !== saved) event.preventDefault(); });
  mark();
}

function words(event) {
  switch (event.event) {
    case "linked": return ["✓", event.name + " linked"];
    case "unlinked": return ["○", event.name + " went away"];
    case "asks": return ["◷", event.name + " asks: " + event.wants.join(" ")];
    case "answered": return [event.answer === "yes" ? "✓" : "✕", "answered: " + event.answer];
    case "started": return ["▶", event.name + ": " + event.wants.join(" ")];
    case "ended": return [event.outcome === "done" ? "✓" : "!", event.name + ": request " + event.request + " " + event.outcome];
    case "denied": return ["✕", event.name + ": refused, " + event.reason];
    default: return null;
  }
}

function note(event) {
  const feed = document.getElementById("feed"), said = words(event);
  if (feed && said) {
    document.getElementById("feed-box").hidden = false;
    const line = document.createElement("li"), time = document.createElement("time");
    time.textContent = new Date().toLocaleTimeString();
    line.append(time, " " + said[0] + " " + said[1]);
    feed.prepend(line);
    while (feed.children.length > 50) feed.lastChild.remove();
  }
  if (event.event === "asks") document.title = "(!) " + document.title.replace("(!) ", "");
  if (event.event === "answered") document.title = document.title.replace("(!) ", "");
}

let pause = 1000;
function connect() {
  const socket = new WebSocket("ws://" + location.host + "/events");
  socket.onopen = () => {
    pause = 1000;
    live.hidden = false;
    live.className = "live on";
    live.textContent = "● live";
    refresh();
  };
  socket.onmessage = (message) => {
    const { method, params } = JSON.parse(message.data);
    if (method === "event") { note(params); soon(); }
  };
  socket.onclose = () => {
    live.hidden = false;
    live.className = "live";
    live.textContent = "○ not live";
    setTimeout(connect, pause);
    pause = Math.min(pause * 2, 30000);
  };
}
if (live) connect();

// Counts down what ends by itself.
if (live) setInterval(() => {
  for (const place of document.querySelectorAll("[data-ends]")) {
    const left = place.dataset.ends - 1;
    place.dataset.ends = Math.max(left, 0);
    place.textContent = left >= 60 ? Math.floor(left / 60) + " min" : Math.max(left, 0) + " s";
    if (left === 0) soon();
  }
}, 1000);

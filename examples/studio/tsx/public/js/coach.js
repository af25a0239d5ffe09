// The coach: tips live, until all are there or the reader pauses.

import { get, put } from "./api.js";
import { listen } from "./events.js";
import { $, attempt, startWithLogin } from "./shell.js";

const shown = new Set();
const done = new Set();
let total = 0;
let last = 0;
let connection = null;

if (startWithLogin()) {
  $("#pause").addEventListener("click", () => (connection ? pause() : attempt(follow)));
  $("#pause").disabled = false;
  await attempt(loadProgress);
  await attempt(follow);
}

async function loadProgress() {
  const progress = await get("/coach/progress");
  total = progress.total;
  for (const { tip_id } of progress.done) done.add(tip_id);
  count();
}

async function follow() {
  connection = new AbortController();
  $("#pause").setAttribute("aria-pressed", "false");
  $("#pause").textContent = "Pause";
  try {
    for await (const event of listen("/coach/stream", { after: last, signal: connection.signal })) {
      $("#connection").textContent = "Live";
      last = Number(event.id);
      add(JSON.parse(event.data));
      if (shown.size === total) return pause("That was everything.");
    }
    $("#connection").textContent = "Disconnected";
  } catch (error) {
    if (error.name !== "AbortError") $("#connection").textContent = "Disconnected";
    throw error;
  }
}

function pause(why = "Paused") {
  connection?.abort();
  connection = null;
  $("#connection").textContent = why;
  $("#pause").setAttribute("aria-pressed", "true");
  $("#pause").textContent = "Go on";
  $("#pause").hidden = shown.size === total;
}

function add(tip) {
  if (shown.has(tip.id)) return;
  shown.add(tip.id);
  const item = document.createElement("li");
  item.className = "card tip";
  const topic = Object.assign(document.createElement("span"), { className: "topic", textContent: tip.topic });
  const title = Object.assign(document.createElement("h2"), { textContent: tip.title });
  const text = Object.assign(document.createElement("p"), { textContent: tip.text });
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: done.has(tip.id), disabled: done.has(tip.id) });
  box.addEventListener("change", () => attempt(() => tick(tip, box, item)));
  label.append(box, "Done");
  item.classList.toggle("done", done.has(tip.id));
  item.append(topic, title, text, label);
  $("#tips").append(item);
}

async function tick(tip, box, item) {
  box.disabled = true;
  await put(`/coach/progress/${tip.id}`);
  done.add(tip.id);
  item.classList.add("done");
  count();
}

function count() {
  $("#progress").textContent = `${done.size} of ${total} done`;
}

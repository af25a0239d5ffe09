// Quick create: choose, generate, poll, look.

import { get, picture, post } from "./api.js";
import { $, attempt, onSubmit, startWithLogin } from "./shell.js";

const POLL_MILLISECONDS = 120;
const SAYS = { queued: "Waiting for a free brush …", running: "Painting …", done: "Done.", failed: "That did not work." };

if (startWithLogin()) {
  onSubmit($("#create"), generate);
  await attempt(() => Promise.all([fillTypes(), fillKits(), refreshAssets()]));
}

async function generate({ asset_type, title, brand_kit_id }) {
  $("#preview").hidden = $("#download").hidden = true;
  say("Sending …");
  try {
    const job = await finished(await post("/generation/jobs", { asset_type, title, brand_kit_id: brand_kit_id || null }));
    if (job.state === "failed") throw new Error(job.error);
    await show(await get(`/assets/${job.asset_id}`));
  } catch (error) {
    say(SAYS.failed);
    throw error;
  }
  await refreshAssets();
}

async function finished(job) {
  while (job.state !== "done" && job.state !== "failed") {
    say(SAYS[job.state]);
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    job = await get(`/generation/jobs/${job.id}`);
  }
  return job;
}

async function show(asset) {
  const address = await picture(`/assets/${asset.id}/file`);
  const image = $("#preview");
  image.src = address;
  image.alt = `${asset.title}, ${asset.asset_type}`;
  await image.decode();
  image.hidden = false;
  const link = $("#download");
  link.href = address;
  link.download = `${asset.asset_type}-${asset.id.slice(0, 8)}.png`;
  link.hidden = false;
  say(`${SAYS.done} ${asset.width} × ${asset.height} pixels, ${Math.ceil(asset.bytes / 1024)} KiB.`);
}

async function fillTypes() {
  const specs = await get("/twitch/specs");
  $("#types").replaceChildren(
    ...specs.map((spec, index) => {
      const label = document.createElement("label");
      const input = Object.assign(document.createElement("input"), { type: "radio", name: "asset_type", value: spec.asset_type, required: true, checked: !index });
      const size = Object.assign(document.createElement("small"), { textContent: `${spec.width} × ${spec.height}` });
      label.className = "choice";
      label.append(input, spec.label, size);
      return label;
    }),
  );
}

async function fillKits() {
  const { items } = await get("/brand-kits");
  const select = $("[name=brand_kit_id]");
  select.append(...items.map((kit) => new Option(kit.name, kit.id)));
  const wanted = new URLSearchParams(location.search).get("kit");
  if (items.some((kit) => kit.id === wanted)) select.value = wanted;
}

async function refreshAssets() {
  const assets = await get("/assets");
  $("#empty").hidden = assets.length > 0;
  $("#assets").replaceChildren(...(await Promise.all(assets.slice(0, 12).map(thumbnail))));
}

async function thumbnail(asset) {
  const item = document.createElement("li");
  item.className = "card asset";
  const image = new Image();
  image.src = await picture(`/assets/${asset.id}/file`);
  image.alt = `${asset.title}, ${asset.asset_type}`;
  const title = Object.assign(document.createElement("p"), { textContent: asset.title });
  const size = Object.assign(document.createElement("p"), { className: "hint", textContent: `${asset.width} × ${asset.height}` });
  item.append(image, title, size);
  return item;
}

function say(text) {
  $("#progress").textContent = text;
}

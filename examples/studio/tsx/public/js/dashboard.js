// Brand kits: list, create, delete, and their logos.

import { get, picture, post, put, remove } from "./api.js";
import { $, attempt, onSubmit, startWithLogin } from "./shell.js";

if (startWithLogin()) {
  onSubmit($("#new-kit"), async (kit) => {
    await post("/brand-kits", kit);
    $("#new-kit").reset();
    await refresh();
  });
  await attempt(refresh);
}

async function refresh() {
  const { items, limit } = await get("/brand-kits");
  $("#kits").replaceChildren(...items.map(card));
  $("#count").textContent = `${items.length} of ${limit}`;
  $("#empty").hidden = items.length > 0;
}

function card(kit) {
  const element = $("#kit").content.firstElementChild.cloneNode(true);
  const path = `/brand-kits/${kit.id}`;
  element.setAttribute("aria-label", kit.name);
  $("h2", element).textContent = kit.name;
  $(".colours", element).textContent = `${kit.primary_colour} · ${kit.accent_colour}`;
  $(".swatch", element).style.setProperty("--primary", kit.primary_colour);
  $(".swatch", element).style.setProperty("--accent", kit.accent_colour);
  $("[data-role=use]", element).href = `/create?kit=${kit.id}`;
  $("[data-role=delete]", element).addEventListener("click", () =>
    attempt(async () => {
      await remove(path);
      await refresh();
    }),
  );
  $("input", element).addEventListener("change", ({ target }) => attempt(() => upload(path, target)));
  if (kit.has_logo) attempt(() => showLogo(path, kit.name, $("img", element)));
  return element;
}

async function upload(path, input) {
  const form = new FormData();
  form.append("file", input.files[0]);
  input.value = "";
  await put(`${path}/logo`, { form });
  await refresh();
}

async function showLogo(path, name, image) {
  image.src = await picture(`${path}/logo`);
  image.alt = `Logo of ${name}`;
  image.hidden = false;
}

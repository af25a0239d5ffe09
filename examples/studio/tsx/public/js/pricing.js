import { get } from "./api.js";
import { $, attempt, start } from "./shell.js";

start();
await attempt(async () => $("#specs").replaceChildren(...(await get("/twitch/specs")).map(row)));

function row(spec) {
  const line = document.createElement("tr");
  const limit = spec.max_bytes < 1024 ** 2 ? `${spec.max_bytes / 1024} KiB` : `${spec.max_bytes / 1024 ** 2} MiB`;
  const cells = [spec.label, `${spec.width} × ${spec.height}`, limit, spec.purpose];
  line.append(
    ...cells.map((text, index) => {
      const cell = document.createElement(index ? "td" : "th");
      if (!index) cell.scope = "row";
      cell.textContent = text;
      return cell;
    }),
  );
  return line;
}

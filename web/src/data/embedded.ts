import type { Source } from "./source";
import type { Wire, WireDetail, WireLogs } from "./wire";

const urlsafe = (text: string): string => text.replaceAll("-", "+").replaceAll("_", "/");

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64);
  const found = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) found[at] = binary.charCodeAt(at);
  return found;
}

async function unpack<T>(base64: string): Promise<T> {
  const stream = new Blob([bytes(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text()) as T;
}

/** The packed blocks of a page, this one or one that was dropped on it, by their names. */
export function blocksOf(page: Document): Map<string, string> {
  const blocks = new Map<string, string>();
  for (const block of page.querySelectorAll('script[type="application/octet-stream"][data-name]')) {
    const name = new TextDecoder().decode(bytes(urlsafe(block.getAttribute("data-name") ?? "")));
    blocks.set(name, (block.textContent ?? "").trim());
  }
  return blocks;
}

export async function unpackRun(blocks: Map<string, string>): Promise<Wire> {
  const run = blocks.get("run");
  if (run === undefined) throw new Error("there is no run in this page");
  return unpack<Wire>(run);
}

/** Each step of a path by itself, so that a name can be no scheme, no query and no fragment. */
const address = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

export function embedded(page: Document): Source {
  const blocks = blocksOf(page);
  const files = blocks.has("files") ? new TextDecoder().decode(bytes(blocks.get("files") ?? "")) : "";
  const pack = <T>(name: string): Promise<T | null> => {
    const block = blocks.get(name);
    return block === undefined ? Promise.resolve(null) : unpack<T>(block);
  };
  return {
    run: () => unpackRun(blocks),
    detail: (test) => pack<WireDetail>(`test-${test}`),
    logs: (test) => pack<WireLogs>(`logs-${test}`),
    ending: async (service) => (await pack<{ text: string }>(`log-${service}`))?.text ?? null,
    picture: (path, type) => {
      const block = blocks.get(`file-${path}`);
      return block === undefined || !/^image\/(png|jpeg|webp|gif)$/.test(type) ? null : `data:${type};base64,${block}`;
    },
    link: (path) => `./${address(files + path)}`,
  };
}

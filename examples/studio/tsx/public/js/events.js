// Server-sent events over fetch, because EventSource cannot send an Authorization header.

import { send } from "./api.js";

/** Yield {id, event, data} as they arrive; ends when the stream does or when the signal aborts it. */
export async function* listen(path, { after = 0, signal } = {}) {
  const response = await send("GET", path, { signal, headers: { "Last-Event-ID": String(after) } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    const blocks = buffer.split("\n\n");
    buffer = blocks.pop();
    yield* blocks.map(parse).filter((event) => event.data);
  }
}

function parse(block) {
  return Object.fromEntries(
    block.split("\n").map((line) => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
}

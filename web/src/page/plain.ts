import type { VNode } from "preact";
import { options } from "preact";
import { visible } from "./ansi";

/** What people read although it stands in no text node. */
const READ = ["title", "aria-label", "alt", "placeholder"];

/**
 * From now on everything that is shown is without control characters, terminal sequences and marks that turn the
 * reading order round, whichever view shows it. Ids, addresses and paths stay as they are where the page itself uses
 * them: a link has to find its file, a filter its test.
 */
export function showPlainText(): void {
  const before = options.vnode;
  options.vnode = (vnode) => {
    clean(vnode);
    before?.(vnode);
  };
}

/** Text is a node of no type, whose properties are the text itself. */
function clean(vnode: VNode): void {
  const node = vnode as { type: unknown; props: unknown };
  if (typeof node.props === "string") node.props = visible(node.props);
  else if (typeof node.type === "string") cleanAttributes(node.props as Record<string, unknown>);
}

function cleanAttributes(props: Record<string, unknown>): void {
  for (const name of READ) {
    const value = props[name];
    if (typeof value === "string") props[name] = visible(value);
  }
}

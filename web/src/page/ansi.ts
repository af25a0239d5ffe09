/** Colours and weights of terminal text as data; everything else that escapes could do is dropped. */
export interface Piece {
  text: string;
  style: string;
}

const SEQUENCE = new RegExp(
  "\\x1b\\[([0-9;:]*)m" + // Colours and weights: the only ones that mean something here.
    "|(?:\\x1b[PX^_\\]]|[\\x90\\x98\\x9d-\\x9f])[^\\x07\\x1b\\x9c\\n]*(?:\\x07|\\x1b\\\\|\\x9c)?" +
    "|(?:\\x1b\\[|\\x9b)[0-?]*[ -/]*[@-~]?|\\x1b[ -/]*[0-~]?", "g");
// Besides control characters: marks that turn the reading order round or cannot be seen.
const CONTROLS = new RegExp("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u2069\\ufeff\\ufffe\\uffff]", "g");
const HARMLESS = /^[\x20-\x7e\n\t]*$/;

/** Text as it may be shown: without sequences for a terminal, control characters, marks that turn the order round. */
export const visible = (text: string): string =>
  HARMLESS.test(text) ? text : text.replace(SEQUENCE, "").replace(CONTROLS, "");

interface State {
  color: number | null;
  bold: boolean;
  dim: boolean;
  underline: boolean;
}

const blank = (): State => ({ color: null, bold: false, dim: false, underline: false });

function apply(state: State, codes: string): State {
  let next = { ...state };
  const numbers = codes.split(/[;:]/).map(Number);
  for (let at = 0; at < numbers.length; at++) {
    const code = numbers[at] ?? 0;
    if (code === 0) next = blank();
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 4) next.underline = true;
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code === 24) next.underline = false;
    else if (code >= 30 && code <= 37) next.color = code - 30;
    else if (code >= 90 && code <= 97) next.color = code - 90;
    else if (code === 39) next.color = null;
    else if (code === 38 || code === 48) at += numbers[at + 1] === 5 ? 2 : 4; // 256 colours do not suit both themes.
  }
  return next;
}

const names = (state: State): string =>
  [
    state.color === null ? "" : `ansi-${state.color}`,
    state.bold ? "ansi-bold" : "",
    state.dim ? "ansi-dim" : "",
    state.underline ? "ansi-underline" : "",
  ].filter(Boolean).join(" ");

/** The lines of a text, each as pieces; colours go on over the end of a line as in a terminal. */
export function ansiLines(text: string): Piece[][] {
  let state = blank();
  return text.replace(/\r\n/g, "\n").split("\n").map((line) => {
    // A progress bar writes over its own line: what stood there last is what one saw.
    const shown = line.replace(/\r+$/, "");
    const from = shown.lastIndexOf("\r") + 1;
    const pieces: Piece[] = [];
    let last = from;
    const push = (part: string): void => {
      const clean = part.replace(CONTROLS, "");
      if (clean) pieces.push({ text: clean, style: names(state) });
    };
    SEQUENCE.lastIndex = from;
    for (let found = SEQUENCE.exec(shown); found; found = SEQUENCE.exec(shown)) {
      push(shown.slice(last, found.index));
      if (found[1] !== undefined) state = apply(state, found[1]);
      last = found.index + found[0].length;
      if (found[0] === "") SEQUENCE.lastIndex++;
    }
    push(shown.slice(last));
    return pieces;
  });
}

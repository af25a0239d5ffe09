/**
 * What can be typed above the list of tests. Tokens are ANDed; `!` before one negates it; quotes hold spaces.
 *
 *   s:failed  p:chromium  @tag  and  words     as in Playwright's report
 *   is:new  phase:  runner:  tag:  kind:  group:2  dur:>5s
 */
export type Token =
  | { kind: "text" | "status" | "project" | "tag" | "phase" | "runner" | "test-kind"; not: boolean; value: string }
  | { kind: "is"; not: boolean; value: string }
  | { kind: "group"; not: boolean; value: number }
  | { kind: "duration"; not: boolean; value: number; over: boolean };

export interface Query {
  tokens: Token[];
  /** Words that look like a token and are none, with what was expected. */
  mistakes: string[];
}

const STATES = ["new", "still", "fixed", "flaky", "failed", "passed", "skipped", "retried", "slow", "carried"];
const STATUSES = ["passed", "failed", "flaky", "skipped"];

const KEYS: Record<string, "status" | "project" | "tag" | "phase" | "runner" | "test-kind"> = {
  s: "status", status: "status", p: "project", project: "project", tag: "tag", t: "tag",
  phase: "phase", runner: "runner", r: "runner", kind: "test-kind",
};

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

export function parseDuration(text: string): { over: boolean; ms: number } | null {
  const found = /^(>|<|>=|<=)?(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (!found) return null;
  return { over: !found[1]?.startsWith("<"), ms: Number(found[2]) * (UNITS[found[3] ?? "s"] ?? 1000) };
}

/** Words and quoted parts; a quote may follow a key, as in `phase:"a b"`. */
function split(text: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  let any = false;
  for (const char of text) {
    if (quote) {
      if (char === quote) quote = "";
      else word += char;
    } else if ((char === '"' || char === "'") && (word === "" || word.endsWith(":") || word === "!")) {
      quote = char;
      any = true;
    } else if (/\s/.test(char)) {
      if (word || any) words.push(word);
      word = "";
      any = false;
    } else word += char;
  }
  if (word) words.push(word);
  return words;
}

function token(word: string, mistakes: string[]): Token | null {
  const not = word.startsWith("!") && word.length > 1;
  const rest = not ? word.slice(1) : word;
  const found = /^([a-z]+):(.*)$/i.exec(rest);
  const key = found?.[1]?.toLowerCase() ?? "";
  const value = (found?.[2] ?? "").toLowerCase();
  if (found && value === "" && (key in KEYS || ["is", "dur", "group"].includes(key))) return null;
  if (rest.startsWith("@") && rest.length > 1) return { kind: "tag", not, value: rest.slice(1).toLowerCase() };
  if (key === "is") {
    if (STATES.includes(value)) return { kind: "is", not, value };
    mistakes.push(`is:${value}: there are ${STATES.join(", ")}`);
    return null;
  }
  if (key === "group" && /^\d+$/.test(value)) return { kind: "group", not, value: Number(value) - 1 };
  if (key === "dur") {
    const told = parseDuration(value);
    if (told) return { kind: "duration", not, value: told.ms, over: told.over };
    mistakes.push(`dur:${value}: write dur:>5s or dur:<200ms`);
    return null;
  }
  const kind = KEYS[key];
  if (kind === "status" && !STATUSES.includes(value)) {
    mistakes.push(`${key}:${value}: there are ${STATUSES.join(", ")}`);
    return null;
  }
  if (kind) return { kind, not, value };
  return { kind: "text", not, value: rest.toLowerCase() };
}

export function parse(text: string): Query {
  const mistakes: string[] = [];
  const tokens = split(text).map((word) => token(word, mistakes)).filter((one): one is Token => one !== null);
  return { tokens, mistakes };
}

/** The same query with this word, or without it if it is there. */
export function toggled(query: string, word: string): string {
  const words = query.split(/\s+/).filter(Boolean);
  const key = word.slice(0, word.indexOf(":") + 1);
  const rest = words.filter((one) => one !== word && !(key === "s:" && one.startsWith(key)));
  return words.includes(word) ? rest.join(" ") : [...rest, word].join(" ");
}

export const quoted = (value: string): string => (/[\s"']/.test(value) ? `"${value.replaceAll('"', "")}"` : value);

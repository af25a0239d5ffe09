/**
 * The signature of an error, as `reporters/groups.py` makes it; a test holds the two together. The report brings
 * the signatures of its own failures; this is for results of other runs that are dropped on it.
 */
const LONGEST = 200;
const LINES = 7;
const LONG_QUOTE = 40;
const LINE_LIMIT = 400;

const ESCAPES = new RegExp(
  "(?:\\x1b[PX^_\\]]|[\\x90\\x98\\x9d-\\x9f])[^\\x07\\x1b\\x9c\\n]*(?:\\x07|\\x1b\\\\|\\x9c)?" +
    "|(?:\\x1b\\[|\\x9b)[0-?]*[ -/]*[@-~]?|\\x1b[ -/]*[0-~]?", "g");
const NEWLINES = new RegExp("\\r\\n|[\\r\\x0b\\x0c\\x1c-\\x1e\\x85\\u2028\\u2029]", "g");
const CONTROLS = new RegExp(
  "[\\x00-\\x08\\x0e-\\x1f\\x7f-\\x9f\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u2069\\ufeff]", "g");

const MARK = /^E\s+/;
const ASSERTION = /^E(?:\s|$)/;
const TRACEBACK = "Traceback (most recent call last)";
const GENERIC = /^(?:(?:\w+\.)*\w*(?:Error|Exception):?$|assert [\W\d]+$|(?:Error: )?expect\(.*\)[\w.]*\(.*\)(?: failed)?$)/;
const SAYS_NOTHING = /^(?:[\W_]*$|Call [Ll]og:?$)/;
const VOLATILE = new RegExp(
  [
    "(?<time>\\b\\d{4}-\\d\\d-\\d\\d(?:[T ]\\d\\d:\\d\\d(?::\\d\\d)?(?:[.,]\\d+)?\\s?(?:Z\\b|[+-]\\d\\d:?\\d\\d)?)?|\\b\\d{1,2}:\\d\\d:\\d\\d(?:[.,]\\d+)?)",
    "(?<uuid>\\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\\b)",
    "(?<scheme>\\b[a-zA-Z][a-zA-Z0-9+.-]{1,15}:\\/\\/)",
    "(?<hex>\\b0x[0-9a-fA-F]+\\b|\\b(?=[0-9]*[a-fA-F])(?=[a-fA-F]*[0-9])[0-9a-fA-F]{7,}\\b)",
    "(?<path>(?<![\\w\\/.<>:\\])}-])(?:[A-Za-z]:\\\\|~?\\/(?=[\\w.@-]+\\/))[^\\s'\"`:;,()<>|]*)",
    "(?<id>\\b(?=[A-Za-z]*\\d)(?=\\d*[A-Za-z])[A-Za-z0-9]{20,}\\b)",
    "(?<duration>(?<![\\w.])\\d+(?:\\.\\d+)?\\s?(?:ns|us|µs|ms|s|secs?|seconds?|min|mins|minutes?|h|hours?)\\b)",
    "(?<number>(?:(?<![\\w.)\\]])[-+])?\\d+(?:[.,_]\\d+)*(?:[eE][-+]?\\d+)?)",
  ].join("|"), "g");
const FOLDED: Record<string, string> = { time: "<time>", uuid: "<id>", hex: "<hex>", id: "<id>", duration: "<duration>" };

const clip = (text: string, limit: number): string => {
  const chars = [...text];
  return chars.length <= limit ? text : `${chars.slice(0, limit - 1).join("")}…`;
};

const clean = (text: string): string => text.replace(ESCAPES, "").replace(NEWLINES, "\n").replace(CONTROLS, "");

function withoutEdges(lines: string[]): string[] {
  const filled = lines.map((line, at) => (line.trim() ? at : -1)).filter((at) => at >= 0);
  return filled.length ? lines.slice(filled[0], (filled.at(-1) ?? 0) + 1) : [];
}

function exception(lines: string[]): string[] {
  const start = lines.findLastIndex((line) => line.includes(TRACEBACK));
  const frame = lines.findLastIndex((line, at) => at >= start && (line.startsWith(" ") || line.startsWith("Traceback")));
  const rest = lines.slice(frame + 1);
  return rest.length ? rest : lines;
}

function linesThatMatter(message: string): string[] {
  let lines = clean(message).replace(/^\n+|\n+$/g, "").split("\n").map((line) => clip(line.trimEnd(), LINE_LIMIT));
  const last = lines.findLastIndex((line) => ASSERTION.test(line));
  if (last >= 0) {
    let first = last;
    while (first > 0 && ASSERTION.test(lines[first - 1] ?? "")) first--;
    return lines.slice(first, last + 1).slice(0, LINES);
  }
  if (lines.some((line) => line.includes(TRACEBACK))) lines = exception(lines);
  lines = withoutEdges(lines);
  return (lines.length > LINES ? lines.filter(Boolean) : lines).slice(0, LINES);
}

export function tellingLine(message: string): string {
  const lines = linesThatMatter(message).map((line) => line.replace(MARK, "").trim());
  const telling = lines.filter((line) => !SAYS_NOTHING.test(line));
  if (telling.length > 1 && GENERIC.test(telling[0] ?? "")) return `${telling[0]} ${telling[1]}`;
  return telling[0] ?? lines[0] ?? "";
}

export function signature(message: string): string {
  const plain = tellingLine(message).replace(/[\u2018\u2019\u201c\u201d`"]/g, "'");
  const folded = plain.replace(VOLATILE, (text: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    const kind = Object.keys(groups).find((name) => groups[name] !== undefined) ?? "number";
    if (kind === "scheme") return text;
    if (kind === "path") return `<path>/${(text.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1) ?? "").replace(/[0-9]+/g, "<n>")}`;
    return FOLDED[kind] ?? "<n>";
  });
  const words = folded.split(/\s+/).filter(Boolean).join(" ");
  const quotes = words.replace(/(?<!\w)'([^']*)'(?!\w)/g, (whole: string, text: string) =>
    text.length <= LONG_QUOTE && !text.includes(" ") ? whole : "'…'");
  return clip(quotes, LONGEST);
}

/** When each line of a service's log was written, as far as the log says so itself. */
export interface LogLine {
  text: string;
  at: number | null;
}

const ISO = /(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?\s?(Z|[+-]\d\d:?\d\d)?/;
const NAMED = /\b(\d{1,2})[ /](Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ /](\d{4})[ :](\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?(?: ([+-]\d{4}))?/;
const TIME = /^\W{0,2}(\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?\b/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const zoned = (zone: string): string => (zone === "Z" || zone.includes(":") ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`);

/** Milliseconds since 1970. A time without a zone is the run's own: `day` and `zone` come from its beginning. */
function timeOf(line: string, day: string, zone: string): number | null {
  const head = line.slice(0, 120);
  const fraction = (digits: string | undefined): string => (digits ? `.${digits.slice(0, 3).padEnd(3, "0")}` : "");
  const iso = ISO.exec(head);
  if (iso) return known(`${iso[1]}T${iso[2]}${fraction(iso[3])}${zoned(iso[4] ?? zone)}`);
  const named = NAMED.exec(head);
  if (named) {
    const month = String(MONTHS.indexOf(named[2] ?? "") + 1).padStart(2, "0");
    const date = `${named[3]}-${month}-${named[1]?.padStart(2, "0")}`;
    return known(`${date}T${named[4]}${fraction(named[5])}${zoned(named[6] ?? zone)}`);
  }
  const time = TIME.exec(head);
  return time ? known(`${day}T${time[1]}${fraction(time[2])}${zoned(zone)}`) : null;
}

function known(text: string): number | null {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

/** A line without a time belongs to the one before it. */
export function timed(text: string, startedAt: string): LogLine[] {
  const found = /^(\d{4}-\d\d-\d\d)T.*?(Z|[+-]\d\d:?\d\d)?$/.exec(startedAt);
  const day = found?.[1] ?? "1970-01-01";
  const zone = found?.[2] ?? "Z";
  let last: number | null = null;
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.map((line) => {
    last = timeOf(line, day, zone) ?? last;
    return { text: line, at: last };
  });
}

/** The part of a log around these milliseconds; null if the log has no times to go by. */
export function slice(lines: LogLine[], from: number, to: number): { first: number; end: number } | null {
  if (!lines.some((line) => line.at !== null)) return null;
  const first = lines.findIndex((line) => line.at !== null && line.at >= from - 1000);
  if (first < 0) return { first: lines.length, end: lines.length };
  let end = lines.length;
  while (end > first && (lines[end - 1]?.at ?? 0) > to + 1000) end--;
  return { first, end };
}

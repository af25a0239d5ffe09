import { visible } from "../page/ansi";

const LONGEST_LINE = 2000;

/** What a line of a failure's message is: its source, the statement that failed, the error, a difference, a place. */
function kindOf(line: string, before: string): string {
  if (/^E\s+\+\s+(where|and) /.test(line)) return "error";
  if (/^E\s+[-+?] /.test(line)) return /^E\s+\+/.test(line) ? "plus" : /^E\s+-/.test(line) ? "minus" : "hint";
  if (/^E(\s|$)/.test(line)) return "error";
  if (/^>\s/.test(line)) return "culprit";
  if (/^\s*\|\s*\^/.test(line)) return "caret";
  if (/^\s*\d+ \|/.test(line)) return "source";
  if (/^(Expected|- )/.test(line.trim()) && /expected/i.test(line)) return "minus";
  if (/^Received/.test(line.trim())) return "plus";
  if (/^\s*at .+:\d+(:\d+)?\)?$/.test(line) || /^\S+:\d+: ?\w*/.test(line)) return "place";
  if (before === "" && /^(\w+\.)*\w*(Error|Exception)\b/.test(line)) return "error";
  return "";
}

export function Message({ text }: { text: string }) {
  const lines = visible(text.replace(/\r\n?/g, "\n")).replace(/^\n+|\s+$/g, "").split("\n");
  return (
    <pre class="message" tabIndex={0} role="region" aria-label="Error">
      {lines.map((line, at) => (
        <span key={at} class={`line ${kindOf(line, at ? "x" : "")}`}>
          {line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)} [… ${line.length - LONGEST_LINE} more]` : line}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}

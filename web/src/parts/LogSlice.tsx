import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ansiLines } from "../page/ansi";
import { usePage } from "../page/context";
import type { LogLine } from "../page/log";
import { slice, timed } from "../page/log";

const TAIL = 40;
const AROUND = 200;

interface Props {
  service: string;
  /** Milliseconds since 1970. */
  from: number;
  to: number;
}

function Lines({ lines, first, end }: { lines: LogLine[]; first: number; end: number }) {
  const box = useRef<HTMLPreElement>(null);
  const start = Math.max(0, first - AROUND);
  const shown = lines.slice(start, Math.min(lines.length, end + AROUND));
  const pieces = useMemo(() => ansiLines(shown.map((line) => line.text).join("\n")), [lines, first, end]);
  useEffect(() => {
    const target = box.current?.querySelector<HTMLElement>(".within");
    if (target && box.current) box.current.scrollTop = target.offsetTop - 24;
  }, [first, end]);
  return (
    <pre class="log" ref={box} tabIndex={0} role="region" aria-label="Log of the service">
      {pieces.map((line, at) => (
        <span key={at} class={`line ${start + at >= first && start + at < end ? "within" : ""}`}>
          {line.map((piece, part) => <span key={part} class={piece.style}>{piece.text.slice(0, 2000)}</span>)}{"\n"}
        </span>
      ))}
    </pre>
  );
}

/** A service's log, scrolled to the seconds of a test and with those lines marked. */
export function LogSlice({ service, from, to }: Props) {
  const { source, run } = usePage();
  const [text, setText] = useState<string | null | undefined>(undefined);
  useEffect(() => {
    let stale = false;
    source.log(service).then((found) => { if (!stale) setText(found); });
    return () => { stale = true; };
  }, [service]);
  const lines = useMemo(() => (text ? timed(text, run.started_at) : []), [text]);
  if (text === undefined) return <p class="quiet">Unpacking …</p>;
  if (!text) return <p class="quiet">{service} printed nothing.</p>;
  const found = slice(lines, from, to);
  if (found === null) {
    return (
      <>
        <p class="quiet">Its lines carry no time, so this is simply the end of the log.</p>
        <Lines lines={lines} first={Math.max(0, lines.length - TAIL)} end={0} />
      </>
    );
  }
  return (
    <>
      {found.first >= found.end ? <p class="quiet">Nothing was logged in these seconds.</p> : null}
      <Lines lines={lines} first={found.first} end={found.end} />
    </>
  );
}

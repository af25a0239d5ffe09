import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Run, Test } from "../data/run";
import type { WireLog, WireLogs } from "../data/wire";
import { ansiLines } from "../page/ansi";
import { usePage } from "../page/context";
import { bytes, duration } from "../words";

/** Which service to show first: one that failed, else the one that said most. */
function telling(logs: WireLog[], run: Run): string {
  const failed = new Set(run.services.filter((one) => one.status === "failed").map((one) => one.name));
  const most = [...logs].sort((a, b) => Number(failed.has(b.service)) - Number(failed.has(a.service)) || b.end - b.begin - (a.end - a.begin));
  return most[0]?.service ?? "";
}

/** Ahead of a line how long after the attempt's beginning it came. */
const stamp = (at: number | null): string => (at === null ? "" : at < 0 ? `−${duration(-at)}` : `+${duration(at)}`);

function Lines({ log }: { log: WireLog }) {
  const box = useRef<HTMLPreElement>(null);
  const [before, after] = log.around;
  const end = log.lines.length - after;
  const pieces = useMemo(() => ansiLines(log.lines.join("\n")), [log]);
  const timed = log.at.some((one) => one !== null);
  useLayoutEffect(() => {
    const own = box.current?.querySelectorAll<HTMLElement>(".within");
    // Of a beginning that is cut away nothing is seen anyway: then to where the attempt ended.
    const target = log.left ? own?.[own.length - 1] : own?.[0];
    if (target && box.current) box.current.scrollTop = target.offsetTop - (log.left ? box.current.clientHeight - 60 : 24);
  }, [log]);
  return (
    <pre class={`log ${timed ? "timed" : ""}`} ref={box} tabIndex={0} role="region" aria-label={`Log of ${log.service}`}>
      {log.left ? <span class="line"><em class="cut said">… {bytes(log.left)} before this are only in the file</em>{"\n"}</span> : null}
      {pieces.map((line, at) => {
        const now = stamp(log.at[at] ?? null);
        return (
          <span key={at} class={`line ${at >= before && at < end ? "within" : ""}`}>
            {timed ? <small class="at">{now !== stamp(log.at[at - 1] ?? null) ? now : ""}</small> : null}
            <span class="said">{line.map((piece, part) => <span key={part} class={piece.style}>{piece.text}</span>)}</span>{"\n"}
          </span>
        );
      })}
    </pre>
  );
}

function Slice({ log }: { log: WireLog }) {
  const { source } = usePage();
  const silent = log.begin === log.end;
  return (
    <>
      <p class="quiet">
        {silent ? `${log.service} printed nothing meanwhile. ` : null}
        {log.left ? `Only the last ${bytes(log.end - log.begin - log.left)} of ${bytes(log.end - log.begin)}. ` : null}
        {log.gone ? "The file could not be read: these lines are from the journal. " : null}
        <a href={source.link(log.log)}>{log.log}</a>{silent ? `, byte ${log.begin}` : `, bytes ${log.begin} to ${log.end}`}
      </p>
      {log.lines.length ? <Lines log={log} /> : null}
    </>
  );
}

interface Props {
  test: Test;
  number: number;
  /** Whether it is what the page was opened for. */
  seek?: boolean;
  /** What stands in one row with the choice of a service. */
  children?: ComponentChildren;
}

/** What the services around an attempt printed while it ran, one service at a time. */
export function LogSlice({ test, number, seek = false, children }: Props) {
  const { source, run } = usePage();
  const [all, setAll] = useState<WireLogs | null | undefined>(undefined);
  const [chosen, choose] = useState("");
  useEffect(() => {
    let stale = false;
    setAll(undefined);
    source.logs(test.at).then((found) => { if (!stale) setAll(found); });
    return () => { stale = true; };
  }, [test.at]);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => { if (seek && all) root.current?.scrollIntoView({ block: "nearest" }); }, [seek, all]);
  if (all === undefined) return <p class="quiet">Unpacking …</p>;
  if (all === null) return <>{children}<p class="quiet">{run.services.length ? "Nothing of the services' logs is in this file: they are in the folder of the run." : "This run had no services."}</p></>;
  const logs = all[String(number)] ?? [];
  const log = logs.find((one) => one.service === chosen) ?? logs.find((one) => one.service === telling(logs, run));
  if (!log) return <>{children}<p class="quiet">No service stood around this attempt.</p></>;
  return (
    <div class="slice" ref={root}>
      <div class="choices">{children}
        <div class="quick" role="group" aria-label="Service">{logs.map((one) => (
          <button key={one.service} type="button" aria-pressed={one === log} onClick={() => choose(one.service)}>
            {one.service} <small>{one.begin === one.end ? "silent" : bytes(one.end - one.begin)}</small></button>))}</div></div>
      <Slice log={log} />
    </div>
  );
}

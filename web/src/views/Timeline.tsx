import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Test } from "../data/run";
import { usePage } from "../page/context";
import { useKeys } from "../page/keys";
import type { Route } from "../page/router";
import { amend, go, hashOf } from "../page/router";
import { LogSlice } from "../parts/LogSlice";
import { Status } from "../parts/Status";
import { duration, REASONS } from "../words";
import type { Bar, Lane } from "./lanes";
import { busyness, hasRoom, lanesOf, marksOf, tickStep, visibleBars } from "./lanes";

const LABELS = 190;
const LABELS_OF_NARROW = 112;
const NARROW = 640;
const TICK = 48; // Pixels that its label needs.
const TALLEST = 1.7;
const AXIS = 34;
const CLOSEST = 2; // Pixels for a millisecond.
const SPARE = 300;

interface View {
  left: number;
  top: number;
  width: number;
  height: number;
}

function Use({ lane, from, to, scale, slots }: { lane: Lane; from: number; to: number; scale: number; slots: number }) {
  const parts = Math.max(20, Math.min(600, Math.round(((to - from) * scale) / 3)));
  const most = Math.max(1, slots);
  const points = useMemo(() => busyness(lane.bars, from, to, parts), [lane, from, to, parts]);
  const path = points.map((value, at) => `${at ? "L" : "M"}${at} ${(most - value).toFixed(2)}L${at + 1} ${(most - value).toFixed(2)}`).join("");
  return (
    <svg class="use" viewBox={`0 0 ${parts} ${most}`} preserveAspectRatio="none" aria-hidden="true"
      style={{ left: `${from * scale}px`, width: `${(to - from) * scale}px`, height: `${lane.height - 10}px` }}>
      <path d={`${path}L${parts} ${most}L0 ${most}Z`} />
    </svg>
  );
}

interface BarProps {
  bar: Bar;
  scale: number;
  /** How far the plane is scrolled: a label stays in sight as long as its bar does. */
  left: number;
  picked: string | null;
  /** Of the picked test's bars the one that was clicked, if one was. */
  asked: number;
  onPick: (test: Test, attempt?: number) => void;
  onPoint: (said: string) => void;
}

function BarLink({ bar, scale, left, picked, asked, onPick, onPoint }: BarProps) {
  const width = Math.max(2, (bar.end - bar.start) * scale - 1);
  const style = { left: `${bar.start * scale}px`, width: `${width}px` };
  const dim = picked && bar.test && bar.test.id !== picked ? " dim" : "";
  const name = `bar-on ${bar.look}${dim}${picked && bar.test?.id === picked && (!asked || bar.attempt === asked) ? " picked" : ""}`;
  const hidden = Math.max(0, left - bar.start * scale);
  const label = hasRoom(bar.label, width - hidden) ? <span style={{ marginLeft: `${hidden}px` }}>{bar.label}</span> : null;
  const pointed = { onMouseEnter: () => onPoint(bar.said), onFocus: () => onPoint(bar.said) };
  const test = bar.test;
  if (!test) return <div class={name} style={style} title={bar.said} {...pointed}>{label}</div>;
  return (
    <a class={name} style={style} href={hashOf("test", test.id, { attempt: bar.attempt ? String(bar.attempt) : null, logs: "1" })} aria-label={label ? `${bar.label}: ${bar.said}` : bar.said} title={bar.said} {...pointed}
      onClick={(event) => { if (event.ctrlKey || event.metaKey) return; event.preventDefault(); onPick(test, bar.attempt); }}>{label}</a>
  );
}

interface PickedProps {
  test: Test;
  /** The attempt that was clicked; without one it is the first that failed. */
  asked: number;
  onAttempt: (number: number) => void;
  onClose: () => void;
}

function Picked({ test, asked, onAttempt, onClose }: PickedProps) {
  const timed = test.attempts.filter((one) => one.start !== null);
  const attempt = timed.find((one) => one.number === asked) ?? timed.find((one) => one.status === "failed") ?? timed[0];
  const number = attempt?.number ?? 1;
  return (
    <aside class="picked" tabIndex={-1} aria-label={`About ${test.id}`}>
      <header>
        <h2><Status verdict={test.verdict} /> <a href={hashOf("test", test.id)}>{test.id}</a></h2>
        <span class="quiet">{test.reason ? REASONS[test.reason] : test.status} · {duration(test.duration)} · waited {duration(test.waited)}</span>
        <a class="button primary" href={hashOf("test", test.id, { attempt: String(number), logs: "1" })}>Open the test</a>
        <button type="button" class="ghost" onClick={onClose} aria-label="Close">✕</button>
      </header>
      {test.error ? <p class="error">{test.error}</p> : null}
      {attempt ? <LogSlice test={test} number={number}>
        {timed.length > 1 ? <div class="quick" role="group" aria-label="Attempt">{timed.map((one) => (
          <button key={one.number} type="button" aria-pressed={one.number === number} onClick={() => onAttempt(one.number)}>attempt {one.number}</button>))}</div> : null}
      </LogSlice> : null}
    </aside>
  );
}

export function Timeline({ route }: { route: Route }) {
  const { run } = usePage();
  const byTest = route.params.get("by") === "tests";
  const pickedId = route.params.get("test");
  const asked = Number(route.params.get("attempt"));
  const picked = pickedId ? (run.byId.get(pickedId) ?? null) : null;
  const lanes = useMemo(() => lanesOf(run, byTest), [run, byTest]);
  const marks = useMemo(() => marksOf(run), [run]);
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<View>({ left: 0, top: 0, width: 1000, height: 600 });
  const [zoom, setZoom] = useState(1);
  const [said, setSaid] = useState("");
  const anchor = useRef<{ at: number; x: number } | null>(null);
  const end = Math.max(1, run.end ?? 1) * 1.01;
  const labels = view.width <= NARROW ? LABELS_OF_NARROW : LABELS;
  const room = Math.max(200, view.width - labels - 16);
  const fit = room / end;
  const scale = fit * zoom;
  const width = end * scale;

  const measure = (): void => {
    const element = box.current;
    if (element) setView({ left: element.scrollLeft, top: element.scrollTop, width: element.clientWidth, height: element.clientHeight });
  };
  useLayoutEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = box.current;
    if (element && anchor.current) {
      element.scrollLeft = anchor.current.at * scale - anchor.current.x;
      anchor.current = null;
      measure();
    }
  }, [scale]);
  // Who moves from test to test by keys goes on from what was opened; a bar that was clicked keeps the focus.
  const follow = useRef(false);
  useEffect(() => {
    if (follow.current) document.querySelector<HTMLElement>("aside.picked")?.focus({ preventScroll: true });
    follow.current = false;
  }, [pickedId]);
  const zoomTo = (next: number, x = room / 2): void => {
    const element = box.current;
    if (!element) return;
    anchor.current = { at: (element.scrollLeft + x) / scale, x };
    setZoom(Math.max(1, Math.min(CLOSEST / fit, next)));
  };
  useEffect(() => {
    const element = box.current;
    const wheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoomTo(zoom * Math.exp(-event.deltaY / 300), event.clientX - (element?.getBoundingClientRect().left ?? 0) - labels);
    };
    element?.addEventListener("wheel", wheel, { passive: false });
    return () => element?.removeEventListener("wheel", wheel);
  });

  // Moved by hand: a render for every step of the mouse would be felt in a run of thousands.
  const now = useRef<{ line: HTMLElement | null; time: HTMLElement | null }>({ line: null, time: null });
  const point = (at: number | null): void => {
    const { line, time } = now.current;
    if (!line || !time) return;
    const shown = at !== null && at >= 0 && at <= end;
    line.hidden = time.hidden = !shown;
    if (!shown) return;
    line.style.left = time.style.left = `${at * scale}px`;
    time.textContent = duration(at);
  };
  const change = (values: Record<string, string | null>): void => amend(hashOf("timeline", "", { by: byTest ? "tests" : null, test: pickedId, attempt: route.params.get("attempt"), ...values }));
  const ordered = useMemo(() => run.tests.filter((test) => test.attempts.some((one) => one.start !== null)).sort((a, b) => (a.attempts[0]?.start ?? 0) - (b.attempts[0]?.start ?? 0)), [run]);
  const pick = (test: Test, attempt?: number): void => {
    change({ test: test.id, attempt: attempt ? String(attempt) : null });
    const element = box.current;
    const bar = test.attempts.find((one) => one.number === attempt) ?? test.attempts.find((one) => one.start !== null);
    const start = (bar?.start ?? 0) * scale;
    if (element && (start < element.scrollLeft || start > element.scrollLeft + room)) element.scrollLeft = Math.max(0, start - room / 3);
  };
  const move = (by: number): void => {
    const at = picked ? ordered.indexOf(picked) + by : 0;
    const next = ordered[Math.max(0, Math.min(ordered.length - 1, at))];
    if (!next) return;
    follow.current = true;
    pick(next);
  };
  const close = (): void => {
    change({ test: null, attempt: null });
    box.current?.focus({ preventScroll: true });
  };
  useKeys({
    j: () => move(1), k: () => move(-1), "+": () => zoomTo(zoom * 1.6), "=": () => zoomTo(zoom * 1.6), "-": () => zoomTo(zoom / 1.6),
    "0": () => zoomTo(1), t: () => change({ by: byTest ? null : "tests" }), Escape: close,
    Enter: () => { if (picked) go(hashOf("test", picked.id)); },
  });

  const from = Math.max(0, (view.left - SPARE) / scale);
  const to = Math.min(end, (view.left + view.width + SPARE) / scale);
  const step = tickStep(scale);
  const ticks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
  const natural = lanes.reduce((sum, lane) => sum + lane.height, AXIS + 16);
  const stretch = Math.max(1, Math.min(TALLEST, view.height / natural));
  let y = AXIS;
  const placed = lanes.map((given) => {
    const lane = given.kind === "head" || given.kind === "service" ? given : { ...given, height: Math.round(given.height * stretch) };
    const top = y;
    y += lane.height;
    return { lane, top };
  });
  const height = y + 16;
  const shown = placed.filter(({ lane, top }) => top + lane.height > view.top - 200 && top < view.top + view.height + 200);
  const phases = run.phases.filter((phase) => phase.start !== null);
  if (!ordered.length && !run.services.length) return <p class="empty">Nothing ran, so there is no time to show.</p>;
  return (
    <div class="timeline">
      <div class="tools-row">
        <h1>Timeline</h1>
        <div class="quick" role="group" aria-label="Lanes">
          <button type="button" aria-pressed={!byTest} onClick={() => change({ by: null })}>By slot</button>
          <button type="button" aria-pressed={byTest} onClick={() => change({ by: "tests" })}>By test</button>
        </div>
        <div class="quick" role="group" aria-label="Zoom">
          <button type="button" onClick={() => zoomTo(zoom / 1.6)} aria-label="Zoom out">−</button>
          <button type="button" onClick={() => zoomTo(1)} aria-pressed={zoom === 1}>Fit</button>
          <button type="button" onClick={() => zoomTo(zoom * 1.6)} aria-label="Zoom in">+</button>
        </div>
        <p class="readout" aria-hidden="true">{said || "Click a bar: its test, and what the services logged meanwhile"}</p>
        <ul class="legend" aria-label="Legend"><li><i class="passed" />passed</li><li><i class="failed" />failed</li><li><i class="flaky" />passed later</li><li><i class="wait" />waiting</li></ul>
      </div>
      <div class="tl-box" ref={box} onScroll={measure} tabIndex={0} role="region" aria-label="Timeline of the run"
        onMouseMove={(event) => point((event.clientX - event.currentTarget.getBoundingClientRect().left - labels + event.currentTarget.scrollLeft) / scale)}
        onMouseLeave={() => { point(null); setSaid(""); }}>
        <div class="tl-plane" style={{ width: `${labels + width}px`, height: `${height}px`, "--labels": `${labels}px` }}>
          <div class="tl-axis" style={{ height: `${AXIS}px` }}>
            <span class="tl-label">{duration(run.end)}</span>
            <div class="tl-area">{ticks.map((at) => <span key={at} class={`tick ${at * scale + TICK > width ? "last" : ""}`} style={{ left: `${at * scale}px` }}>{at ? duration(at) : "0"}</span>)}
              <span class="tick now" hidden aria-hidden="true" ref={(element) => { now.current.time = element; }} /></div>
          </div>
          <div class="tl-grid" style={{ left: `${labels}px`, top: `${AXIS}px`, height: `${height - AXIS}px`, width: `${width}px` }} aria-hidden="true">
            {phases.map((phase, at) => <div key={phase.name} class={`band ${at % 2 ? "odd" : ""}`} style={{ left: `${(phase.start ?? 0) * scale}px`, width: `${(phase.duration ?? 0) * scale}px` }} />)}
            {ticks.map((at) => <i key={at} style={{ left: `${at * scale}px` }} />)}
            <i class="now" hidden ref={(element) => { now.current.line = element; }} />
          </div>
          {shown.map(({ lane, top }) => (
            <div key={lane.key} class={`tl-lane ${lane.kind}`} style={{ top: `${top}px`, height: `${lane.height}px` }}>
              <span class="tl-label" title={lane.kind === "test" ? lane.bars[0]?.test?.id : lane.label}><span>{lane.label}</span><small>{lane.note}</small></span>
              <div class="tl-area">
                {lane.kind === "use" ? <Use lane={lane} from={from} to={to} scale={scale} slots={run.timing.slots} />
                  : visibleBars(lane.bars, from, to, scale).map((bar) => <BarLink key={`${bar.start} ${bar.look} ${bar.test?.id}`} bar={bar} scale={scale} left={view.left} picked={pickedId} asked={asked} onPick={pick} onPoint={setSaid} />)}
              </div>
            </div>
          ))}
          {marks.filter((one) => one.at >= from && one.at <= to).map((one) => (
            <div key={`${one.at} ${one.text}`} class={`tl-mark ${one.kind}`} style={{ left: `${labels + one.at * scale}px`, top: `${AXIS - 8}px`, height: `${height - AXIS}px` }}>
              <span role="img" aria-label={`${one.text}, after ${duration(one.at)}`} title={`${one.text}, after ${duration(one.at)}`} onMouseEnter={() => setSaid(`${one.text}, after ${duration(one.at)}`)} />
            </div>
          ))}
        </div>
      </div>
      {picked ? <Picked key={picked.id} test={picked} asked={asked} onAttempt={(number) => change({ attempt: String(number) })} onClose={close} /> : null}
    </div>
  );
}

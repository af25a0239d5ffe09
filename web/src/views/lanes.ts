import type { Run, Test } from "../data/run";
import type { WireAttempt } from "../data/wire";
import { duration, REASONS, slotName } from "../words";

export interface Bar {
  start: number;
  end: number;
  /** What it looks like: a status, `wait`, `pause`, `starting`, `up`. */
  look: string;
  label: string;
  said: string;
  test?: Test;
  attempt?: number;
}

export interface Lane {
  key: string;
  label: string;
  note: string;
  kind: "head" | "phase" | "service" | "use" | "slot" | "test";
  height: number;
  bars: Bar[];
}

/** Whether so many pixels have room for a label: a short one has to fit, of a long one the beginning will do. */
export const hasRoom = (label: string, width: number): boolean => width > 16 + 7.5 * Math.min(label.length, 6);

export interface Mark {
  at: number;
  kind: string;
  text: string;
}

const HEAD = 30;
const AT_ONCE = 20; // Milliseconds that nobody would call waiting.
const THIN = 22;
const ROW = 30;

const lookOf = (attempt: WireAttempt, test: Test): string =>
  attempt.status === "passed" ? (test.verdict === "flaky" ? "flaky" : "passed") : attempt.status === "failed" ? "failed" : "skipped";

function attemptBar(test: Test, attempt: WireAttempt, last: number): Bar | null {
  if (attempt.start === null) return null;
  const end = attempt.end ?? last;
  const tried = test.attempts.length > 1 ? `, attempt ${attempt.number} of ${test.attempts.length}` : "";
  const how = attempt.reason ? (REASONS[attempt.reason] ?? attempt.reason) : attempt.status;
  const waited = attempt.number === 1 && (test.waited ?? 0) > AT_ONCE ? `, after ${duration(test.waited)} of waiting` : "";
  return {
    start: attempt.start, end, look: lookOf(attempt, test), test, attempt: attempt.number,
    label: test.attempts.length > 1 ? `${test.name} · ${attempt.number}` : test.name,
    said: `${test.id}${tried}: ${how}, ${duration(end - attempt.start)} in ${slotName(attempt.slot)}${waited}`,
  };
}

const head = (label: string, note = ""): Lane => ({ key: `head ${label}`, label, note, kind: "head", height: HEAD, bars: [] });

function phaseLane(run: Run): Lane {
  const bars = run.phases.filter((phase) => phase.start !== null).map((phase): Bar => ({
    start: phase.start ?? 0, end: (phase.start ?? 0) + (phase.duration ?? 0),
    look: phase.status === "passed" ? (phase.tests.some((test) => test.verdict === "flaky") ? "flaky" : "passed") : phase.status === "failed" ? "failed" : "skipped",
    label: phase.name, said: `phase ${phase.name}: ${phase.status}, ${duration(phase.duration)}`,
  }));
  return { key: "phases", label: "Phases", note: String(bars.length), kind: "phase", height: ROW, bars };
}

function serviceLanes(run: Run, end: number): Lane[] {
  return run.services.filter((one) => one.start !== null).map((one): Lane => {
    const from = one.start ?? 0;
    const until = one.end ?? one.failed ?? end;
    const ready = one.ready ?? one.failed ?? until;
    const bars: Bar[] = [{ start: from, end: ready, look: "starting", label: "", said: `${one.name}: starting, ${duration(ready - from)}` }];
    if (one.ready !== null) {
      const failed = one.status === "failed";
      bars.push({ start: one.ready, end: until, look: failed ? "down" : "up", label: failed ? (one.message ?? "failed") : "", said: `${one.name}: ${failed ? (one.message ?? "failed") : "up"}, ${duration(until - one.ready)}` });
    }
    return { key: `service ${one.name}`, label: one.name, note: one.ready_after !== null ? duration(one.ready_after) : one.status, kind: "service", height: THIN, bars };
  });
}

function slotLanes(run: Run, end: number): Lane[] {
  const slots = new Map<number, Bar[]>();
  for (const test of run.tests)
    for (const attempt of test.attempts) {
      const bar = attemptBar(test, attempt, end);
      if (!bar) continue;
      const lane = slots.get(attempt.slot);
      if (lane) lane.push(bar);
      else slots.set(attempt.slot, [bar]);
    }
  return [...slots].sort((a, b) => a[0] - b[0]).map(([slot, bars]): Lane => ({
    key: slotName(slot), label: slotName(slot), note: "", kind: "slot", height: ROW, bars: bars.sort((a, b) => a.start - b.start),
  }));
}

function testLanes(run: Run, end: number): Lane[] {
  const ran = run.tests.filter((test) => test.attempts.some((one) => one.start !== null));
  ran.sort((a, b) => (a.attempts[0]?.start ?? 0) - (b.attempts[0]?.start ?? 0));
  return ran.map((test): Lane => {
    const bars: Bar[] = [];
    const first = test.attempts.find((one) => one.start !== null)?.start ?? 0;
    if ((test.waited ?? 0) > AT_ONCE) bars.push({ start: first - (test.waited ?? 0), end: first, look: "wait", label: "", said: `${test.id}: waited ${duration(test.waited)} for a slot`, test });
    for (const attempt of test.attempts) {
      const bar = attemptBar(test, attempt, end);
      if (bar) bars.push({ ...bar, label: test.attempts.length > 1 ? `attempt ${attempt.number}` : duration(bar.end - bar.start) });
    }
    for (const pause of test.pauses) {
      const next = test.attempts.find((one) => one.number === pause.number)?.start;
      if (pause.start !== null && next != null) bars.push({ start: pause.start, end: next, look: "pause", label: "", said: `${test.id}: waited ${duration(next - pause.start)} before attempt ${pause.number}`, test });
    }
    return { key: `test ${test.id}`, label: test.name, note: "", kind: "test", height: THIN + 4, bars: bars.sort((a, b) => a.start - b.start) };
  });
}

export function lanesOf(run: Run, byTest: boolean): Lane[] {
  const end = run.end ?? 0;
  const slots = slotLanes(run, end);
  const services = serviceLanes(run, end);
  const busy: Lane = { key: "use", label: "In use", note: `of ${run.timing.slots}`, kind: "use", height: 44, bars: slots.flatMap((lane) => lane.bars) };
  return [
    phaseLane(run),
    ...(services.length ? [head("Services"), ...services] : []),
    ...(slots.length ? [head(byTest ? "Tests" : "Slots", byTest ? "hatched: waiting for a slot" : "")] : []),
    ...(slots.length ? [busy] : []),
    ...(byTest ? testLanes(run, end) : slots),
  ];
}

export function marksOf(run: Run): Mark[] {
  const marks = run.marks.filter((one) => one.at !== null).map((one): Mark => ({ at: one.at ?? 0, kind: one.kind, text: one.text }));
  for (const test of run.tests)
    for (const attempt of test.attempts)
      if (attempt.reason === "timeout" && attempt.end !== null) marks.push({ at: attempt.end, kind: "timeout", text: `${test.id} timed out` });
  return marks.sort((a, b) => a.at - b.at);
}

const WORST = ["failed", "down", "flaky", "passed", "skipped"];

/** The bars between two moments; those too thin to see become one, which looks like the worst of them. */
export function visibleBars(bars: Bar[], from: number, to: number, scale: number): Bar[] {
  const shown: Bar[] = [];
  let dense: { bar: Bar; count: number } | null = null as { bar: Bar; count: number } | null;
  const flush = (): void => {
    if (dense) shown.push(dense.count === 1 ? dense.bar : { ...dense.bar, label: "", said: `${dense.count} attempts, too short to tell apart: zoom in` });
    dense = null;
  };
  for (const bar of bars) {
    if (bar.end < from) continue;
    if (bar.start > to) break;
    if ((bar.end - bar.start) * scale >= 3) {
      flush();
      shown.push(bar);
    } else if (dense && (bar.start - dense.bar.end) * scale < 2) {
      const worse: Bar = WORST.indexOf(bar.look) < WORST.indexOf(dense.bar.look) ? bar : dense.bar;
      dense = { bar: { ...worse, start: dense.bar.start, end: Math.max(bar.end, dense.bar.end) }, count: dense.count + 1 };
    } else {
      flush();
      dense = { bar, count: 1 };
    }
  }
  flush();
  return shown;
}

/** How many slots were busy, as the points of a line over so many equal parts of a stretch of time. */
export function busyness(bars: Bar[], from: number, to: number, parts: number): number[] {
  const sums = new Array<number>(parts).fill(0);
  const width = (to - from) / parts;
  for (const bar of bars) {
    const first = Math.max(0, Math.floor((bar.start - from) / width));
    const last = Math.min(parts - 1, Math.floor((bar.end - from) / width));
    for (let at = first; at <= last; at++) {
      const overlap = Math.min(bar.end, from + (at + 1) * width) - Math.max(bar.start, from + at * width);
      if (overlap > 0) sums[at] = (sums[at] ?? 0) + overlap / width;
    }
  }
  return sums;
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000];

export const tickStep = (scale: number): number => STEPS.find((step) => step * scale >= 90) ?? 7_200_000;

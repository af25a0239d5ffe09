import type { Run, Test, Verdict } from "./run";
import { isBad, runOf, verdictOfLetter } from "./run";
import { blocksOf, unpackRun } from "./embedded";
import { signature, tellingLine } from "./signature";

export type Change = "new" | "still" | "fixed";

interface Failure {
  signature: string;
  title: string;
}

/** Another run as far as it matters for a comparison: how tests and cases ended, and of what. */
export interface Snapshot {
  name: string;
  run_id: string;
  started_at: string;
  exit_code: number | null;
  tests: Map<string, { verdict: Verdict; duration: number | null; cases: Map<string, Verdict> }>;
  failures: Map<string, Failure>;
}

export interface ChangedGroup {
  signature: string;
  title: string;
  change: Change;
  now: number;
  before: number;
  number: number | null;
}

export interface Comparison {
  base: Snapshot;
  groups: ChangedGroup[];
  tests: { id: string; test: Test | null; kind: string; before: Verdict | null; now: Verdict | null }[];
  slower: { test: Test; before: number; now: number }[];
  counts: { new: number; still: number; fixed: number; flaky: number; gone: number };
  change(test: Test, at: number): Change | null;
}

const WHOLE = "";
const key = (test: string, id: string): string => `${test}\u0000${id}`;

function ofRun(run: Run, name: string): Snapshot {
  const failures = new Map<string, Failure>();
  for (const group of run.groups)
    for (const [at, one] of group.failures) {
      const test = run.tests[at];
      if (test) failures.set(key(test.id, one < 0 ? WHOLE : (test.ids[one] ?? WHOLE)), group);
    }
  const tests = run.tests.map((test) => {
    const cases = new Map(test.ids.map((id, at) => [id, verdictOfLetter(test.letters[at] ?? "n")]));
    return [test.id, { verdict: test.verdict, duration: test.duration, cases }] as const;
  });
  return { name, run_id: run.run_id, started_at: run.started_at, exit_code: run.exit_code, tests: new Map(tests), failures };
}

// What others wrote is data of no known shape, until each part was looked at.
type Loose = Record<string, unknown>;
const loose = (value: unknown): Loose => (typeof value === "object" && value !== null ? (value as Loose) : {});
const list = (value: unknown): Loose[] => (Array.isArray(value) ? value.map(loose) : []);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

function verdictOf(status: string, reason: string): Verdict {
  if (reason === "flaky" || status === "flaky") return "flaky";
  if (["failed", "error", "timeout"].includes(status)) return "failed";
  return ["passed", "xfailed", "xpassed"].includes(status) ? "passed" : "skipped";
}

function addTest(into: Snapshot, id: string, told: Loose, cases: Loose[]): void {
  const verdict = verdictOf(text(told.status), text(told.reason));
  const seconds = number(told.duration);
  const test = { verdict, duration: seconds === null ? null : seconds * 1000, cases: new Map<string, Verdict>() };
  into.tests.set(id, test);
  let bad = 0;
  for (const one of cases) {
    const verdictOfCase = verdictOf(text(one.status), "");
    test.cases.set(text(one.id), verdictOfCase);
    if (verdictOfCase !== "failed" || verdict !== "failed") continue;
    bad++;
    const message = text(one.message) || text(told.message) || text(told.error);
    into.failures.set(key(id, text(one.id)), { signature: signature(message), title: tellingLine(message) });
  }
  if (verdict === "failed" && !bad) {
    const message = text(told.message) || text(told.error);
    into.failures.set(key(id, WHOLE), { signature: signature(message), title: tellingLine(message) });
  }
}

const blank = (name: string): Snapshot => ({
  name, run_id: "", started_at: "", exit_code: null, tests: new Map(), failures: new Map(),
});

function ofResults(results: Loose, name: string): Snapshot {
  const into = { ...blank(name), run_id: text(results.run_id), started_at: text(results.timestamp) };
  into.exit_code = number(results.exit_code);
  for (const phase of list(results.phases))
    for (const test of list(phase.tests)) addTest(into, `${text(phase.name)}/${text(test.name)}`, test, list(test.cases));
  return into;
}

/** The last attempt that finished a case decides; one that was bad and got good is flaky. */
function merged(attempts: Loose[]): Loose[] {
  const found = new Map<string, Loose>();
  for (const attempt of attempts)
    for (const one of list(attempt.cases)) {
      const before = found.get(text(one.id));
      if (before && text(one.status) === "not_run") continue;
      const mended = before && verdictOf(text(before.status), "") !== "passed" && text(one.status) === "passed";
      found.set(text(one.id), mended ? { ...one, status: "flaky" } : one);
    }
  return [...found.values()];
}

function ofJournal(lines: string[], name: string): Snapshot {
  const into = blank(name);
  const attempts = new Map<string, Loose[]>();
  for (const line of lines) {
    let event: Loose;
    try {
      event = loose(loose(JSON.parse(line)).event);
    } catch {
      continue; // The last line of a run that was killed may be torn.
    }
    const id = text(event.test);
    if (event.type === "run_started") Object.assign(into, { run_id: text(event.run_id), started_at: text(event.started_at) });
    else if (event.type === "attempt_finished") attempts.set(id, [...(attempts.get(id) ?? []), loose(event.attempt)]);
    else if (event.type === "run_finished") into.exit_code = number(event.exit_code);
    else if (event.type === "test_carried_over" || event.type === "test_finished") {
      const verdict = loose(event.verdict);
      const tried = event.type === "test_finished" ? (attempts.get(id) ?? []) : list(event.attempts);
      addTest(into, id, { ...verdict, duration: event.duration }, merged(tried));
    }
  }
  return into;
}

/** Reads what somebody dropped on the page. Throws an Error that says what it would have taken. */
export async function snapshot(content: string, name: string): Promise<Snapshot> {
  const start = content.slice(0, 2000).trimStart();
  if (start.startsWith("<")) {
    const blocks = blocksOf(new DOMParser().parseFromString(content, "text/html"));
    if (blocks.has("run")) return ofRun(runOf(await unpackRun(blocks)), name);
  } else if (/^\{"seq"|^\{[^\n]*"event"\s*:/.test(start)) {
    const found = ofJournal(content.split("\n").filter(Boolean), name);
    if (found.tests.size) return found;
  } else if (start.startsWith("{")) {
    const results = loose(JSON.parse(content));
    if (Array.isArray(results.phases)) return ofResults(results, name);
  }
  throw new Error(`${name} is no report of e2e-orchestrate: drop an e2e-report.html, an e2e-results.json or a journal.jsonl`);
}

function changedGroups(run: Run, base: Snapshot): ChangedGroup[] {
  const before = new Map<string, { count: number; title: string }>();
  for (const one of base.failures.values())
    before.set(one.signature, { count: (before.get(one.signature)?.count ?? 0) + 1, title: one.title });
  const now = run.groups.map((group, at): ChangedGroup => {
    const was = before.get(group.signature)?.count ?? 0;
    before.delete(group.signature);
    return { ...group, change: was ? "still" : "new", now: group.failures.length, before: was, number: at };
  });
  const fixed = [...before].map(([signature, one]): ChangedGroup => ({
    signature, title: one.title, change: "fixed", now: 0, before: one.count, number: null,
  }));
  const order = { new: 0, still: 1, fixed: 2 };
  return [...now, ...fixed].sort((a, b) => order[a.change] - order[b.change] || b.now - a.now || b.before - a.before);
}

export function compare(run: Run, base: Snapshot): Comparison {
  const change = (test: Test, at: number): Change | null => {
    const was = base.tests.get(test.id);
    const before = at < 0 ? was?.verdict : was?.cases.get(test.ids[at] ?? "");
    const bad = at < 0 ? test.verdict === "failed" : isBad(test.letters[at]);
    if (bad) return before === "failed" ? "still" : "new";
    const good = at < 0 ? test.verdict === "passed" || test.verdict === "flaky" : "pxXk".includes(test.letters[at] ?? " ");
    return before === "failed" && good ? "fixed" : null;
  };
  const counts = { new: 0, still: 0, fixed: 0, flaky: run.counts.flaky, gone: 0 };
  const tests: Comparison["tests"] = [];
  for (const test of run.tests) {
    const kind = change(test, -1);
    const before = base.tests.get(test.id)?.verdict ?? null;
    if (kind) counts[kind]++;
    if (kind || before !== test.verdict) tests.push({ id: test.id, test, kind: kind ?? (before ? "changed" : "added"), before, now: test.verdict });
  }
  for (const [id, was] of base.tests)
    if (!run.byId.has(id)) {
      counts.gone++;
      tests.push({ id, test: null, kind: "gone", before: was.verdict, now: null });
    }
  const slower = run.tests
    .map((test) => ({ test, before: base.tests.get(test.id)?.duration ?? 0, now: test.duration ?? 0 }))
    .filter((one) => one.before > 0 && one.now > 500 && Math.abs(one.now - one.before) > 0.2 * one.before)
    .sort((a, b) => Math.abs(b.now - b.before) - Math.abs(a.now - a.before))
    .slice(0, 12);
  return { base, groups: changedGroups(run, base), tests, slower, counts, change };
}

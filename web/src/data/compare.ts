import type { Snapshot } from "./snapshot";
import type { Run, Test, Verdict } from "./run";
import { isBad } from "./run";

export type Change = "new" | "still" | "fixed";

export interface ChangedGroup {
  signature: string;
  title: string;
  change: Change | "not run";
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

function changedGroups(run: Run, base: Snapshot): ChangedGroup[] {
  const before = new Map<string, { count: number; title: string; ran: boolean }>();
  for (const [place, one] of base.failures) {
    const was = before.get(one.signature);
    const now = run.byId.get(place.slice(0, place.indexOf("\u0000")));
    const ran = now !== undefined && now.verdict !== "skipped";
    before.set(one.signature, { count: (was?.count ?? 0) + 1, title: was?.title ?? one.title, ran: ran || (was?.ran ?? false) });
  }
  const now = run.groups.map((group, at): ChangedGroup => {
    const was = before.get(group.signature)?.count ?? 0;
    before.delete(group.signature);
    return { ...group, change: was ? "still" : "new", now: group.failures.length, before: was, number: at };
  });
  const fixed = [...before].map(([signature, one]): ChangedGroup => ({
    // Of tests that did not run nobody knows whether their errors are fixed.
    signature, title: one.title, change: one.ran ? "fixed" : "not run", now: 0, before: one.count, number: null,
  }));
  const order = { new: 0, still: 1, fixed: 2, "not run": 3 };
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
    const gone = before !== null && before !== "skipped" && test.verdict === "skipped";
    if (kind) counts[kind]++;
    if (gone) counts.gone++;
    if (kind || before !== test.verdict) tests.push({ id: test.id, test, kind: kind ?? (gone ? "gone" : before ? "changed" : "added"), before, now: test.verdict });
  }
  for (const [id, was] of base.tests)
    if (!run.byId.has(id)) {
      if (was.verdict !== "skipped") counts.gone++;
      tests.push({ id, test: null, kind: "gone", before: was.verdict, now: null });
    }
  const slower = run.tests
    .map((test) => ({ test, before: base.tests.get(test.id)?.duration ?? 0, now: test.duration ?? 0 }))
    .filter((one) => one.before > 0 && one.now > 500 && Math.abs(one.now - one.before) > 0.2 * one.before)
    .sort((a, b) => Math.abs(b.now - b.before) - Math.abs(a.now - a.before))
    .slice(0, 12);
  return { base, groups: changedGroups(run, base), tests, slower, counts, change };
}

import type { Wire, WireGroup, WirePhase, WireTest } from "./wire";

export type Verdict = "passed" | "failed" | "flaky" | "skipped";

/** One letter for each case, as in the wire; what it means to a reader. */
export const LETTER_WORDS: Record<string, string> = {
  p: "passed", f: "failed", e: "error", t: "timed out", s: "skipped",
  x: "failed as expected", X: "passed unexpectedly", k: "flaky", n: "not run",
};

export function verdictOfLetter(letter: string): Verdict {
  if (letter === "f" || letter === "e" || letter === "t") return "failed";
  if (letter === "k") return "flaky";
  return letter === "s" || letter === "n" ? "skipped" : "passed";
}

export const isBad = (letter: string | undefined): boolean => letter === "f" || letter === "e" || letter === "t";

export interface Test extends WireTest {
  at: number;
  verdict: Verdict;
  phaseName: string;
  bad: number[];
  searched: string;
  group: Map<number, number>;
  /** How long it was ready to start and had no slot, in milliseconds. */
  waited: number | null;
}

export interface Phase extends WirePhase {
  tests: Test[];
}

export interface Run extends Omit<Wire, "tests" | "phases"> {
  tests: Test[];
  phases: Phase[];
  byId: Map<string, Test>;
  counts: Record<Verdict, number>;
  caseCounts: Record<Verdict, number>;
  cases: number;
}

export const none = (): Record<Verdict, number> => ({ passed: 0, failed: 0, flaky: 0, skipped: 0 });

function verdict(test: WireTest): Verdict {
  if (test.reason === "flaky") return "flaky";
  return test.status === "passed" || test.status === "failed" ? test.status : "skipped";
}

function badCases(letters: string): number[] {
  const found: number[] = [];
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at];
    if (letter === "f" || letter === "e" || letter === "t" || letter === "k") found.push(at);
  }
  return found;
}

/** What the views read: the wire with its references followed and its sums made. */
export function runOf(wire: Wire): Run {
  const tests = wire.tests.map((test, at): Test => {
    const phase = wire.phases[test.phase];
    const first = test.attempts[0]?.start ?? null;
    return {
      ...test,
      at,
      verdict: verdict(test),
      phaseName: phase?.name ?? "",
      bad: badCases(test.letters),
      searched: `${test.id}\n${test.target}\n${test.tags.join(" ")}\n${test.error ?? ""}`.toLowerCase(),
      group: new Map(),
      waited: first !== null && phase?.start != null ? Math.max(0, first - phase.start) : null,
    };
  });
  wire.groups.forEach((group: WireGroup, number) => {
    for (const [test, at] of group.failures) tests[test]?.group.set(at, number);
  });
  const counts = none();
  const caseCounts = none();
  let cases = 0;
  for (const test of tests) {
    counts[test.verdict]++;
    cases += test.ids.length;
    for (const letter of test.letters) caseCounts[verdictOfLetter(letter)]++;
  }
  const phases = wire.phases.map((phase, at) => ({ ...phase, tests: tests.filter((test) => test.phase === at) }));
  return { ...wire, tests, phases, byId: new Map(tests.map((test) => [test.id, test])), counts, caseCounts, cases };
}

import type { Comparison } from "../data/compare";
import type { Run, Test, Verdict } from "../data/run";
import { verdictOfLetter } from "../data/run";
import type { Query, Token } from "./grammar";

const SLOW = 5000;

/** A test with those of its cases that fit; `itself` if the test as a whole fits as well. */
export interface Found {
  test: Test;
  itself: boolean;
  cases: number[];
}

/** What the test alone decides, for itself and all of its cases; null if each has to be asked. */
function both(one: Token, test: Test): boolean | null {
  switch (one.kind) {
    case "text": return test.searched.includes(one.value) ? true : null;
    case "phase": return test.phaseName.toLowerCase().includes(one.value);
    case "runner": return test.runner.toLowerCase() === one.value;
    case "test-kind": return test.kind.toLowerCase() === one.value;
    case "tag": return test.tags.some((tag) => tag.toLowerCase() === one.value);
    default: return null;
  }
}

function state(value: string, verdict: Verdict, test: Test, ms: number | null, change: string | null): boolean {
  switch (value) {
    case "new": case "still": case "fixed": return change === value;
    case "retried": return test.attempts.length > 1;
    case "carried": return test.carried_from !== null;
    case "slow": return (ms ?? 0) > SLOW;
    default: return verdict === value;
  }
}

function fits(one: Token, test: Test, at: number, compared: Comparison | null): boolean {
  const verdict = at < 0 ? test.verdict : verdictOfLetter(test.letters[at] ?? "n");
  const ms = at < 0 ? test.duration : (test.took[at] ?? null);
  switch (one.kind) {
    case "text":
      return at >= 0 && (test.ids[at] ?? "").toLowerCase().includes(one.value);
    case "status": return verdict === one.value;
    case "project":
      if (at < 0) return test.projects?.some((name) => name?.toLowerCase() === one.value) ?? false;
      return test.projects?.[at]?.toLowerCase() === one.value;
    case "is": return state(one.value, verdict, test, ms, compared?.change(test, at) ?? null);
    case "group": return at < 0 ? [...test.group.values()].includes(one.value) : test.group.get(at) === one.value;
    case "duration": return ms !== null && (one.over ? ms > one.value : ms < one.value);
    default: return true;
  }
}

/** The tokens that are still open after the test was asked; null if it cannot fit, nor any of its cases. */
function open(query: Query, test: Test): Token[] | null {
  const rest: Token[] = [];
  for (const one of query.tokens) {
    const decided = both(one, test);
    if (decided === one.not) return null;
    if (decided === null) rest.push(one);
  }
  return rest;
}

function all(tokens: Token[], test: Test, at: number, compared: Comparison | null): boolean {
  for (const one of tokens) if (fits(one, test, at, compared) === one.not) return false;
  return true;
}

export function search(run: Run, query: Query, compared: Comparison | null): Found[] {
  const found: Found[] = [];
  for (const test of run.tests) {
    const tokens = open(query, test);
    if (tokens === null) continue;
    const itself = all(tokens, test, -1, compared);
    const cases: number[] = [];
    for (let at = 0; at < test.ids.length; at++) if (all(tokens, test, at, compared)) cases.push(at);
    if (itself || cases.length > 0) found.push({ test, itself, cases });
  }
  return found;
}

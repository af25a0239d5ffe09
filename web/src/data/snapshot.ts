import type { WireBaseline } from "./wire";
import { WIRE } from "./wire";
import type { Verdict } from "./run";
import { verdictOfLetter } from "./run";
import { blocksOf, unpackRun } from "./embedded";
import { Odd, Told } from "./foreign";
import { signature, tellingLine } from "./signature";

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

interface Case {
  id: string;
  status: string;
  message: string;
}

const SCHEMA = 1, LARGEST_SCHEMA = 1_000_000, LARGEST_EXIT_CODE = 255;
const STATUSES = ["passed", "failed", "skipped"];
const CASE_STATUSES = ["passed", "failed", "error", "timeout", "skipped", "xfailed", "xpassed", "flaky", "not_run"];
const WHOLE = "";
const key = (test: string, id: string): string => `${test}\u0000${id}`;

const blank = (name: string): Snapshot => ({
  name, run_id: "", started_at: "", exit_code: null, tests: new Map(), failures: new Map(),
});

function verdictOf(status: string, reason: string): Verdict {
  if (reason === "flaky" || status === "flaky") return "flaky";
  if (["failed", "error", "timeout"].includes(status)) return "failed";
  return ["passed", "xfailed", "xpassed"].includes(status) ? "passed" : "skipped";
}

/** What the run was compared with when it was made. */
export function ofBaseline(told: WireBaseline): Snapshot {
  const into: Snapshot = { ...blank(told.run_id), run_id: told.run_id, started_at: told.started_at, exit_code: told.exit_code };
  for (const [id, verdict, duration] of told.tests)
    into.tests.set(id, { verdict: verdictOf(verdict, ""), duration, cases: new Map<string, Verdict>() });
  for (const [at, caseId, signed, title] of told.failures) {
    const id = told.tests[at]?.[0] ?? "";
    if (caseId !== null) into.tests.get(id)?.cases.set(caseId, "failed");
    into.failures.set(key(id, caseId ?? WHOLE), { signature: signed, title });
  }
  return into;
}

function addTest(into: Snapshot, id: string, told: { status: string; reason: string; message: string; duration: Told }, cases: Case[]): void {
  const verdict = verdictOf(told.status, told.reason);
  const seconds = told.duration.seconds();
  const test = { verdict, duration: seconds === null ? null : seconds * 1000, cases: new Map<string, Verdict>() };
  into.tests.set(id, test);
  let bad = 0;
  for (const one of cases) {
    const verdictOfCase = verdictOf(one.status, "");
    test.cases.set(one.id, verdictOfCase);
    if (verdictOfCase !== "failed" || verdict !== "failed") continue;
    bad++;
    const message = one.message || told.message;
    into.failures.set(key(id, one.id), { signature: signature(message), title: tellingLine(message) });
  }
  if (verdict === "failed" && !bad)
    into.failures.set(key(id, WHOLE), { signature: signature(told.message), title: tellingLine(told.message) });
}

const casesOf = (told: Told): Case[] => told.each().map((one) => ({
  id: one.part("id").text(), status: one.part("status").word(CASE_STATUSES), message: one.part("message").textOrNothing(),
}));

function ofResults(results: Told, name: string): Snapshot {
  const schema = results.part("schema").whole(LARGEST_SCHEMA);
  if (schema > SCHEMA) throw new Odd(`it was written by a newer version: its schema is ${schema}, this page reads ${SCHEMA}`);
  const into = { ...blank(name), run_id: results.part("run_id").text(), started_at: results.part("timestamp").textOrNothing() };
  into.exit_code = results.part("exit_code").wholeOrNull(LARGEST_EXIT_CODE);
  for (const phase of results.part("phases").each())
    for (const test of phase.part("tests").each()) {
      const told = {
        status: test.part("status").word(STATUSES), reason: test.part("reason").textOrNothing(),
        message: test.part("error").textOrNothing(), duration: test.part("duration"),
      };
      addTest(into, `${phase.part("name").text()}/${test.part("name").text()}`, told, casesOf(test.part("cases")));
    }
  return into;
}

// These prove nothing about a case that passed or failed in an earlier attempt.
const SAYS_NOTHING = ["not_run", "skipped", "xfailed"];

/** The last attempt in which a case passed or failed decides; one that was bad and passed afterwards is flaky. */
function merged(attempts: Case[][]): Case[] {
  const found = new Map<string, Case>();
  for (const attempt of attempts)
    for (const one of attempt) {
      const before = found.get(one.id);
      const weaker = SAYS_NOTHING.includes(one.status);
      if (before && weaker && (one.status === "not_run" || !SAYS_NOTHING.includes(before.status))) continue;
      const wasBad = before && ["failed", "flaky"].includes(verdictOf(before.status, ""));
      const mended = wasBad && ["passed", "xpassed"].includes(one.status);
      found.set(one.id, mended ? { ...one, status: "flaky" } : one);
    }
  return [...found.values()];
}

function addEvent(into: Snapshot, event: Told, attempts: Map<string, Case[][]>): void {
  const type = event.part("type").text();
  if (type === "run_started") Object.assign(into, { run_id: event.part("run_id").text(), started_at: event.part("started_at").text() });
  else if (type === "run_finished") into.exit_code = event.part("exit_code").whole(LARGEST_EXIT_CODE);
  else if (type === "attempt_finished") {
    const id = event.part("test").text();
    attempts.set(id, [...(attempts.get(id) ?? []), casesOf(event.part("attempt").part("cases"))]);
  } else if (type === "test_carried_over" || type === "test_finished") {
    const id = event.part("test").text();
    const verdict = event.part("verdict");
    const told = {
      status: verdict.part("status").word(STATUSES), reason: verdict.part("reason").textOrNothing(),
      message: verdict.part("message").textOrNothing(), duration: event.part("duration"),
    };
    const tried = type === "test_finished" ? (attempts.get(id) ?? []) : event.part("attempts").each().map((one) => casesOf(one.part("cases")));
    addTest(into, id, told, merged(tried));
  }
}

function ofJournal(content: string, name: string): Snapshot {
  const into = blank(name);
  const attempts = new Map<string, Case[][]>();
  const lines = content.split("\n");
  lines.pop(); // What follows the last end of a line: nothing, unless the run was killed.
  for (const [at, line] of lines.entries()) {
    if (!/[^\0]/.test(line)) break; // A power cut may leave zeros where a line was promised room.
    try {
      addEvent(into, new Told(JSON.parse(line)).part("event"), attempts);
    } catch (error) {
      throw new Odd(`line ${at + 1}: ${error instanceof Odd ? error.message : "this is no event of a journal"}`);
    }
  }
  return into;
}

/** The page of another report: what `runOf` makes of its own, looked at more closely. */
function ofPage(run: Told, name: string): Snapshot {
  const version = run.part("wire").whole(LARGEST_SCHEMA);
  if (version !== WIRE) throw new Odd(`its data is of version ${version}, and this page reads ${WIRE}`);
  const into = { ...blank(name), run_id: run.part("run_id").text(), started_at: run.part("started_at").textOrNothing() };
  into.exit_code = run.part("exit_code").wholeOrNull(LARGEST_EXIT_CODE);
  const tests = run.part("tests").each().map((test) => {
    const ids = test.part("ids").each().map((one) => one.text());
    const letters = test.part("letters").text();
    const verdict = verdictOf(test.part("status").word(STATUSES), test.part("reason").textOrNothing());
    const cases = new Map(ids.map((one, at) => [one, verdictOfLetter(letters[at] ?? "n")]));
    const id = test.part("id").text();
    into.tests.set(id, { verdict, duration: test.part("duration").seconds(), cases });
    return { id, ids };
  });
  for (const group of run.part("groups").each()) {
    const failure = { signature: group.part("signature").text(), title: group.part("title").text() };
    for (const pair of group.part("failures").each()) {
      const [at, one] = pair.each();
      const test = at && tests[at.whole(tests.length)];
      const id = one?.value === -1 ? WHOLE : test?.ids[one?.whole(test.ids.length) ?? -1];
      if (test && id !== undefined) into.failures.set(key(test.id, id), failure);
    }
  }
  return into;
}

async function read(content: string, name: string): Promise<Snapshot | null> {
  const start = content.slice(0, 2000).trimStart();
  if (start.startsWith("<")) {
    const blocks = blocksOf(new DOMParser().parseFromString(content, "text/html"));
    return blocks.has("run") ? ofPage(new Told(await unpackRun(blocks)), name) : null;
  }
  if (/^\{"seq"|^\{[^\n]*"event"\s*:/.test(start)) {
    const found = ofJournal(content, name);
    return found.tests.size ? found : null;
  }
  return start.startsWith("{") ? ofResults(new Told(JSON.parse(content)), name) : null;
}

/** Reads what somebody dropped on the page. Throws an Error that names the file, and what in it is not as it should be. */
export async function snapshot(file: File): Promise<Snapshot> {
  const content = await file.text().catch(() => { throw new Error(`${file.name} cannot be read`); });
  let found: Snapshot | null;
  try {
    found = await read(content, file.name);
  } catch (error) {
    throw new Error(`${file.name} is no report of e2e-orchestrate: ${error instanceof Odd ? error.message : "its data cannot be read"}`);
  }
  if (!found) throw new Error(`${file.name} is no report of e2e-orchestrate: drop an e2e-report.html, an e2e-results.json or a journal.jsonl`);
  return found;
}

/** The tree that `reporters/html_data.py` writes. Times are milliseconds since the run's beginning. */

export const WIRE = 1;

export type Status = "passed" | "failed" | "skipped" | "pending" | "running";

export interface Wire {
  wire: number;
  run_id: string;
  project: string;
  version: string;
  config: string;
  root: string;
  started_at: string;
  duration: number | null;
  end: number | null;
  exit_code: number | null;
  success: boolean;
  complete: boolean;
  go: boolean;
  sentence: string;
  why: string;
  interrupted: string | null;
  rerun_of: string | null;
  shard: string | null;
  merged_from: string[];
  baseline: WireBaseline | null;
  workers: number;
  phases: WirePhase[];
  services: WireService[];
  gates: { gate: string; holds: boolean; message: string }[];
  warnings: string[];
  checked?: { target: string; says: string; refused: boolean; names: string[] }[];
  left_out: { id: string; why: string }[];
  timing: WireTiming;
  tests: WireTest[];
  groups: WireGroup[];
  marks: WireMark[];
  left?: { kind: string; count: number; bytes: number; where: string }[];
}

/** The run that this one was compared with from the start: of its cases only those that failed. */
export interface WireBaseline {
  run_id: string;
  started_at: string;
  exit_code: number | null;
  tests: [id: string, verdict: string, duration: number | null][];
  failures: [test: number, caseId: string | null, signature: string, title: string][];
}

export interface WirePhase {
  name: string;
  description: string | null;
  status: Status;
  reason: string | null;
  required: boolean;
  parallel: boolean;
  start: number | null;
  duration: number | null;
}

export interface WireService {
  name: string;
  status: string;
  ready_after: number | null;
  message: string | null;
  start: number | null;
  ready: number | null;
  failed: number | null;
  end: number | null;
  exit_status: number | null;
  log: string | null;
}

export interface WireSpan {
  makespan: number | null;
  lower_bound: number | null;
  busy: number | null;
  utilisation: number;
}

export interface WireTiming extends WireSpan {
  slots: number;
  critical_path: { phase: string; test: string; duration: number | null; alone: number | null }[];
  phases: ({ name: string } & WireSpan)[];
}

export interface WireAttempt {
  number: number;
  slot: number;
  start: number | null;
  end: number | null;
  status: Status;
  reason: string | null;
}

export interface WireTest {
  id: string;
  name: string;
  phase: number;
  runner: string;
  kind: string;
  target: string;
  cwd: string;
  tags: string[];
  status: Status;
  reason: string | null;
  duration: number | null;
  error: string | null;
  carried_from: string | null;
  reproduce: string;
  attempts: WireAttempt[];
  pauses: { start: number | null; number: number; delay: number | null }[];
  ids: string[];
  letters: string;
  took: (number | null)[];
  projects?: (string | null)[];
}

export interface WireGroup {
  signature: string;
  title: string;
  example: string;
  where: string | null;
  failures: [test: number, caseAt: number][];
}

export interface WireMark {
  at: number | null;
  kind: string;
  text: string;
  test: string | null;
}

export interface WireFile {
  name: string;
  path: string;
  type: string;
  /** Its copy in a bucket. */
  url: string | null;
}

export interface WireTold {
  message: string | null;
  signature: string | null;
  attachments: WireFile[];
}

export interface WireDetailAttempt {
  number: number;
  started_at: string;
  duration: number | null;
  status: Status;
  reason: string | null;
  message: string | null;
  exit_status: number | null;
  slot: number;
  output: { path: string; size: number; text: string } | null;
  attachments: WireFile[];
  leaked: { pid: number; command: string }[];
  ids: string[];
  letters: string;
  took: (number | null)[];
  told: Record<string, WireTold>;
  places: { files: string[]; at: ([file: number, line: number] | null)[] };
}

export interface WireDetail {
  message: string | null;
  env: Record<string, string>;
  args: string[];
  attempts: WireDetailAttempt[];
}

/** The part of a service's log that an attempt may have caused, with some lines before and after. */
export interface WireLog {
  service: string;
  log: string;
  begin: number;
  end: number;
  lines: string[];
  /** Milliseconds since the attempt began. */
  at: (number | null)[];
  /** How many of the lines came before the attempt, and how many after. */
  around: [before: number, after: number];
  /** Bytes from the beginning of the attempt's part that are not shown. */
  left: number;
  /** The file could not be read: these are the lines that the journal kept. */
  gone: boolean;
}

/** By the number of the attempt. */
export type WireLogs = Record<string, WireLog[]>;

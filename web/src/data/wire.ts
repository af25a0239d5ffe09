/** The tree that `reporters/html_data.py` writes. Times are milliseconds since the run's beginning. */

export type Status = "passed" | "failed" | "skipped" | "pending" | "running";

export interface Wire {
  wire: number;
  run_id: string;
  project: string;
  version: string;
  config: string;
  root: string;
  started_at: string;
  epoch: number | null;
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
  workers: number;
  phases: WirePhase[];
  services: WireService[];
  gates: { gate: string; holds: boolean; message: string }[];
  warnings: string[];
  left_out: { id: string; why: string }[];
  timing: WireTiming;
  tests: WireTest[];
  groups: WireGroup[];
  marks: WireMark[];
  left?: { kind: string; count: number; bytes: number; where: string }[];
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
  epoch: number | null;
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

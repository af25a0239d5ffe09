export const REASONS: Record<string, string> = {
  flaky: "flaky",
  test_failures: "failed",
  collection_error: "could not be loaded",
  no_tests: "has no cases",
  timeout: "timed out",
  usage_error: "was refused by its tool",
  crash: "crashed",
  evidence_missing: "could not be proven to have passed",
  infrastructure: "could not be started",
  interrupted: "interrupted",
  all_skipped: "skipped by the suite",
  blocked: "blocked",
  cancelled: "cancelled",
  condition: "its condition is false",
};

export const EXIT_CODES: Record<number, string> = {
  0: "every required phase passed and every gate held",
  1: "a required phase failed",
  2: "a mistake in the configuration or the command; nothing was started",
  3: "the required phases passed, but a gate did not hold",
  4: "nothing to run: the selection matched no test",
  5: "the environment failed, not the tests",
  6: "refused by a safeguard: a target looks like production",
  70: "a bug of e2e-orchestrate itself",
  130: "interrupted by SIGINT",
  143: "interrupted by SIGTERM",
};

/** `40ms`, `1.2s`, `1m 05s`, `2h 03m`. */
export function duration(ms: number | null | undefined): string {
  if (ms == null) return "–";
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
  return `${Math.floor(seconds / 3600)}h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")}m`;
}

export const count = (number: number, noun: string): string =>
  `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  return size < 1 << 20 ? `${(size / 1024).toFixed(1)} KiB` : `${(size / (1 << 20)).toFixed(1)} MiB`;
}

/** A slot as everything else calls it: `E2E_SLOT`, the folders of logs and the names of databases count from 0. */
export const slotName = (slot: number): string => `slot ${slot}`;

export const percent = (share: number): string => `${Math.round(share * 100)}%`;

/** The time of day at the place where the run was, which its own timestamp tells. */
export function clock(startedAt: string): string {
  const found = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?/.exec(startedAt);
  if (!found) return startedAt;
  const zone = found[3] === "Z" || found[3] === "+00:00" ? " UTC" : found[3] ? ` ${found[3]}` : "";
  return `${found[1]} ${found[2]}${zone}`;
}

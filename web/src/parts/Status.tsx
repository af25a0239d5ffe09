import type { Verdict } from "../data/run";

const SHAPES: Record<Verdict, string> = {
  passed: "M4.2 8.4l2.6 2.6 5-5.6",
  failed: "M5 5l6 6M11 5l-6 6",
  flaky: "M3.6 9.4c1.5-3.2 3-3.2 4.4-.9s2.9 2.3 4.4-1.9",
  skipped: "M4.6 8h6.8",
};

/** Shape and colour both, because one of them is not enough for everybody. */
export function Status({ verdict, label = true }: { verdict: Verdict; label?: boolean }) {
  return (
    <svg class={`status ${verdict}`} viewBox="0 0 16 16" width="16" height="16"
      {...(label ? { role: "img", "aria-label": verdict } : { "aria-hidden": "true" })}>
      <circle cx="8" cy="8" r="8" />
      <path d={SHAPES[verdict]} />
    </svg>
  );
}

/** What became of a run's tests as one bar. */
export function Proportions({ counts, label }: { counts: Record<Verdict, number>; label: string }) {
  const total = Object.values(counts).reduce((sum, one) => sum + one, 0) || 1;
  const order: Verdict[] = ["failed", "flaky", "passed", "skipped"];
  return (
    <div class="proportions" role="img" aria-label={label}>
      {order.filter((one) => counts[one]).map((one) => (
        <span key={one} class={one} style={{ flexGrow: String(counts[one] / total) }} />
      ))}
    </div>
  );
}

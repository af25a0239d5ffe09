import type { RefObject } from "preact";

const KEYS = [
  ["1 2 3 4", "overview, timeline, tests, compare"],
  ["/", "filter the tests"],
  ["j k", "next and previous row, or test"],
  ["Enter", "open the row"],
  ["f", "next failed test"],
  ["[ ]", "previous and next attempt"],
  ["s", "attempts side by side"],
  ["Esc", "back to the list"],
  ["?", "this page"],
] as const;

const WORDS = [
  ["login", "word in the name, the target or the error"],
  ["s:failed", "status: passed, failed, flaky, skipped"],
  ["@smoke  tag:smoke", "tag"],
  ["phase:health", "phase"],
  ["runner:backend", "runner"],
  ["p:chromium", "Playwright project"],
  ["is:new", "against the run compared with: new, still, fixed"],
  ["is:retried", "also flaky, slow, carried"],
  ["dur:>5s", "longer than; also dur:<200ms"],
  ["group:2", "failures of a group"],
  ["!s:passed", "not"],
] as const;

export function Help({ dialog }: { dialog: RefObject<HTMLDialogElement | null> }) {
  return (
    <dialog class="help" ref={dialog} aria-labelledby="help-title"
      onClick={(event) => { if (event.target === event.currentTarget) event.currentTarget.close(); }}>
      <div class="sheet">
        <header><h2 id="help-title">Keys and filter words</h2>
          <button type="button" class="ghost" onClick={() => dialog.current?.close()}>Close</button></header>
        <div class="columns">
          <dl>{KEYS.map(([key, what]) => <div key={key}><dt>{key.split(" ").map((one) => <kbd key={one}>{one}</kbd>)}</dt><dd>{what}</dd></div>)}</dl>
          <dl>{WORDS.map(([word, what]) => <div key={word}><dt><code>{word}</code></dt><dd>{what}</dd></div>)}</dl>
        </div>
      </div>
    </dialog>
  );
}

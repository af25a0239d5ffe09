import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Run, Test } from "../data/run";
import { isBad, LETTER_WORDS, verdictOfLetter } from "../data/run";
import type { Found } from "../filter/match";
import { search } from "../filter/match";
import { parse, quoted, toggled } from "../filter/grammar";
import { usePage } from "../page/context";
import { useKeys } from "../page/keys";
import type { Route } from "../page/router";
import { go, hashOf } from "../page/router";
import { Status } from "../parts/Status";
import { VirtualList } from "../parts/VirtualList";
import { count, duration, REASONS } from "../words";

const ROW = 36;
const QUICK = ["s:failed", "s:flaky", "s:passed", "s:skipped", "is:slow", "is:retried"];
const COMPARED = ["is:new", "is:still", "is:fixed"];

type Row =
  | { kind: "phase"; phase: number; tests: number; open: boolean }
  | { kind: "test"; test: Test; cases: number; open: boolean; flat: boolean }
  | { kind: "case"; test: Test; at: number; flat: boolean };

/** What is open: failed tests show what failed, everything else waits until somebody asks. */
function isOpen(found: Found, chosen: Set<string>, filtered: boolean): boolean {
  const some = found.cases.length > 0 && (!found.itself || found.cases.length < found.test.ids.length);
  const usually = filtered ? some : found.test.verdict === "failed" && found.test.bad.length > 0 && found.test.bad.length <= 20;
  return usually !== chosen.has(found.test.id);
}

function treeRows(found: Found[], chosen: Set<string>, closed: Set<number>, filtered: boolean): Row[] {
  const rows: Row[] = [];
  let phase = -1;
  const sizes = new Map<number, number>();
  for (const one of found) sizes.set(one.test.phase, (sizes.get(one.test.phase) ?? 0) + 1);
  for (const one of found) {
    if (one.test.phase !== phase) {
      phase = one.test.phase;
      rows.push({ kind: "phase", phase, tests: sizes.get(phase) ?? 0, open: !closed.has(phase) });
    }
    if (closed.has(phase)) continue;
    const open = isOpen(one, chosen, filtered);
    rows.push({ kind: "test", test: one.test, cases: one.cases.length, open, flat: false });
    if (open) {
      const only = !filtered && one.test.verdict === "failed" && !chosen.has(one.test.id);
      for (const at of one.cases) if (!only || isBad(one.test.letters[at])) rows.push({ kind: "case", test: one.test, at, flat: false });
    }
  }
  return rows;
}

function flatRows(found: Found[], sort: string): Row[] {
  const rows: Row[] = [];
  for (const one of found) {
    if (one.itself && one.test.ids.length === 0) rows.push({ kind: "test", test: one.test, cases: 0, open: false, flat: true });
    for (const at of one.cases) rows.push({ kind: "case", test: one.test, at, flat: true });
  }
  if (sort === "duration") {
    const took = (row: Row): number => (row.kind === "case" ? (row.test.took[row.at] ?? 0) : row.kind === "test" ? (row.test.duration ?? 0) : 0);
    rows.sort((a, b) => took(b) - took(a));
  }
  return rows;
}

function Dots({ test }: { test: Test }) {
  if (test.attempts.length < 2) return null;
  return (
    <span class="dots" title={count(test.attempts.length, "attempt")}>
      {test.attempts.map((one) => <i key={one.number} class={one.status === "passed" ? "passed" : "failed"} />)}
    </span>
  );
}

function CaseName({ id, target }: { id: string; target: string }) {
  const cut = id.startsWith(`${target}::`) ? target.length + 2 : 0;
  return <span class="name" title={id}>{id.slice(cut) || id}</span>;
}

export function Tests({ route, amend }: { route: Route; amend: (hash: string) => void }) {
  const { run, comparison, say } = usePage();
  const text = route.params.get("q") ?? "";
  const flat = route.params.get("view") === "flat";
  const sort = route.params.get("sort") ?? "";
  const query = useMemo(() => parse(text), [text]);
  const found = useMemo(() => search(run, query, comparison), [run, query, comparison]);
  const [chosen, setChosen] = useState(new Set<string>());
  const [closed, setClosed] = useState(new Set<number>());
  const filtered = query.tokens.length > 0;
  const rows = useMemo(() => (flat ? flatRows(found, sort) : treeRows(found, chosen, closed, filtered)), [found, flat, sort, chosen, closed, filtered]);
  const [selected, setSelected] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => setSelected(-1), [text, flat, sort]);
  const moved = useRef(false);
  useEffect(() => {
    if (moved.current) document.querySelector<HTMLElement>(".row.selected :is(a, .row.phase .twist)")?.focus({ preventScroll: true });
    moved.current = false;
  }, [selected]);

  const change = (values: Record<string, string | null>): void => {
    const all = { q: text || null, view: flat ? "flat" : null, sort: sort || null, ...values };
    amend(hashOf("tests", "", all));
  };
  const toggle = (row: Row): void => {
    if (row.kind === "phase") setClosed((old) => flipped(old, row.phase));
    else if (row.kind === "test") setChosen((old) => flipped(old, row.test.id));
  };
  const href = (row: Row): string =>
    row.kind === "case" ? hashOf("test", row.test.id, { case: row.test.ids[row.at] ?? null })
      : row.kind === "test" ? hashOf("test", row.test.id) : hashOf("tests");
  const move = (step: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, selected + step));
    const row = rows[next];
    moved.current = true;
    setSelected(next);
    if (row) say(nameOf(row, run));
  };
  const here = rows[selected];
  useKeys({
    j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1),
    Enter: () => { if (here) here.kind === "phase" ? toggle(here) : go(href(here)); },
    ArrowRight: () => { if (here && here.kind !== "case" && !here.open) toggle(here); },
    ArrowLeft: () => { if (here && here.kind !== "case" && here.open) toggle(here); },
    Escape: () => change({ q: null }),
  });
  const longest = useMemo(() => Math.max(1, ...run.tests.map((test) => test.duration ?? 0)), [run]);
  const cases = found.reduce((sum, one) => sum + one.cases.length, 0);

  const render = (at: number) => {
    const row = rows[at];
    if (!row) return null;
    const mark = at === selected ? " selected" : "";
    if (row.kind === "phase") {
      const phase = run.phases[row.phase];
      return (
        <div key={at} class={`row phase${mark}`} role="listitem" style={{ height: `${ROW}px` }}>
          <button type="button" class="twist" aria-expanded={row.open} onClick={() => toggle(row)}>{phase?.name}</button>
          <span class="quiet">{count(row.tests, "test")} · {phase?.required ? "required" : "optional"}{phase?.parallel ? "" : " · one after the other"}</span>
          <span class="took">{duration(phase?.duration)}</span>
        </div>
      );
    }
    const shift = comparison?.change(row.test, row.kind === "case" ? row.at : -1);
    const badge = shift ? <span class={`badge ${shift}`}>{shift}</span> : null;
    if (row.kind === "test") {
      const { test } = row;
      return (
        <div key={at} class={`row test${mark}${row.flat ? " flat" : ""}`} role="listitem" style={{ height: `${ROW}px` }} onClick={() => setSelected(at)}>
          {test.ids.length && !row.flat ? <button type="button" class="twist" aria-expanded={row.open} aria-label={`Cases of ${test.name}`} onClick={() => toggle(row)} /> : <span class="twist" />}
          <Status verdict={test.verdict} />
          <a href={href(row)} class="name">{test.name}</a>
          {badge}
          <Dots test={test} />
          <span class="quiet what">{test.reason ? REASONS[test.reason] ?? test.reason : test.ids.length ? count(test.ids.length, "case") : ""}
            {filtered && row.cases && row.cases < test.ids.length ? ` (${row.cases} fit)` : ""}</span>
          <span class="error">{test.verdict === "failed" || test.verdict === "flaky" ? test.error : ""}</span>
          <span class="tags">{test.tags.map((tag) => <button key={tag} type="button" onClick={() => change({ q: toggled(text, `@${quoted(tag)}`) })}>@{tag}</button>)}</span>
          <span class="took">{duration(test.duration)}<i class={`bar-of ${test.verdict}`} style={{ width: `${(100 * (test.duration ?? 0)) / longest}%` }} /></span>
        </div>
      );
    }
    const verdict = verdictOfLetter(row.test.letters[row.at] ?? "n");
    return (
      <div key={at} class={`row case${mark}${row.flat ? " flat" : ""}`} role="listitem" style={{ height: `${ROW}px` }} onClick={() => setSelected(at)}>
        <Status verdict={verdict} />
        <a href={href(row)}><CaseName id={row.test.ids[row.at] ?? ""} target={row.test.target} /></a>
        {badge}
        {row.test.projects?.[row.at] ? <span class="project">{row.test.projects[row.at]}</span> : null}
        {row.flat ? <span class="quiet of">{row.test.id}</span> : null}
        <span class="took">{duration(row.test.took[row.at])}</span>
      </div>
    );
  };
  return (
    <div class="tests">
      <h1 class="offscreen">Tests</h1>
      <div class="filters">
        <label class="search"><span class="offscreen">Filter the tests</span>
          <input id="filter" ref={input} type="search" value={text} spellcheck={false} autocomplete="off"
            placeholder="Filter: words, s:failed, @tag, phase:, dur:>5s …" aria-describedby="found"
            onInput={(event) => change({ q: event.currentTarget.value || null })}
            onKeyDown={(event) => { if (event.key === "Escape" || event.key === "Enter") event.currentTarget.blur(); }} />
          <kbd>/</kbd></label>
        <div class="quick" role="group" aria-label="Quick filters">
          {[...QUICK, ...(comparison ? COMPARED : [])].map((word) => (
            <button key={word} type="button" aria-pressed={text.split(/\s+/).includes(word)} onClick={() => change({ q: toggled(text, word) || null })}>{word}</button>
          ))}
        </div>
        <div class="modes" role="group" aria-label="Order">
          <button type="button" aria-pressed={!flat} onClick={() => change({ view: null, sort: null })}>Tree</button>
          <button type="button" aria-pressed={flat && !sort} onClick={() => change({ view: "flat", sort: null })}>Flat</button>
          <button type="button" aria-pressed={sort === "duration"} onClick={() => change({ view: "flat", sort: "duration" })}>Slowest</button>
        </div>
      </div>
      <p class="found" id="found" role="status">{count(found.length, "test")}, {count(cases, "case")}
        {query.mistakes.map((one) => <em key={one} class="mistake">{one}</em>)}
        {comparison === null && query.tokens.some((one) => one.kind === "is" && ["new", "still", "fixed"].includes(one.value))
          ? <em class="mistake">needs another run: <a href={hashOf("compare")}>compare</a></em> : null}</p>
      {rows.length ? <VirtualList count={rows.length} height={ROW} label="Tests" selected={selected} class="rows">{render}</VirtualList>
        : <p class="empty">Nothing fits. <button type="button" class="button" onClick={() => change({ q: null })}>Show all</button></p>}
    </div>
  );
}

/** What a screen reader hears of a row. */
function nameOf(row: Row, run: Run): string {
  if (row.kind === "phase") return `phase ${run.phases[row.phase]?.name ?? ""}`;
  if (row.kind === "test") return `${row.test.name}, ${row.test.verdict}`;
  return `${row.test.ids[row.at] ?? ""}, ${LETTER_WORDS[row.test.letters[row.at] ?? ""] ?? ""}`;
}

function flipped<T>(old: Set<T>, one: T): Set<T> {
  const next = new Set(old);
  if (!next.delete(one)) next.add(one);
  return next;
}

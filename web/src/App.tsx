import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Comparison } from "./data/compare";
import { compare } from "./data/compare";
import type { Run } from "./data/run";
import { ofBaseline, snapshot } from "./data/snapshot";
import type { Source } from "./data/source";
import { visible } from "./page/ansi";
import { PageContext } from "./page/context";
import { useKeys } from "./page/keys";
import { amend, go, hashOf, useRoute } from "./page/router";
import { Header } from "./parts/Header";
import { Help } from "./parts/Help";
import { CompareView } from "./views/Compare";
import { Overview } from "./views/Overview";
import { TestPage } from "./views/TestPage";
import { Tests } from "./views/Tests";
import { Timeline } from "./views/Timeline";

const VIEWS = ["overview", "timeline", "tests", "compare"];

function nextFailure(run: Run, current: string): string | null {
  const wanted = run.tests.filter((test) => test.verdict === "failed");
  const all = wanted.length ? wanted : run.tests.filter((test) => test.verdict === "flaky");
  const here = run.byId.get(current)?.at ?? -1;
  return (all.find((test) => test.at > here) ?? all[0])?.id ?? null;
}

/** To the test that was opened; elsewhere only if what had the focus is gone, because links of the header stay. */
function focusOnArrival(main: HTMLElement | null, view: string): void {
  const heading = view === "test" ? main?.querySelector<HTMLElement>("h1") : null;
  if (heading || document.activeElement === document.body) (heading ?? main)?.focus({ preventScroll: true });
}

export function App({ run, source }: { run: Run; source: Source }) {
  const route = useRoute();
  const help = useRef<HTMLDialogElement>(null);
  const main = useRef<HTMLElement>(null);
  const given = useMemo(() => (run.baseline ? compare(run, ofBaseline(run.baseline)) : null), [run]);
  const [comparison, setComparison] = useState<Comparison | null>(given);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [said, say] = useState("");
  const arrived = useRef(false);

  const compareWith = useCallback(async (file: File) => {
    try {
      setComparison(compare(run, await snapshot(file)));
      setTrouble(null);
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    }
    go(hashOf("compare"));
  }, [run]);

  useEffect(() => {
    const over = (event: DragEvent): void => event.preventDefault();
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) void compareWith(file);
    };
    window.addEventListener("dragover", over);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", over);
      window.removeEventListener("drop", drop);
    };
  }, [compareWith]);

  useEffect(() => {
    const mark = run.exit_code === 0 ? "✓" : "✗";
    const where = route.view === "test" ? route.rest : route.view;
    document.title = visible(`${mark} ${run.project || "run"} · ${where}`);
    if (route.view !== "tests") main.current?.scrollTo(0, 0);
    if (arrived.current) focusOnArrival(main.current, route.view);
    arrived.current = true;
  }, [route.view, route.rest]);

  useKeys({
    "?": () => (help.current?.open ? help.current.close() : help.current?.showModal()),
    "/": () => {
      if (route.view !== "tests") go(hashOf("tests"));
      setTimeout(() => document.querySelector<HTMLInputElement>("#filter")?.focus());
    },
    f: () => {
      const id = nextFailure(run, route.rest);
      if (id) go(hashOf("test", id));
      else say("No test failed");
    },
    ...Object.fromEntries(VIEWS.map((view, at) => [String(at + 1), () => go(hashOf(view))])),
  });

  const page = useMemo(
    () => ({ run, source, comparison, compareWith, trouble, say, forget: () => setComparison((now) => (now === given ? null : given)) }),
    [run, source, comparison, compareWith, trouble, given],
  );
  return (
    <PageContext.Provider value={page}>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to content</a>
      <Header view={route.view} onHelp={() => help.current?.showModal()} />
      <main id="main" ref={main} tabIndex={-1} class={`view-${route.view}`}>
        {route.view === "timeline" ? <Timeline route={route} />
          : route.view === "tests" ? <Tests route={route} amend={amend} />
          : route.view === "test" ? <TestPage key={route.rest} route={route} />
          : route.view === "compare" ? <CompareView />
          : <Overview />}
      </main>
      <div class="offscreen" role="status" aria-live="polite">{said}</div>
      <Help dialog={help} />
    </PageContext.Provider>
  );
}

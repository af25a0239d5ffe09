import { useState } from "preact/hooks";
import { usePage } from "../page/context";
import { hashOf } from "../page/router";
import { Status } from "./Status";

const VIEWS = ["overview", "timeline", "tests", "compare"];
const THEMES = ["auto", "light", "dark"] as const;

/** Some browsers keep nothing for pages from a file, and say so with an exception. */
function remembered(): string {
  try {
    return localStorage.getItem("e2e-theme") ?? "auto";
  } catch {
    return "auto";
  }
}

function show(theme: string): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("e2e-theme", theme);
  } catch {
    // Then it holds for this page only.
  }
}

show(remembered());

function Theme() {
  const [theme, setTheme] = useState(remembered());
  const next = THEMES[(THEMES.indexOf(theme as (typeof THEMES)[number]) + 1) % THEMES.length] ?? "auto";
  const change = (): void => { show(next); setTheme(next); };
  return (
    <button type="button" class="ghost" onClick={change} aria-label={`Colours: ${theme}; change to ${next}`} title={`Colours: ${theme}`}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.5" /><path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z" fill="currentColor" /></svg>
      <span class="word">{theme}</span>
    </button>
  );
}

export function Header({ view, onHelp }: { view: string; onHelp: () => void }) {
  const { run } = usePage();
  const shown = view === "test" ? "tests" : VIEWS.includes(view) ? view : "overview";
  return (
    <header class="bar">
      <a class="brand" href={hashOf("overview")}>
        <Status verdict={run.exit_code === 0 ? "passed" : "failed"} label={false} />
        <span>{run.project || "e2e"}</span>
        <span class="run-id">{run.run_id}</span>
      </a>
      <nav aria-label="Views">
        {VIEWS.map((name, at) => (
          <a key={name} href={hashOf(name)} aria-current={shown === name ? "page" : undefined} title={`Key ${at + 1}`}>
            {name[0]?.toUpperCase()}{name.slice(1)}
            {name === "tests" ? <b class="n">{run.tests.length}</b> : null}
          </a>
        ))}
      </nav>
      <div class="tools">
        <Theme />
        <button type="button" class="ghost" onClick={onHelp} aria-label="Keys and filter words"><kbd>?</kbd></button>
      </div>
    </header>
  );
}

import { useEffect, useState } from "preact/hooks";
import type { Run, Test } from "../data/run";
import { isBad, LETTER_WORDS, verdictOfLetter } from "../data/run";
import type { WireDetail, WireDetailAttempt, WireFile } from "../data/wire";
import { visible } from "../page/ansi";
import { usePage } from "../page/context";
import { useKeys } from "../page/keys";
import type { Route } from "../page/router";
import { amend, go, hashOf } from "../page/router";
import { Copy } from "../parts/Copy";
import { LogSlice } from "../parts/LogSlice";
import { Message } from "../parts/Message";
import { Output } from "../parts/Output";
import { Status } from "../parts/Status";
import { bytes, count, duration, REASONS, slotName } from "../words";
import { quoted } from "../filter/grammar";

const CASES_SHOWN = 200;

/** A second link beside the file: one that works wherever the report was sent. */
function Elsewhere({ file }: { file: WireFile }) {
  if (!file.url || !/^https?:\/\//.test(file.url)) return null;
  return <a class="quiet" href={file.url} rel="noreferrer" aria-label={`${file.name} in the bucket`}>in the bucket</a>;
}

function Files({ files }: { files: WireFile[] }) {
  const { source } = usePage();
  if (!files.length) return null;
  const shown = files.map((file) => ({ file, picture: source.picture(file.path, file.type) }));
  return (
    <div class="files">
      {shown.filter((one) => one.picture).map(({ file, picture }) => (
        <figure key={file.path}><a href={source.link(file.path)}><img src={picture ?? ""} alt={`${file.name} of this attempt`} loading="lazy" /></a><figcaption>{file.name} <Elsewhere file={file} /></figcaption></figure>
      ))}
      <ul>{shown.filter((one) => !one.picture).map(({ file }) => (
        <li key={file.path + file.name}><a href={source.link(file.path)}>{file.name}</a> <span class="quiet">{file.type}</span> <Elsewhere file={file} />
          {file.name === "trace" || file.path.endsWith("trace.zip") ? <code>npx playwright show-trace {file.path}</code> : null}</li>
      ))}</ul>
    </div>
  );
}

function place(attempt: WireDetailAttempt, at: number): string | null {
  const found = attempt.places.at[at];
  return found ? `${attempt.places.files[found[0]] ?? ""}${found[1] ? `:${found[1]}` : ""}` : null;
}

function Problems({ attempt, test, wanted }: { attempt: WireDetailAttempt; test: Test; wanted: string | null }) {
  const bad = attempt.ids.map((id, at) => ({ id, at })).filter(({ id, at }) => isBad(attempt.letters[at]) || (id === wanted && attempt.told[String(at)]));
  bad.sort((a, b) => Number(b.id === wanted) - Number(a.id === wanted));
  const { run } = usePage();
  return (
    <>
      {attempt.message && !(attempt.reason === "test_failures" && bad.length) ? <div class="problem"><Message text={attempt.message} /></div> : null}
      {bad.map(({ id, at }) => {
        const told = attempt.told[String(at)];
        const group = run.groups.findIndex((one) => one.signature === told?.signature);
        return (
          <article class="problem" key={id} aria-label={id}>
            <h3><Status verdict={verdictOfLetter(attempt.letters[at] ?? "f")} /> <span>{id.startsWith(`${test.target}::`) ? id.slice(test.target.length + 2) : id}</span></h3>
            <p class="where"><code>{place(attempt, at) ?? id}</code><span>{LETTER_WORDS[attempt.letters[at] ?? ""]} after {duration(attempt.took[at])}</span>
              {group >= 0 && (run.groups[group]?.failures.length ?? 0) > 1 ? <a href={hashOf("tests", "", { q: `group:${group + 1}` })}>{(run.groups[group]?.failures.length ?? 0) - 1} more like this</a> : null}</p>
            {told?.message ? <Message text={told.message} /> : <p class="quiet">It left no message.</p>}
            <Files files={told?.attachments ?? []} />
          </article>
        );
      })}
    </>
  );
}

function Cases({ attempt, test, wanted }: { attempt: WireDetailAttempt; test: Test; wanted: string | null }) {
  const [all, setAll] = useState(false);
  if (!attempt.ids.length) return null;
  const longest = Math.max(1, ...attempt.took.map((one) => one ?? 0));
  const shown = all ? attempt.ids.length : Math.min(attempt.ids.length, CASES_SHOWN);
  return (
    <details class="part" open={attempt.ids.length <= 40}>
      <summary>Cases <small>{attempt.ids.length}</small></summary>
      <ol class="cases">
        {attempt.ids.slice(0, shown).map((id, at) => (
          <li key={id} class={id === wanted ? "wanted" : ""}>
            <Status verdict={verdictOfLetter(attempt.letters[at] ?? "n")} />
            <span class="name" title={id}>{id.startsWith(`${test.target}::`) ? id.slice(test.target.length + 2) : id}</span>
            <span class="track"><i class={`bar-of ${verdictOfLetter(attempt.letters[at] ?? "n")}`} style={{ width: `${(100 * (attempt.took[at] ?? 0)) / longest}%` }} /></span>
            <span class="n">{duration(attempt.took[at])}</span>
          </li>
        ))}
      </ol>
      {shown < attempt.ids.length ? <button type="button" class="button" onClick={() => setAll(true)}>Show all {attempt.ids.length}</button> : null}
    </details>
  );
}

function Services({ test, attempt, wanted }: { test: Test; attempt: WireDetailAttempt; wanted: boolean }) {
  const { run } = usePage();
  const [open, setOpen] = useState(wanted || attempt.status === "failed");
  if (!run.services.length) return null;
  return (
    <details class="part" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Service logs <small>in the {duration(attempt.duration)} of this attempt</small></summary>
      {open ? <LogSlice test={test} number={attempt.number} seek={wanted} /> : null}
    </details>
  );
}

function Attempt({ attempt, test, wanted, logs }: { attempt: WireDetailAttempt; test: Test; wanted: string | null; logs: boolean }) {
  const { source } = usePage();
  return (
    <section class="attempt" aria-label={`Attempt ${attempt.number}`}>
      <h2 class="which">Attempt {attempt.number}</h2>
      <p class="line-of-facts">
        <Status verdict={attempt.status === "passed" ? "passed" : attempt.status === "failed" ? "failed" : "skipped"} />
        <b>{attempt.reason ? REASONS[attempt.reason] ?? attempt.reason : attempt.status}</b>
        <span>{duration(attempt.duration)}</span><span>{slotName(attempt.slot)}</span>
        <span>{attempt.exit_status === null ? "nothing was started" : attempt.exit_status < 0 ? `ended by signal ${-attempt.exit_status}` : `exit status ${attempt.exit_status}`}</span>
      </p>
      <Problems attempt={attempt} test={test} wanted={wanted} />
      {attempt.leaked.length ? (
        <div class="problem"><h3>Left {count(attempt.leaked.length, "process").replace("processs", "processes")} behind</h3>
          <ul class="plain">{attempt.leaked.map((one) => <li key={one.pid}><code>{one.command}</code> <span class="quiet">pid {one.pid}</span></li>)}</ul></div>
      ) : null}
      <Files files={attempt.attachments.filter((one) => one.name !== "report")} />
      <Cases attempt={attempt} test={test} wanted={wanted} />
      {attempt.output ? (
        <details class="part" open={attempt.status === "failed" && !attempt.ids.length}>
          <summary>Output <small>{bytes(attempt.output.size)}</small></summary>
          <p class="quiet"><a href={source.link(attempt.output.path)}>{attempt.output.path}</a></p>
          {attempt.output.text ? <Output text={attempt.output.text} label="Output of the test" /> : <p class="quiet">It printed nothing.</p>}
        </details>
      ) : null}
      <Services test={test} attempt={attempt} wanted={logs} />
    </section>
  );
}

function issueText(run: Run, test: Test, detail: WireDetail | null): string {
  const attempt = detail?.attempts.find((one) => one.status === "failed") ?? detail?.attempts.at(-1);
  const at = attempt?.ids.findIndex((_, one) => isBad(attempt.letters[one])) ?? -1;
  const message = (at >= 0 ? attempt?.told[String(at)]?.message : null) ?? attempt?.message ?? detail?.message ?? test.error ?? "";
  const fence = "`".repeat(Math.max(3, ...[...message.matchAll(/`+/g)].map((one) => one[0].length + 1)));
  return visible([
    `## ${test.id} ${test.verdict === "failed" ? (REASONS[test.reason ?? ""] ?? "failed") : test.verdict}`, "",
    `- Target: \`${test.target}\` (${test.kind})`,
    ...(at >= 0 ? [`- Case: \`${attempt?.ids[at]}\``] : []),
    `- Attempts: ${test.attempts.map((one) => `${one.number} ${one.reason ? (REASONS[one.reason] ?? one.reason) : one.status}`).join(", ") || "none"}`,
    `- Run: ${run.run_id}, ${run.started_at}, e2e-orchestrator ${run.version}`, "",
    fence, message.trim(), fence, "", "Reproduce:", "", "```sh", test.reproduce, "```", "",
  ].join("\n"));
}

function Environment({ detail }: { detail: WireDetail }) {
  const names = Object.keys(detail.env).sort();
  if (!names.length) return null;
  return (
    <details class="part"><summary>Environment <small>{count(names.length, "variable")} of the configuration; secrets are masked</small></summary>
      <table class="env"><tbody>{names.map((name) => <tr key={name}><th scope="row"><code>{name}</code></th><td><code>{detail.env[name]}</code></td></tr>)}</tbody></table></details>
  );
}

export function TestPage({ route }: { route: Route }) {
  const { run, source, comparison } = usePage();
  const test = run.byId.get(route.rest);
  const [detail, setDetail] = useState<WireDetail | null | undefined>(undefined);
  useEffect(() => {
    let stale = false;
    if (test) source.detail(test.at).then((found) => { if (!stale) setDetail(found); });
    return () => { stale = true; };
  }, [test]);
  const attempts = detail?.attempts ?? [];
  const bad = attempts.find((one) => one.status === "failed");
  const wanted = route.params.get("case");
  const asked = Number(route.params.get("attempt"));
  const having = wanted ? attempts.filter((one) => one.ids.includes(wanted)) : [];
  const about = having.find((one) => isBad(one.letters[one.ids.indexOf(wanted ?? "")])) ?? having.at(-1);
  const current = attempts.find((one) => one.number === asked) ?? about ?? (test?.verdict === "failed" ? attempts.at(-1) : bad) ?? attempts.at(-1);
  const logs = route.params.get("logs") === "1";
  const beside = route.params.get("side") === "1" && attempts.length > 1;
  const change = (values: Record<string, string | null>): void =>
    amend(hashOf("test", route.rest, { attempt: route.params.get("attempt"), side: route.params.get("side"), case: wanted, logs: route.params.get("logs"), ...values }));
  const step = (by: number): void => {
    const at = attempts.findIndex((one) => one === current) + by;
    const next = attempts[at];
    if (next) change({ attempt: String(next.number) });
  };
  const neighbour = (by: number): void => {
    const next = test ? run.tests[test.at + by] : undefined;
    if (next) go(hashOf("test", next.id));
  };
  useKeys({
    "[": () => step(-1), "]": () => step(1), j: () => neighbour(1), k: () => neighbour(-1),
    s: () => change({ side: beside ? null : "1" }), Escape: () => go(hashOf("tests")),
  });
  if (!test) return <p class="empty">There is no test {route.rest} in this run. <a href={hashOf("tests")}>All tests</a></p>;
  const phase = run.phases[test.phase];
  const shift = comparison?.change(test, -1);
  return (
    <div class="test-page">
      <nav class="crumbs" aria-label="Where this is"><a href={hashOf("tests")}>Tests</a> / <a href={hashOf("tests", "", { q: `phase:${quoted(test.phaseName)}` })}>{test.phaseName}</a></nav>
      <header class="title">
        <h1 tabIndex={-1}><Status verdict={test.verdict} /> <bdi>{test.name}</bdi> {shift ? <span class={`badge ${shift}`}>{shift}</span> : null}</h1>
        <div class="actions">
          <Copy text={() => visible(test.reproduce)}>Copy command</Copy>
          <Copy text={() => issueText(run, test, detail ?? null)}>Copy for an issue</Copy>
          {test.attempts.some((one) => one.start !== null) ? <a class="button" href={hashOf("timeline", "", { test: test.id })}>On the timeline</a> : null}
        </div>
      </header>
      <dl class="facts">
        <div><dt>Ended</dt><dd>{test.reason ? REASONS[test.reason] ?? test.reason : test.status}</dd></div>
        <div><dt>Took</dt><dd>{duration(test.duration)}</dd></div>
        <div><dt>Waited for a slot</dt><dd>{duration(test.waited)}</dd></div>
        <div><dt>Phase</dt><dd>{test.phaseName}, {phase?.required ? "required" : "optional"}</dd></div>
        <div><dt>Runner</dt><dd>{test.runner}</dd></div>
        <div><dt>Target</dt><dd><code>{test.target}</code></dd></div>
        {test.tags.length ? <div><dt>Tags</dt><dd>{test.tags.map((tag) => <a key={tag} href={hashOf("tests", "", { q: `@${quoted(tag)}` })}>@{tag} </a>)}</dd></div> : null}
        {test.carried_from ? <div><dt>Carried over from</dt><dd>{test.carried_from}</dd></div> : null}
      </dl>
      {attempts.length > 1 ? (
        <div class="tabs">
          <div role="tablist" aria-label="Attempts">
            {attempts.map((one) => (
              <button key={one.number} type="button" role="tab" id={`tab-${one.number}`} aria-selected={!beside && one === current} aria-controls="attempt"
                tabIndex={one === current ? 0 : -1} onClick={() => change({ attempt: String(one.number), side: null })}
                onKeyDown={(event) => { if (event.key === "ArrowRight") step(1); else if (event.key === "ArrowLeft") step(-1); }}>
                <Status verdict={one.status === "passed" ? "passed" : one.status === "failed" ? "failed" : "skipped"} /> Attempt {one.number} <span class="quiet">{duration(one.duration)}</span></button>
            ))}
          </div>
          <button type="button" class="button" aria-pressed={beside} onClick={() => change({ side: beside ? null : "1" })}>Side by side</button>
        </div>
      ) : null}
      {detail === undefined ? <p class="quiet">Unpacking …</p> : null}
      {detail === null || (detail && !attempts.length) ? (
        <p class="empty">{test.attempts.length ? "Its output was left out to keep this file small: it is in the run's folder." : (test.error ?? detail?.message ?? "It was never started.")}</p>
      ) : null}
      <div id="attempt" class={beside ? "beside" : ""} {...(attempts.length > 1 && !beside ? { role: "tabpanel", "aria-labelledby": `tab-${current?.number}` } : {})}>
        {(beside ? attempts : current ? [current] : []).map((one) => <Attempt key={one.number} attempt={one} test={test} wanted={wanted} logs={logs} />)}
      </div>
      <section class="reproduce" aria-labelledby="reproduce"><h2 id="reproduce">Reproduce</h2><pre tabIndex={0}>{test.reproduce}</pre></section>
      {detail ? <Environment detail={detail} /> : null}
    </div>
  );
}

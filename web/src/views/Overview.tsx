import { useEffect, useState } from "preact/hooks";
import type { Run, Test } from "../data/run";
import type { WireGroup } from "../data/wire";
import { usePage } from "../page/context";
import { hashOf } from "../page/router";
import { Output } from "../parts/Output";
import { Proportions, Status } from "../parts/Status";
import { bytes, clock, count, duration, EXIT_CODES, percent, REASONS } from "../words";
import { quoted } from "../filter/grammar";

const GROUPS_SHOWN = 8;
const TESTS_SHOWN = 4;
const SLOWEST = 6;

const testHref = (test: Test): string => hashOf("test", test.id);
const filterHref = (query: string): string => hashOf("tests", "", { q: query });

/** Without the first words, which the headline says in large. */
const rest = (sentence: string): string => sentence.replace(/^(NO GO|GO): ?/, "");

function Verdict({ run }: { run: Run }) {
  const code = run.exit_code;
  const failedPhases = run.phases.filter((phase) => phase.required && phase.status === "failed");
  const broken = run.gates.filter((gate) => !gate.holds);
  return (
    <section class={`verdict ${run.go ? "go" : "no-go"}`} aria-labelledby="verdict">
      <h1 id="verdict"><span class="word">{run.go ? "Go" : "No go"}</span><span class="sentence">{rest(run.sentence)}</span></h1>
      <details open={!run.go}>
        <summary>Why</summary>
        <ul class="why">
          <li><b>Exit code {code ?? "none"}</b>: {code === null ? "the run did not finish" : (EXIT_CODES[code] ?? run.why)}
            {run.why && run.why !== EXIT_CODES[code ?? -1] ? <span class="quiet"> — {run.why}</span> : null}</li>
          {failedPhases.map((phase) => (
            <li key={phase.name}><Status verdict="failed" /> required phase <a href={filterHref(`phase:${quoted(phase.name)} s:failed`)}>{phase.name}</a>:{" "}
              {count(phase.tests.filter((test) => test.verdict === "failed").length, "test")} of {phase.tests.length} failed</li>
          ))}
          {broken.map((gate, at) => <li key={at}><Status verdict="failed" /> gate {gate.gate}: {gate.message}</li>)}
          {run.go ? <li><Status verdict="passed" /> {count(run.phases.filter((phase) => phase.required).length, "required phase")}, none of them failed</li> : null}
          {run.interrupted ? <li><Status verdict="failed" /> interrupted: {run.interrupted}</li> : null}
        </ul>
      </details>
      <dl class="facts">
        <div><dt>Took</dt><dd>{duration(run.duration)}</dd></div>
        <div><dt>Began</dt><dd>{clock(run.started_at)}</dd></div>
        <div><dt>Slots</dt><dd>{run.workers}</dd></div>
        {run.shard ? <div><dt>Shard</dt><dd>{run.shard}</dd></div> : null}
        {run.merged_from.length ? <div><dt>Merged from</dt><dd>{count(run.merged_from.length, "run")}</dd></div> : null}
        {run.rerun_of ? <div><dt>Rerun of</dt><dd>{run.rerun_of}</dd></div> : null}
      </dl>
    </section>
  );
}

function Phases({ run }: { run: Run }) {
  return (
    <section class="phases" aria-label="Phases">
      <ol>
        {run.phases.map((phase) => {
          const passed = phase.tests.filter((test) => test.verdict === "passed" || test.verdict === "flaky").length;
          const flaky = phase.tests.some((test) => test.verdict === "flaky");
          const verdict = phase.status === "failed" ? "failed" : phase.status === "passed" ? (flaky ? "flaky" : "passed") : "skipped";
          return (
            <li key={phase.name} class={verdict}>
              <a href={filterHref(`phase:${quoted(phase.name)}`)}>
                <span class="name"><Status verdict={verdict} /> {phase.name}</span>
                <span class="numbers">{passed}/{phase.tests.length}{phase.start !== null ? <span class="quiet"> · {duration(phase.duration)}</span> : null}</span>
                <span class="kind">{phase.required ? "required" : "optional"}{phase.reason && REASONS[phase.reason] !== phase.status ? `, ${REASONS[phase.reason]}` : ""}</span>
              </a>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function Counts({ run }: { run: Run }) {
  const words = (["failed", "flaky", "passed", "skipped"] as const).filter((one) => run.counts[one]);
  return (
    <section class="counts" aria-label="Tests by status">
      <Proportions counts={run.counts} label={words.map((one) => `${run.counts[one]} ${one}`).join(", ")} />
      <ul>
        {words.map((one) => <li key={one}><a href={filterHref(`s:${one}`)}><Status verdict={one} label={false} /> <b>{run.counts[one]}</b> {one}</a></li>)}
        <li class="quiet">{count(run.tests.length, "test")}, {count(run.cases, "case")}</li>
      </ul>
    </section>
  );
}

function Changes() {
  const { comparison } = usePage();
  if (!comparison) return null;
  const { counts, base } = comparison;
  return (
    <section class="changes" aria-label="Against the other run">
      <a class="new" href={filterHref("is:new")}><b>{counts.new}</b> new</a>
      <a class="still" href={filterHref("is:still")}><b>{counts.still}</b> still failing</a>
      <a class="fixed" href={filterHref("is:fixed")}><b>{counts.fixed}</b> fixed</a>
      <a class="flaky" href={filterHref("is:flaky")}><b>{counts.flaky}</b> flaky</a>
      <a href={hashOf("compare")}><b>{counts.gone}</b> not run</a>
      <a class="quiet" href={hashOf("compare")}>against {base.run_id || base.name}</a>
    </section>
  );
}

function Group({ group, at, run }: { group: WireGroup; at: number; run: Run }) {
  const { comparison } = usePage();
  const tests = [...new Set(group.failures.map(([test]) => test))].map((one) => run.tests[one]).filter((one): one is Test => one !== undefined);
  const change = comparison?.groups.find((one) => one.number === at)?.change;
  const phases = [...new Set(tests.map((test) => test.phaseName))];
  return (
    <li class="group">
      <a class="count" href={filterHref(`group:${at + 1}`)} aria-label={`${count(group.failures.length, "failure")}: show them`}>{group.failures.length}</a>
      <div>
        <h3>{change ? <span class={`badge ${change}`}>{change}</span> : null}{group.title}</h3>
        <p class="where">{group.where ? <code>{group.where}</code> : null}<span>{phases.join(", ")}</span></p>
        <ul class="tests">
          {tests.slice(0, TESTS_SHOWN).map((test) => <li key={test.id}><a href={testHref(test)}>{test.name}</a></li>)}
          {tests.length > TESTS_SHOWN ? <li><a href={filterHref(`group:${at + 1}`)}>and {tests.length - TESTS_SHOWN} more</a></li> : null}
        </ul>
      </div>
    </li>
  );
}

function Failures({ run }: { run: Run }) {
  const flaky = run.tests.filter((test) => test.verdict === "flaky");
  return (
    <section class="panel failures" aria-labelledby="failures">
      <h2 id="failures">{run.groups.length ? `What went wrong` : "Nothing went wrong"}
        {run.groups.length ? <small>{count(run.groups.reduce((sum, one) => sum + one.failures.length, 0), "failure")} in {count(run.groups.length, "group")}</small> : null}</h2>
      {run.groups.length ? (
        <ul class="groups">{run.groups.slice(0, GROUPS_SHOWN).map((group, at) => <Group key={at} group={group} at={at} run={run} />)}</ul>
      ) : <p class="quiet">No test failed. {flaky.length ? "But see what was flaky." : ""}</p>}
      {run.groups.length > GROUPS_SHOWN ? <p><a href={filterHref("s:failed")}>All {run.groups.length} groups as tests</a></p> : null}
      {flaky.length ? (
        <>
          <h2 class="second">Flaky <small>failed first, passed later</small></h2>
          <ul class="flakies">
            {flaky.slice(0, GROUPS_SHOWN).map((test) => (
              <li key={test.id}><Status verdict="flaky" /> <a href={testHref(test)}>{test.id}</a>
                <span class="quiet">{count(test.attempts.length, "attempt")}{test.error ? ` · ${test.error}` : ""}</span></li>
            ))}
          </ul>
        </>
      ) : null}
      {run.warnings.length ? (
        <>
          <h2 class="second">Warnings</h2>
          <ul class="warnings">{run.warnings.slice(0, 20).map((one, at) => <li key={at}>{one}</li>)}</ul>
        </>
      ) : null}
    </section>
  );
}

/** The last words of a service that failed. */
function Ending({ service }: { service: string }) {
  const { source } = usePage();
  const [text, setText] = useState<string | null>(null);
  useEffect(() => {
    let stale = false;
    source.ending(service).then((found) => { if (!stale) setText(found); });
    return () => { stale = true; };
  }, [service]);
  return text ? <details class="ending"><summary>The end of its log</summary><Output text={text} label={`End of the log of ${service}`} /></details> : null;
}

function Services({ run }: { run: Run }) {
  if (!run.services.length) return null;
  return (
    <section class="panel" aria-labelledby="services">
      <h2 id="services">Services</h2>
      <ul class="services">
        {run.services.map((one) => (
          <li key={one.name}>
            <Status verdict={one.status === "failed" ? "failed" : one.ready_after !== null || one.status === "ready" ? "passed" : "skipped"} />
            <b>{one.name}</b>
            <span class="quiet">{one.message ?? (one.ready_after !== null ? `ready after ${duration(one.ready_after)}` : one.status)}</span>
            {one.status === "failed" ? <Ending service={one.name} /> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Gates({ run }: { run: Run }) {
  if (!run.gates.length) return null;
  return (
    <section class="panel" aria-labelledby="gates">
      <h2 id="gates">Gates</h2>
      <ul class="services">
        {run.gates.map((one, at) => <li key={at}><Status verdict={one.holds ? "passed" : "failed"} /><b>{one.gate}</b><span class="quiet">{one.message}</span></li>)}
      </ul>
    </section>
  );
}

function Checked({ run }: { run: Run }) {
  if (!run.checked?.length) return null;
  return (
    <section class="panel" aria-labelledby="checked">
      <h2 id="checked">What was checked <small>{count(run.checked.length, "target")} of tests and services</small></h2>
      <ul class="services">
        {run.checked.map((one, at) => (
          <li key={at} title={one.names.join(", ")}>
            <Status verdict={one.refused ? "failed" : "passed"} />
            <b>{one.target}</b>
            <span class="quiet">{one.says}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Time({ run }: { run: Run }) {
  const slowest = run.tests.filter((test) => test.attempts.length && !test.carried_from).sort((a, b) => (b.duration ?? 0) - (a.duration ?? 0)).slice(0, SLOWEST);
  const longest = Math.max(1, ...slowest.map((test) => test.duration ?? 0));
  const path = run.timing.critical_path;
  if (!slowest.length) return null;
  return (
    <section class="panel" aria-labelledby="time">
      <h2 id="time">Where the time went <small><a href={hashOf("timeline")}>timeline</a></small></h2>
      <p class="in-use"><b>{percent(run.timing.utilisation)}</b> of {count(run.timing.slots, "slot")} in use
        {run.timing.lower_bound && run.timing.makespan ? <span class="quiet">; no order of the tests beats {duration(run.timing.lower_bound)}, these took {duration(run.timing.makespan)}</span> : null}</p>
      <h3>Waited for last</h3>
      <ol class="path">
        {path.map((end) => {
          const test = run.byId.get(end.test);
          return <li key={end.phase}><span class="quiet">{end.phase}</span>{test ? <a href={testHref(test)}>{test.name}</a> : end.test}<span class="n" title="the last of it for nothing else">{duration(end.duration)}{end.alone ? <i> · {duration(end.alone)} alone</i> : null}</span></li>;
        })}
      </ol>
      <h3>Slowest tests</h3>
      <ol class="slow">
        {slowest.map((test) => (
          <li key={test.id}><a href={testHref(test)} title={test.id}>{test.name} <span class="quiet">{test.phaseName}</span></a><span class="n">{duration(test.duration)}</span>
            <i class={`bar-of ${test.verdict}`} style={{ width: `${(100 * (test.duration ?? 0)) / longest}%` }} /></li>
        ))}
      </ol>
    </section>
  );
}

function Left({ run }: { run: Run }) {
  if (!run.left?.length && !run.left_out.length) return null;
  return (
    <section class="panel" aria-labelledby="left">
      <h2 id="left">Not in this report</h2>
      <ul class="plain">
        {(run.left ?? []).map((one) => <li key={one.kind}>{count(one.count, "part")} ({bytes(one.bytes)}): {one.kind}, to keep this file small. See <code>{one.where}</code> beside it.</li>)}
      </ul>
      {run.left_out.length ? (
        <details><summary>Not selected <small>{run.left_out.length}</small></summary>
          <ul class="plain">{run.left_out.slice(0, 200).map((one) => <li key={one.id}>{one.id} <span class="quiet">{one.why}</span></li>)}</ul></details>
      ) : null}
    </section>
  );
}

export function Overview() {
  const { run } = usePage();
  const calm = !run.groups.length && !run.counts.flaky && !run.warnings.length;
  return (
    <div class="overview">
      <Verdict run={run} />
      <Changes />
      <Phases run={run} />
      <Counts run={run} />
      <div class="two">
        <div class="side"><Failures run={run} />{calm ? <Time run={run} /> : null}</div>
        <div class="side"><Services run={run} /><Gates run={run} /><Checked run={run} />{calm ? null : <Time run={run} />}<Left run={run} /></div>
      </div>
    </div>
  );
}

import { usePage } from "../page/context";
import { hashOf } from "../page/router";
import { Status } from "../parts/Status";
import { clock, count, duration } from "../words";

const SHOWN = 200;
const WORDS: Record<string, string> = {
  new: "fails now, and did not", still: "fails still", fixed: "failed, and passes now",
  changed: "ended differently", added: "is new here", gone: "was not run here",
};

function Drop() {
  const { compareWith } = usePage();
  return (
    <label class="drop">
      <input type="file" class="offscreen" accept=".html,.json,.jsonl" onChange={(event) => {
        const file = event.currentTarget.files?.[0];
        if (file) compareWith(file);
      }} />
      <b>Drop another run here</b>
      <span>or choose a file: <code>e2e-report.html</code>, <code>e2e-results.json</code> or <code>journal.jsonl</code>. It stays in this page.</span>
    </label>
  );
}

export function CompareView() {
  const { comparison, forget, run, trouble } = usePage();
  const refused = trouble ? <p role="alert" class="mistake">{trouble}</p> : null;
  if (!comparison) {
    return <div class="compare"><h1>Compare with another run</h1>
      <p class="lead">What is new, what fails still and what was fixed: by the signature of the errors, so that a failure that moved from one test to another is not two stories.</p>
      {refused}<Drop /></div>;
  }
  const { base, groups, tests, slower, counts } = comparison;
  return (
    <div class="compare">
      <h1>{count(counts.new, "new failure")}, {counts.still} still failing, {counts.fixed} fixed</h1>
      <p class="lead">{run.run_id} against {base.run_id || base.name}{base.started_at ? ` of ${clock(base.started_at)}` : ""}, which ended with exit code {base.exit_code ?? "none"}.{" "}
        <button type="button" class="button" onClick={forget}>Forget it</button></p>
      {refused}
      <section class="panel" aria-labelledby="signatures"><h2 id="signatures">Errors <small>by signature</small></h2>
        {groups.length ? (
          <table class="signatures"><thead><tr><th scope="col">Change</th><th scope="col">Error</th><th scope="col" class="n">Before</th><th scope="col" class="n">Now</th></tr></thead>
            <tbody>{groups.slice(0, SHOWN).map((one) => (
              <tr key={one.signature}><td><span class={`badge ${one.change}`}>{one.change}</span></td>
                <td>{one.number !== null ? <a href={hashOf("tests", "", { q: `group:${one.number + 1}` })}>{one.title}</a> : one.title}</td>
                <td class="n">{one.before}</td><td class="n">{one.now}</td></tr>
            ))}</tbody></table>
        ) : <p class="quiet">Nothing failed in either run.</p>}
      </section>
      <section class="panel" aria-labelledby="changed"><h2 id="changed">Tests that ended differently <small>{tests.length}</small></h2>
        <ul class="changed">{tests.slice(0, SHOWN).map((one) => (
          <li key={one.id}>{one.before ? <Status verdict={one.before} /> : <span class="nothing" title="not in the other run">·</span>}<span aria-label="then">→</span>{one.now ? <Status verdict={one.now} /> : <span class="nothing" title="not in this run">·</span>}
            {one.test ? <a href={hashOf("test", one.id)}>{one.id}</a> : <span>{one.id}</span>}<span class="quiet">{WORDS[one.kind]}</span></li>
        ))}</ul></section>
      {slower.length ? (
        <section class="panel" aria-labelledby="slower"><h2 id="slower">Durations that changed most</h2>
          <ul class="changed">{slower.map((one) => (
            <li key={one.test.id}><a href={hashOf("test", one.test.id)}>{one.test.id}</a><span class="n">{duration(one.before)} → {duration(one.now)}</span>
              <b class={one.now > one.before ? "worse" : "better"}>{one.now > one.before ? "+" : "−"}{Math.round((100 * Math.abs(one.now - one.before)) / one.before)}%</b></li>
          ))}</ul></section>
      ) : null}
      <Drop />
    </div>
  );
}

// The Playwright reporter that writes the case stream, loaded beside the user's own reporters.
//
// It runs in other people's test suites (Node 18 and Playwright 1.40 upwards): whatever goes wrong in
// here may cost evidence but never changes what the suite does.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

const MESSAGE_LIMIT = 16 * 1024;
const LONGEST_WORD = 1024;
const IDS_IN_A_LINE = 200;
const BIGGEST_ATTACHMENT = 64 * 1024 * 1024;
const MOST_ATTACHMENTS = 50;
const EXIT_STATUS = { passed: 0, failed: 1, timedout: 1, interrupted: 130 };

function cut(text) {
  if (text.length <= MESSAGE_LIMIT)
    return text;
  // In whole words: half a secret would not be recognised, and not be masked.
  const half = (MESSAGE_LIMIT - 128) / 2;
  const last = text.slice(0, half).slice(-LONGEST_WORD);
  const first = text.slice(-half).slice(0, LONGEST_WORD);
  const head = text.slice(0, half - (last.length - 1 - last.search(/\s\S*$/)));
  const tail = text.slice(text.length - half + (first.search(/\s/) < 0 ? first.length : first.search(/\s/)));
  return `${head}\n[... ${text.length - head.length - tail.length} letters cut ...]\n${tail}`;
}

function describe(error) {
  const text = error.stack || error.message || String(error.value);
  const where = error.location && !text.includes(error.location.file)
    ? `\n    at ${error.location.file}:${error.location.line}:${error.location.column}` : '';
  const snippet = error.snippet && !text.includes(error.snippet) ? `\n\n${error.snippet}` : '';
  return cut(text + where + snippet);
}

function safeName(name) {
  return name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '').slice(-80) || 'attachment';
}

// The user's own reporters may still want the file where it is.
function link(file, to) {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  try {
    fs.linkSync(file, to);
  } catch {
    fs.copyFileSync(file, to);
  }
  return to;
}

function serialGroup(test) {
  const suites = [];
  for (let suite = test.parent; suite; suite = suite.parent)
    suites.unshift(suite);
  const serial = suites.findIndex(suite => suite._parallelMode === 'serial');
  return serial < 0 ? undefined : suites.slice(0, serial + 1).map(suite => suite.title).join(' › ');
}

function fileOf(test) {
  for (let suite = test.parent; suite; suite = suite.parent) {
    if (suite.type === 'file' && suite.location)
      return suite.location.file;
  }
  return test.location.file;
}

// Those that run before or after a project because its configuration says so, and what these need in turn.
function companions(projects, all) {
  const found = new Set();
  const visit = project => {
    for (const name of [...(project.dependencies || []), ...(project.teardown ? [project.teardown] : [])]) {
      for (const one of all.filter(other => other.name === name && !found.has(other))) {
        found.add(one);
        visit(one);
      }
    }
  };
  projects.forEach(visit);
  return found;
}

function failedIn(step) {
  return Boolean(step.error) || (step.steps || []).some(failedIn);
}

// Hooks that run once for several cases: Playwright blames the case that happened to run before or after them.
function sharedHooks(test) {
  const found = new Set();
  for (let suite = test.parent; suite; suite = suite.parent) {
    for (const hook of suite._hooks || []) {
      if (/All$/.test(hook.type) && hook.location)
        found.add(placeOf(hook.location));
    }
  }
  return found;
}

function placeOf(location) {
  return `${location.file}:${location.line}:${location.column}`;
}

// A hook may have a title of its own; fixtures of the worker are torn down in "Worker Cleanup".
function sharedStepFailed(steps, places) {
  return steps.some(step => {
    const shared = step.category === 'hook' && (/^((before|after)All hook|Worker Cleanup)$/i.test(step.title) ||
      Boolean(step.location && places.has(placeOf(step.location))));
    return shared ? failedIn(step) : sharedStepFailed(step.steps || [], places);
  });
}

// Several of our tests in this one run: which files are whose, and where each of them writes.
class Pack {
  constructor(file) {
    this.tests = Object.entries(JSON.parse(fs.readFileSync(file, 'utf8')).tests);
  }

  owner(file) {
    const found = this.tests.find(([, one]) => file === one.path || file.startsWith(one.path + path.sep));
    return found && found[1];
  }

  // [id, folder, its own cases, the cases that its projects depend on]
  shares(cases, projects) {
    return this.tests.map(([id, one]) => {
      const own = cases.filter(test => this.owner(fileOf(test)) === one);
      const others = companions(new Set(own.map(test => test.parent.project())), projects);
      const shared = cases.filter(test => others.has(test.parent.project()) && !own.includes(test));
      return [id, one.folder, own, shared];
    });
  }
}

class CaseStream {
  constructor() {
    // Tests run in workers that inherit this process' environment: a Playwright started by a test must
    // not load this reporter again.
    delete process.env.PW_TEST_REPORTER;
    this.writer = crypto.randomBytes(16).toString('hex');
    this.folder = process.env.E2E_OUTPUT_DIR || path.dirname(process.env.E2E_EVENTS || '.');
    this.ids = new Map();
    this.taken = new Set();
    this.waiting = new Set();
    this.saved = new Map();
    this.companions = new Set();
    this.pack = process.env.E2E_PACK ? new Pack(process.env.E2E_PACK) : undefined;
    delete process.env.E2E_PACK;
    this.fd = -1;
    try {
      this.fd = fs.openSync(process.env.E2E_EVENTS, 'a', 0o600);
    } catch {
      // Without its stream the run is not proven, and the orchestrator says so.
    }
    this.send('session_started', { tool: 'playwright', pid: process.pid });
  }

  send(event, fields) {
    try {
      fs.writeSync(this.fd, JSON.stringify({ event, writer: this.writer, time: Date.now() / 1000, ...fields }) + '\n');
    } catch {
      // The same.
    }
  }

  // The terminal stays with the user's reporters, or with Playwright's default where there is none.
  printsToStdio() {
    return false;
  }

  id(test) {
    let id = this.ids.get(test.id);
    if (id !== undefined)
      return id;
    const [, project, file, ...titles] = test.titlePath();
    const parts = [...(project ? [`[${project}]`] : []), file, ...titles].filter(part => part);
    const name = parts.join(' › ') + (test.repeatEachIndex ? ` (repeat ${test.repeatEachIndex})` : '');
    for (let number = 1; id === undefined || this.taken.has(id); number++)
      id = number === 1 ? name : `${name} (${number})`;
    this.taken.add(id);
    this.ids.set(test.id, id);
    return id;
  }

  onBegin(config, suite) {
    this.suite = suite;
    const tests = suite.allTests();
    tests.forEach(test => this.id(test));
    this.companions = companions(config.projects, config.projects);
    if (!this.pack) {
      this.collected(tests);
      this.keepIdentities(tests, this.folder);
      return;
    }
    for (const [id, folder, own, shared] of this.pack.shares(tests, config.projects)) {
      this.collected(shared, { test: id, shared: true, flaky_fails: config.failOnFlakyTests });
      this.collected(own, { test: id, flaky_fails: config.failOnFlakyTests });
      this.keepIdentities([...shared, ...own], folder);
    }
  }

  // A line for each spec, which need not be where its cases are defined: functions of a helper may do that.
  collected(tests, more) {
    const specs = new Map();
    for (const test of tests) {
      const file = fileOf(test);
      specs.set(file, specs.get(file) || []);
      specs.get(file).push(this.id(test));
    }
    for (const [file, ids] of specs) {
      for (let start = 0; start < ids.length; start += IDS_IN_A_LINE)
        this.send('collected', { ids: ids.slice(start, start + IDS_IN_A_LINE), files: [file], ...more });
    }
  }

  // The attempt's folder; in a pack that of the test to which the case belongs.
  home(test) {
    const owner = this.pack && this.pack.owner(fileOf(test));
    return owner ? owner.folder : this.folder;
  }

  onStdOut(chunk, test) {
    this.printed(chunk, test);
  }

  onStdErr(chunk, test) {
    this.printed(chunk, test);
  }

  // Everything is in the pack's own output; whose it is, only Playwright knows.
  printed(chunk, test) {
    const home = this.pack && test ? this.home(test) : this.folder;
    if (home === this.folder)
      return;
    try {
      fs.appendFileSync(path.join(home, 'output.log'), chunk);
    } catch {
      // It is in the pack's.
    }
  }

  // Playwright's own ids, by which a retry selects; cases of a serial group only make sense together.
  keepIdentities(tests, folder) {
    const cases = tests.map(test => ({ id: this.id(test), native: test.id, group: serialGroup(test) }));
    try {
      fs.writeFileSync(path.join(folder, 'playwright-cases.json'), JSON.stringify(cases));
    } catch {
      // The retry will be about the whole file.
    }
  }

  onTestBegin(test, result) {
    this.waiting.delete(test);
    this.send('case_started', { id: this.id(test), worker: result.parallelIndex });
  }

  onTestEnd(test, result) {
    if (result.status === 'interrupted')
      return; // Whether it is to blame depends on who ended the run.
    const wrong = result.status !== test.expectedStatus && result.status !== 'skipped';
    if (wrong && result.retry < test.retries) {
      this.waiting.add(test);
      this.send('case_retried', { id: this.id(test) });
    } else {
      this.finish(test);
    }
  }

  finish(test) {
    const [status, note] = this.outcome(test);
    const failures = test.results.flatMap(result => result.status === 'passed' ? [] : this.failures(test, result));
    this.send('case_finished', {
      id: this.id(test),
      status,
      shared_failure: this.isShared(test) || undefined,
      duration: test.results.reduce((sum, result) => sum + Math.max(result.duration, 0), 0) / 1000,
      message: cut([...(note ? [note] : []), ...failures].join('\n\n')) || undefined,
      file: test.location.file,
      line: test.location.line,
      project: test.titlePath()[1] || undefined,
      attachments: this.attachments(test),
    });
  }

  // Whether what failed, or some of it, is not the case's own: then a retry of the case alone proves nothing.
  isShared(test) {
    const places = sharedHooks(test);
    return this.companions.has(test.parent.project()) ||
      test.results.some(result => sharedStepFailed(result.steps || [], places));
  }

  outcome(test) {
    const last = test.results[test.results.length - 1];
    switch (test.outcome()) {
      case 'skipped': {
        if (test.expectedStatus !== 'skipped')
          return ['not_run', 'did not run: something that it depends on failed first'];
        const reasons = test.annotations.filter(one => ['skip', 'fixme'].includes(one.type) && one.description);
        return ['skipped', reasons.map(one => one.description).join('; ')];
      }
      case 'expected':
        return [test.expectedStatus === 'passed' ? 'passed' : 'xfailed'];
      case 'flaky':
        return ['flaky'];
      default:
        if (last && last.status === 'timedOut')
          return ['timeout'];
        if (last && last.status === 'passed')
          return ['failed', `expected to fail (${test.expectedStatus}), but passed`];
        return ['failed'];
    }
  }

  failures(test, result) {
    const errors = result.errors && result.errors.length ? result.errors : result.error ? [result.error] : [];
    const several = test.results.length > 1;
    return errors.map(error => (several ? `try ${result.retry + 1} of ${test.results.length}: ` : '') + describe(error));
  }

  attachments(test) {
    const found = [];
    const home = this.home(test);
    for (const result of test.results) {
      for (const one of result.attachments || []) {
        const file = found.length < MOST_ATTACHMENTS ? this.save(one, home) : undefined;
        if (file)
          found.push({ name: one.name, path: file, content_type: one.contentType });
      }
    }
    return found;
  }

  // What is not a file in the attempt's folder becomes one: bodies, and files that lie elsewhere.
  save(attachment, home) {
    try {
      if (attachment.path) {
        const file = path.resolve(attachment.path);
        const inside = path.relative(this.folder, file);
        if (!inside.startsWith('..'))
          return home === this.folder ? file : link(file, path.join(home, inside));
        if (fs.statSync(file).size > BIGGEST_ATTACHMENT)
          return undefined;
        const copy = this.fresh(path.basename(file), home);
        fs.copyFileSync(file, copy);
        return copy;
      }
      if (!attachment.body || attachment.body.length > BIGGEST_ATTACHMENT)
        return undefined;
      const ending = { 'text/plain': '.txt', 'application/json': '.json', 'image/png': '.png' }[attachment.contentType];
      const file = this.fresh(attachment.name + (ending && !attachment.name.endsWith(ending) ? ending : ''), home);
      fs.writeFileSync(file, attachment.body);
      return file;
    } catch {
      return undefined; // An attachment is a help, not evidence.
    }
  }

  fresh(name, home) {
    const folder = path.join(home, 'attachments');
    fs.mkdirSync(folder, { recursive: true });
    const number = (this.saved.get(home) || 0) + 1;
    this.saved.set(home, number);
    return path.join(folder, `${number}-${safeName(name)}`);
  }

  onError(error) {
    this.send('error', { message: describe(error) });
  }

  onEnd(result) {
    // A retry that never came, because the run ended first: what is known now is all there will be.
    for (const test of this.waiting)
      this.finish(test);
    this.send('session_finished', { exit_status: EXIT_STATUS[result.status], status: result.status });
  }
}

module.exports = CaseStream;

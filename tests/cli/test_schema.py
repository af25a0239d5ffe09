"""The JSON Schema accepts what the program accepts, and refuses what an editor can know to be wrong."""

import json

import pytest
import yaml
from calling import CONFIG, call
from jsonschema import Draft202012Validator

from e2e_orchestrator.config.json_schema import json_schema

RUNNERS = "runners: {r: {kind: command}}\n"
CONTRACT = """\
version: 1
project: streamer-studio
timeout: 10m
workers: auto
retries: {max: 2, delay: 5s}
env:
  API_URL: ${API_URL:-http://localhost:8000}
  PORT: 8000
x-anchors: {a: b}
runners:
  backend:  {kind: pytest, cwd: ., python: .venv/bin/python, args: [-q], tests: {a: b}}
  frontend: {kind: playwright, cwd: tsx, args: []}
services:
  db: {command: redis-server, ready: {http: "http://localhost"}, stop: {grace: 3s}}
  api: {command: [python, -m, http.server]}
phases:
  - name: health
    runner: backend
    parallel: true
    required: ${R:-true}
    timeout: 60
    tests:
      api_health: backend/tests/e2e/health/test_api_health.py
      redis_health: {target: x, cwd: ., timeout: 20s, retries: {max: 0}, tags: [infra], env: {A: "1"}, args: [-x]}
  - {name: smoke, runner: frontend, retries: 1, tests: [a, "b/*.py"]}
"""
GOOD = {"the example of the contract": CONTRACT, "the configuration of the other tests": CONFIG}
BAD = {
    "an unknown key": "retires: 2\n",
    "a duration without sense": "timeout: 5x\n",
    "no number of workers": "workers: 0\n",
    "a list for an environment": "env: [a]\n",
    "another version": "version: 2\n",
    "null": "retries: null\n",
}


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD.keys())
def test_it_accepts(validator, text):
    assert list(validator.iter_errors(yaml.safe_load(text))) == []


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_it_refuses(validator, text):
    rest = "phases: [{name: p, runner: r, tests: {t: x}}]"
    assert not validator.is_valid(yaml.safe_load(text + RUNNERS + rest))
    assert validator.is_valid(yaml.safe_load(RUNNERS + rest))


def test_every_key_is_described(validator):
    schema = json_schema()
    for model in (schema, *schema["$defs"].values()):
        for name, field in model.get("properties", {}).items():
            assert field.get("description"), f"{model['title']}.{name}"


def test_nothing_says_null(validator):
    assert "null" not in json.dumps(json_schema())


def test_the_command_prints_it(capsys):
    called = call(capsys, "schema")
    assert called.code == 0
    assert json.loads(called.out) == json_schema()

"""Where a run happens, as the CI server's own variables say it: a link, a branch, a commit."""

from collections.abc import Mapping
from dataclasses import dataclass

REPORT = "E2E_REPORT_URL"
_URLS = (
    "E2E_RUN_URL",
    "CI_JOB_URL",
    "CI_PIPELINE_URL",
    "BUILDKITE_BUILD_URL",
    "CIRCLE_BUILD_URL",
    "BUILD_URL",
)
_BRANCHES = (
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_COMMIT_REF_NAME",
    "BUILDKITE_BRANCH",
    "CIRCLE_BRANCH",
    "BUILD_SOURCEBRANCHNAME",
    "BITBUCKET_BRANCH",
    "BRANCH_NAME",
    "GIT_BRANCH",
)
_COMMITS = (
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "BUILDKITE_COMMIT",
    "CIRCLE_SHA1",
    "BUILD_SOURCEVERSION",
    "BITBUCKET_COMMIT",
    "GIT_COMMIT",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """``report`` is where the reports of the run can be opened, if somebody put them somewhere."""

    url: str | None = None
    report: str | None = None
    branch: str | None = None
    commit: str | None = None


def place(environ: Mapping[str, str]) -> Place:
    """What is known; ``E2E_RUN_URL`` outranks every CI server's own link."""
    url = _first(environ, _URLS[:1]) or _composed_url(environ) or _first(environ, _URLS[1:])
    return Place(
        url=_web(url),
        report=_web(environ.get(REPORT)),
        branch=_first(environ, _BRANCHES),
        commit=_first(environ, _COMMITS),
    )


def _web(url: str | None) -> str | None:
    return url if url and url.startswith(("https://", "http://")) else None


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)


def _composed_url(environ: Mapping[str, str]) -> str | None:
    """The links of those servers that offer only their parts."""

    def joined(template: str, *names: str) -> str | None:
        values = [environ.get(name, "").rstrip("/") for name in names]
        return template.format(*values) if all(values) else None

    return (
        joined("{}/{}/actions/runs/{}", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
        or joined(
            "{}/{}/_build/results?buildId={}",
            "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
            "SYSTEM_TEAMPROJECT",
            "BUILD_BUILDID",
        )
        or joined("{}/pipelines/results/{}", "BITBUCKET_GIT_HTTP_ORIGIN", "BITBUCKET_BUILD_NUMBER")
    )

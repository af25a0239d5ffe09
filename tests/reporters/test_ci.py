"""Where a run happens, as CI servers say it."""

import pytest

from e2e_orchestrator.reporters.ci import Place, place


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, Place(), id="at home nothing is known"),
        pytest.param(
            {
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_RUN_ID": "7",
                "GITHUB_SHA": "abc",
                "GITHUB_HEAD_REF": "feature",
                "GITHUB_REF_NAME": "7/merge",
            },
            Place(url="https://github.com/o/r/actions/runs/7", branch="feature", commit="abc"),
            id="GitHub",
        ),
        pytest.param(
            {"CI_JOB_URL": "https://gitlab.com/j/1", "CI_COMMIT_REF_NAME": "main", "CI_COMMIT_SHA": "abc"},
            Place(url="https://gitlab.com/j/1", branch="main", commit="abc"),
            id="GitLab",
        ),
        pytest.param(
            {
                "BUILDKITE_BUILD_URL": "https://buildkite.com/b",
                "BUILDKITE_BRANCH": "b",
                "BUILDKITE_COMMIT": "c",
            },
            Place(url="https://buildkite.com/b", branch="b", commit="c"),
            id="Buildkite",
        ),
        pytest.param(
            {"CIRCLE_BUILD_URL": "https://circleci.com/b", "CIRCLE_SHA1": "c"},
            Place(url="https://circleci.com/b", commit="c"),
            id="CircleCI",
        ),
        pytest.param(
            {"BUILD_URL": "http://jenkins.local/1/", "GIT_BRANCH": "origin/main"},
            Place(url="http://jenkins.local/1/", branch="origin/main"),
            id="Jenkins",
        ),
        pytest.param(
            {
                "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://dev.azure.com/o/",
                "SYSTEM_TEAMPROJECT": "p",
                "BUILD_BUILDID": "9",
                "BUILD_SOURCEBRANCHNAME": "main",
            },
            Place(url="https://dev.azure.com/o/p/_build/results?buildId=9", branch="main"),
            id="Azure",
        ),
        pytest.param(
            {"BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/o/r", "BITBUCKET_BUILD_NUMBER": "3"},
            Place(url="https://bitbucket.org/o/r/pipelines/results/3"),
            id="Bitbucket",
        ),
        pytest.param(
            {"E2E_RUN_URL": "https://ours/1", "CI_JOB_URL": "https://gitlab.com/j/1"},
            Place(url="https://ours/1"),
            id="our own variable outranks a server's",
        ),
        pytest.param({"E2E_RUN_URL": "javascript:alert(1)"}, Place(), id="what is no web address is no link"),
    ],
)
def test_the_place_of_a_run(environ: dict[str, str], expected: Place) -> None:
    assert place(environ) == expected

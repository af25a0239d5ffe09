"""Secrets in Playwright's blob report, which is a zip."""

import base64
import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from e2e_orchestrator.safety.folder import holds_secret, mask_files
from e2e_orchestrator.safety.masking import Mask

SECRET = "hunter2-of-2024"
MASK = Mask([SECRET])
METADATA = {"method": "onBlobReportMetadata", "params": {"version": 2}}
PICTURE = b"\x89PNG\0" + SECRET.encode()


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def printed(data: str, *, encoded: bool = False, test: str = "t") -> dict[str, Any]:
    params = {"testId": test, "resultId": "r", "type": "stdout", "data": data, "isBase64": encoded}
    return {"method": "onStdIO", "params": params}


def events(*told: object) -> bytes:
    return b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in (METADATA, *told))


def zipped(**files: bytes) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return written.getvalue()


@pytest.fixture
def report(tmp_path: Path) -> Path:
    (tmp_path / "attempt" / "blob").mkdir(parents=True)
    return tmp_path / "attempt" / "blob" / "report.zip"


def masked(report: Path, mask: Mask = MASK) -> list[str]:
    folder = report.parents[1]
    return mask_files(folder, below=folder.parent, mask=mask, spared=folder / "output.log")


def content(report: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(report) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def told(report: Path) -> list[Any]:
    return [json.loads(line) for line in content(report)["report.jsonl"].splitlines()]


def may_leave(report: Path) -> bool:
    with report.open("rb") as file:
        return not holds_secret(file, MASK)


def test_texts_attached_files_and_what_is_in_base64_are_masked(report: Path) -> None:
    attached = {"method": "onAttach", "params": {"attachments": [{"base64": in_base64(f"a {SECRET}")}]}}
    failed = {"method": "onTestEnd", "params": {"errors": [{"message": f"no {SECRET}"}]}}
    files = {
        "report.jsonl": events(attached, failed, printed(in_base64(f"b {SECRET}"), encoded=True)),
        "resources/log.txt": f"c {SECRET}".encode(),
        "resources/shot.png": PICTURE,
    }
    report.write_bytes(zipped(**files))
    assert not may_leave(report)
    assert masked(report) == []
    metadata, attached, failed, said = told(report)
    assert metadata == METADATA
    assert base64.b64decode(attached["params"]["attachments"][0]["base64"]) == b"a ***"
    assert failed["params"]["errors"] == [{"message": "no ***"}]
    assert base64.b64decode(said["params"]["data"]) == b"b ***"
    assert content(report)["resources/log.txt"] == b"c ***"
    assert content(report)["resources/shot.png"] == PICTURE
    assert may_leave(report)


def test_a_secret_in_two_pieces_of_output_is_masked_and_other_tests_keep_theirs(report: Path) -> None:
    pieces = [
        printed(f"a {SECRET[:6]}"),
        printed("of b", test="u"),
        printed(in_base64(f"{SECRET[6:]} c"), encoded=True),
    ]
    report.write_bytes(zipped(**{"report.jsonl": events(*pieces)}))
    assert masked(report) == []
    said = [(one["params"]["testId"], one["params"]["data"]) for one in told(report)[1:]]
    assert said == [("t", "a *** c"), ("u", "of b"), ("t", "")]


def test_a_report_with_nothing_to_mask_is_not_written_again(report: Path) -> None:
    report.write_bytes(zipped(**{"report.jsonl": events(printed("all is well"))}))
    before = report.stat().st_ino
    assert masked(report) == []
    assert report.stat().st_ino == before
    assert may_leave(report)


def test_one_that_could_not_be_merged_afterwards_is_removed_and_that_is_said(report: Path) -> None:
    report.write_bytes(zipped(**{"report.jsonl": events({"duration": 12345678})}))
    [said] = masked(report, Mask(["12345678"]))
    assert said.startswith("blob/report.zip was removed: it cannot be masked")
    assert not report.exists()


def test_so_is_one_that_is_torn(report: Path) -> None:
    report.write_bytes(zipped(**{"report.jsonl": events()})[:-9])
    assert masked(report) == ["blob/report.zip was removed: it cannot be masked: File is not a zip file"]


def test_where_no_secret_is_known_it_stays_as_it_is(report: Path) -> None:
    report.write_bytes(b"PK\0 torn")
    assert masked(report, Mask()) == []
    assert report.exists()


def test_a_trace_and_any_other_zip_stay_as_they_are(report: Path) -> None:
    trace = report.parents[1] / "trace.zip"
    trace.write_bytes(zipped(**{"trace.trace": SECRET.encode(), "resources/a.jsonl": SECRET.encode()}))
    torn = report.parents[1] / "download.zip"
    torn.write_bytes(b"PK\0 torn")
    assert masked(report) == []
    assert content(trace)["trace.trace"] == SECRET.encode()
    assert torn.exists()

"""Secrets in Playwright's own reports, where a search in the text does not see them."""

import base64
import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from e2e_orchestrator.safety.folder import holds_secret, mask_files
from e2e_orchestrator.safety.masking import Mask

SECRET = "hunter2-of-2024"
MASK = Mask([SECRET])


def page(data: bytes) -> bytes:
    encoded = base64.b64encode(data)
    return b"<!DOCTYPE html><html><template>data:application/zip;base64," + encoded + b"</template></html>"


def zipped(**texts: str) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(f"{name}.json", text)
    return written.getvalue()


def unzipped(html: bytes) -> dict[str, str]:
    encoded = html.partition(b"base64,")[2].partition(b"<")[0]
    with zipfile.ZipFile(BytesIO(base64.b64decode(encoded))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "attempt").mkdir()
    return tmp_path / "attempt"


def masked(folder: Path, mask: Mask = MASK) -> list[str]:
    return mask_files(folder, below=folder.parent, mask=mask, spared=folder / "output.log")


def may_leave(path: Path) -> bool:
    with path.open("rb") as file:
        return not holds_secret(file, MASK)


def test_the_texts_in_the_zip_of_a_page_are_masked(folder: Path) -> None:
    report = folder / "index.html"
    report.write_bytes(page(zipped(report=json.dumps({"title": SECRET}), other='{"a": 1}')))
    assert not may_leave(report)
    assert masked(folder) == []
    assert unzipped(report.read_bytes()) == {"report.json": '{"title": "***"}', "other.json": '{"a": 1}'}
    assert may_leave(report)


def test_a_page_with_nothing_to_mask_is_not_written_again(folder: Path) -> None:
    report = folder / "index.html"
    report.write_bytes(page(zipped(report="{}")))
    before = report.stat().st_ino
    assert masked(folder) == []
    assert report.stat().st_ino == before


NO_ZIP = b"PK and nothing that follows"


def test_a_page_whose_zip_cannot_be_masked_is_left_out_and_that_is_said(folder: Path) -> None:
    report = folder / "index.html"
    report.write_bytes(page(NO_ZIP))
    assert not may_leave(report)
    assert masked(folder) == ["index.html was removed: its zip cannot be masked: File is not a zip file"]
    assert not report.exists()


def test_so_is_one_that_could_not_be_shown_afterwards(folder: Path) -> None:
    report = folder / "index.html"
    report.write_bytes(page(zipped(report='{"a": 12345678}')))
    [said] = masked(folder, Mask(["12345678"]))
    assert said.startswith("index.html was removed: its zip cannot be masked")
    assert not report.exists()


def test_where_no_secret_is_known_such_a_page_stays(folder: Path) -> None:
    report = folder / "index.html"
    report.write_bytes(page(NO_ZIP))
    assert masked(folder, Mask()) == []
    assert report.exists()


def test_a_secret_in_two_pieces_of_output_is_masked(folder: Path) -> None:
    pieces = [{"text": f"a {SECRET[:6]}"}, {"text": f"{SECRET[6:]} b"}]
    report = folder / "playwright.json"
    report.write_text(json.dumps({"suites": [{"results": [{"stdout": pieces, "stderr": []}]}]}))
    assert masked(folder) == []
    assert json.loads(report.read_text()) == {
        "suites": [{"results": [{"stdout": [{"text": "a *** b"}], "stderr": []}]}]
    }

"""The gallery shows what the committed records and studies say now."""

from __future__ import annotations

from tests.report.gallery import DOCUMENT, FOLDER, write_gallery


def test_the_gallery_is_what_the_committed_studies_say_now() -> None:
    contents = write_gallery()
    mend = "python -m tests.report.gallery writes it anew"
    for path, content in contents.items():
        assert path.read_text() == content, mend
    assert {*FOLDER.iterdir(), DOCUMENT} == set(contents)

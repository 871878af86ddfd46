"""The gallery shows every picture that it names, and answers every question."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
GALLERY = ROOT / "docs" / "gallery"
MOST_BYTES = 150_000


def test_pictures_are_there_and_small() -> None:
    text = (GALLERY / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"!\[[^]]*\]\(([^)]+)\)", text))
    pictures = {path.name for path in GALLERY.iterdir()} - {"README.md"}

    assert named == pictures
    assert named
    assert max((GALLERY / name).stat().st_size for name in named) < MOST_BYTES


def test_every_question_has_its_section() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from make_gallery import QUESTIONS
    finally:
        sys.path.pop(0)
    text = (GALLERY / "README.md").read_text(encoding="utf-8")

    assert re.findall("^## (.*)$", text, re.MULTILINE) == [q.title for q in QUESTIONS]
    for study in (name for question in QUESTIONS for name in question.studies):
        assert f"    cosmic search {study}\n" in text


def test_links_of_the_how_to_page_lead_somewhere() -> None:
    page = ROOT / "docs" / "how-to" / "ask-design-questions.md"
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))

    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []

"""The gallery shows every picture that it names, and answers every question."""

import re
from pathlib import Path
from runpy import run_path

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
    questions = run_path(str(ROOT / "tools" / "make_gallery.py"))["QUESTIONS"]
    text = (GALLERY / "README.md").read_text(encoding="utf-8")

    assert re.findall("^## (.*)$", text, re.MULTILINE) == [q.title for q in questions]
    for study in (name for question in questions for name in question.studies):
        assert f"    cosmic search {study}\n" in text


def test_links_of_the_how_to_page_lead_somewhere() -> None:
    page = ROOT / "docs" / "how-to" / "ask-design-questions.md"
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))

    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []

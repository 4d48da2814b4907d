import json
import re
from datetime import date
from itertools import product

import pytest

from playground.core.answering import places, says
from playground.core.documents import Document, Question, read_document, read_questions
from playground.paths import site_root

FOLDER = site_root() / "assets" / "samples" / "documents"
NAMES, LANGUAGES = ("observatory", "bicycle", "ferry"), ("en", "ko")
EACH = list(product(NAMES, LANGUAGES))

# An answer whose words stand once more where they answer nothing: how often.
ELSEWHERE = {
    ("observatory", "ko", "camera"): 1, ("observatory", "ko", "cat"): 1,
    ("bicycle", "en", "blocks"): 1, ("bicycle", "en", "dot"): 1, ("bicycle", "en", "h_screw"): 4,
    ("bicycle", "ko", "blocks"): 1, ("bicycle", "ko", "too_far_down"): 1,
    ("ferry", "en", "from_whom"): 2, ("ferry", "en", "lw"): 3, ("ferry", "en", "horn"): 1,
    ("ferry", "en", "red_mark"): 1, ("ferry", "en", "old_name"): 1, ("ferry", "en", "boyle"): 1,
    ("ferry", "en", "pettigrew"): 1, ("ferry", "ko", "from_whom"): 3, ("ferry", "ko", "sheep_fare"): 1,
    ("ferry", "ko", "lw"): 3, ("ferry", "ko", "horn"): 1, ("ferry", "ko", "old_name"): 1,
    ("observatory", "en", "year_1974"): 1, ("observatory", "ko", "year_1974"): 1,
    ("ferry", "en", "year_1911"): 1, ("ferry", "ko", "year_1911"): 1, ("ferry", "ko", "count_1106"): 1,
    ("ferry", "ko", "gauge"): 1, ("ferry", "ko", "pettigrew"): 4, ("ferry", "ko", "in_the_end"): 1,
}  # fmt: skip


def shipped(name: str, language: str) -> tuple[Document, tuple[Question, ...]]:
    facts = json.loads((FOLDER / "documents.json").read_text("utf-8"))[name]
    text = (FOLDER / language / f"{name}.md").read_text("utf-8")
    document = read_document(name, language, text, facts["source"], facts["dates"])
    return document, read_questions((FOLDER / language / f"{name}.json").read_text("utf-8"), document)


@pytest.mark.parametrize(("name", "language"), EACH)
def test_every_answer_stands_in_its_passage_and_nowhere_else_unless_listed(name: str, language: str) -> None:
    document, questions = shipped(name, language)
    assert len(questions) >= 20
    for question in questions:
        if question.kind == "none":
            continue
        start, end = question.span
        assert document.text[start:end] == question.passage
        answer = question.answers[0]
        inside = [place for place in places(document.text, answer) if start <= place < end]
        assert len(inside) == 1, (question.question_id, answer)
        elsewhere = len(places(document.text, answer)) - 1
        assert elsewhere == ELSEWHERE.get((name, language, question.question_id), 0), question.question_id
        assert "\n\n" not in question.passage
        assert question.planted
        assert not says(question.falsified(question.passage), question.answers), question.question_id


def content(text: str, language: str) -> set[str]:
    """English: words of four letters and more, and numbers; Korean: the first two syllables of each word."""
    words = re.findall(r"\d+(?:[.,]\d+)*|\w+", text.casefold())
    if language == "ko":
        return {word[:2] for word in words if len(word) > 1}
    return {
        word
        for word in words
        if (len(word) > 3 or (len(word) > 1 and word[0].isdigit()))
        and word not in {"that", "what", "which", "with", "have"}
    }


@pytest.mark.parametrize(("name", "language"), EACH)
def test_a_paraphrase_alone_shares_no_word_with_its_passage(name: str, language: str) -> None:
    _document, questions = shipped(name, language)
    kinds = [question.kind for question in questions]
    assert min(kinds.count(kind) for kind in ("plain", "paraphrase", "rare", "none")) >= 2
    for question in questions:
        shared = content(question.text, language) & content(question.passage, language)
        assert question.kind == "none" or bool(shared) == (question.kind != "paraphrase"), (
            question.question_id,
            shared,
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_rare_question_names_something_that_stands_in_one_paragraph_alone(name: str) -> None:
    document, questions = shipped(name, "en")
    for question in questions:
        if question.kind == "rare":
            names = re.findall(r"(?<=\s)[A-Z\d][\w.,-]*\w", question.text)
            holding = [
                [name in paragraph for paragraph in document.text.split("\n\n")].count(True) for name in names
            ]
            assert 1 in holding, (question.question_id, names)


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_ask_the_same_questions_about_the_same_sections(name: str) -> None:
    (english, asked), (korean, asked_too) = (shipped(name, language) for language in LANGUAGES)
    assert [(q.question_id, q.kind) for q in asked] == [(q.question_id, q.kind) for q in asked_too]
    assert [section.written for section in english.sections] == [s.written for s in korean.sections]

    def section(document: Document, question: Question) -> int:
        return next(n for n, s in enumerate(document.sections) if s.span[0] <= question.span[0] < s.span[1])

    for one, other in zip(asked, asked_too, strict=True):
        if one.answers:
            assert section(english, one) == section(korean, other), one.question_id


def test_the_dates_of_the_log_are_those_of_its_headings() -> None:
    months = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    english, korean = (shipped("ferry", language)[0] for language in LANGUAGES)
    for section in english.sections:
        day, month, year = section.title.split()
        assert section.written == date(int(year), months.index(month) + 1, int(day))
    for section in korean.sections:
        assert section.written == date(*map(int, re.findall(r"\d+", section.title)))
    assert [s.written for s in english.sections] == sorted(s.written for s in english.sections)


def test_sections_hold_the_text_below_the_title_and_say_when_each_character_was_written() -> None:
    document, _ = shipped("observatory", "en")
    text = document.text
    assert document.title == "Handbook of the Morrow Island Observatory"
    assert "".join(text[slice(*section.span)] for section in document.sections) == text[text.index("## ") :]
    assert document.written(text.index("Puffin")) == date(2031, 2, 14)
    assert document.written(0) == date(2031, 4, 1)


def test_a_piece_with_the_answer_made_false_differs_in_the_answer_alone() -> None:
    document, questions = shipped("observatory", "en")
    question = next(q for q in questions if q.question_id == "tanks")
    piece = document.text[question.span[0] - 40 : question.span[1] + 40]
    assert question.held_by(piece)
    assert question.falsified(piece).replace("9,100", "5,400") == piece
    with pytest.raises(ValueError, match="is not in"):
        question.falsified(piece[:-41])


def test_what_does_not_fit_its_document_is_refused() -> None:
    with pytest.raises(ValueError, match="1 sections, 2 dates"):
        read_document("x", "en", "# T\n\n## A\nb", "log", ["2031-01-01", "2031-01-02"])
    document = read_document("x", "en", "# T\n\n## A\nThe answer is b.", "log", ["2031-01-01"])
    twice = [{"id": "q", "kind": "plain", "question": "?", "answers": ["b"], "passage": "no", "planted": "c"}]
    with pytest.raises(ValueError, match="x: q"):
        read_questions(json.dumps(twice), document)

"""The words: short strings by gettext message id, lessons from Markdown files, both in the reader's language.

The language is the session's, looked up at each call; nothing is installed process-wide.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from playground.errors import N_, Message, PlaygroundError
from playground.ui.particles import with_particles
from playground.ui.state import language
from playground.ui.translations import localized, translations

__all__ = [
    "N_",
    "Lesson",
    "_",
    "as_code",
    "in_language",
    "lesson",
    "ngettext",
    "parse_lesson",
    "plain",
    "sentence",
]

_FORMATTER = string.Formatter()
_SIGNED_ZERO = re.compile(r"[+-]0(\.0*)?(e[+]00)?%?")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$:~@&^=])")
# What Streamlit looks for once Markdown has been read, when no backslash is left: addresses, :material/icon:,
# :emoji:, and arrows and signs with a space on both sides. A mark without width or line break parts them.
_FOUND_LATER = re.compile(
    r"(https?:(?=//)|www(?=\.)|@(?=[-\w])|:(?=material[/_]|[\w+-]+:)"
    r"|(?<![^\s\ufeff])[<>~-](?=(?:->|[->=])(?![^\s\ufeff])))",
    re.IGNORECASE,
)
_INDENT = re.compile(r"(?<=[\n\r])[ \t]+")
_EMBEDS, _ISOLATES = re.compile("[\u202a\u202b\u202d\u202e]"), re.compile("[\u2066-\u2068]")
WORD_JOINER = "\u2060"


@dataclass(frozen=True, slots=True)
class Lesson:
    """The texts of a page around its picture, in one language.

    Attributes:
        title: Name of the page.
        question: The one question the page answers.
        lead: At most 60 words before the picture.
        body: The longer explanation at the foot, Markdown.
        tasks: Task id -> what to do.
        explanations: Task id -> why the right answer is right, shown once it is found.
        take_away: One sentence to remember.
    """

    title: str
    question: str
    lead: str
    body: str
    tasks: Mapping[str, str]
    explanations: Mapping[str, str]
    take_away: str


class Template(str):
    """A string with places for values, which are written as the reader's language and every page write them.

    A share has a space before its sign (58.9 %), and a number that is shown as zero has no sign. In Korean,
    marks such as `[은/는]` stand for the particle that fits the word before.
    """

    __slots__ = ()

    def format(self, *args: object, **values: object) -> str:
        """Fill the values in and choose the particles; marks inside a value are left alone."""
        said = ""
        for literal, name, spec, conversion in _FORMATTER.parse(self):
            said = with_particles(said, literal)
            if name is None:
                continue
            field = name + (f"!{conversion}" if conversion else "")
            if spec and spec.endswith("%"):
                value, _key = _FORMATTER.get_field(name, args, values)
                said += share(value, spec)
            else:
                shown = f"{{{field}{f':{spec}' if spec else ''}}}".format(*args, **values)
                said += without_sign_of_zero(shown)
        return said


def share(part: float, spec: str = ".0%") -> str:
    """A part of a whole in per cent, as every page writes it; nothing has no sign.

    Args:
        part: 1 is the whole.
        spec: Python's format, which ends in `%`.

    Example:
        >>> share(0.589, ".1%"), share(1.0), share(-0.0004, "+.1%"), share(0.021, "+.1%")
        ('58.9 %', '100 %', '0.0 %', '+2.1 %')
    """
    return without_sign_of_zero(format(part, spec)).removesuffix("%") + " %"


def without_sign_of_zero(number: str) -> str:
    """A number as it is shown, without the sign of what rounds to zero; any other text as it is.

    Example:
        >>> [without_sign_of_zero(number) for number in ("-0.0%", "+0.000", "-0.01", "-0")]
        ['0.0%', '0.000', '-0.01', '0']
    """
    return number[1:] if _SIGNED_ZERO.fullmatch(number) else number


def _(msgid: str) -> str:
    """The short string `msgid` in the reader's language; `msgid` itself where there is no translation."""
    return in_language(language(), msgid)


def in_language(language: str, msgid: str) -> str:
    """The short string in a language of no session: for the server's own pages."""
    return _source(translations(language).gettext(msgid))


def ngettext(singular: str, plural: str, n: int) -> str:
    """The form of a short string that fits the number `n`, by the rule of the reader's catalogue."""
    return _source(translations(language()).ngettext(singular, plural, n))


def large(n: int) -> str:
    """A large number as it is said in the reader's language: 135 million, 1억 3,500만."""
    return large_in(language(), n)


def large_in(language: str, n: int) -> str:
    """As `large`, to the million; Korean counts in units of 10,000 (만) and of 100 million (억).

    Example:
        >>> large_in("en", 134_515_008), large_in("ko", 134_515_008)
        ('135 million', '1억 3,500만')
        >>> large_in("ko", 3_000_000), large_in("ko", 200_000_000), large_in("ko", 12_345)
        ('300만', '2억', '12,345')
    """
    if n < 1_000_000:
        return f"{n:,}"
    n_millions = round(n / 1_000_000)
    if language != "ko":
        return in_language(language, N_("{n:,} million")).format(n=n_millions)
    hundreds, rest = divmod(n_millions, 100)
    parts = [f"{hundreds:,}억" if hundreds else "", f"{rest * 100:,}만" if rest else ""]
    return " ".join(part for part in parts if part)


def sentence(said: Message | PlaygroundError) -> str:
    """A message of the engine or an error, in the reader's language: Markdown in which no value is Markdown.

    A value that is itself a message (a cure, a reason) is put into the language too, any other is shown as
    it is.
    """
    message = said.message if isinstance(said, PlaygroundError) else said
    return _(message.msgid).format(**{name: _shown(value) for name, value in message.params})


def _shown(value: str | int | float | Message) -> str | int | float:
    if isinstance(value, Message):
        return sentence(value)
    return plain(value) if isinstance(value, str) else value


def plain(text: str) -> str:
    r"""Write any text so that Streamlit's Markdown shows it as it is: no link, formula, icon or block.

    Example:
        >>> plain("![](x) :red[y]")
        '\\!\\[\\]\\(x\\) \\:red\\[y\\]'
        >>> plain("www.x") == "www" + WORD_JOINER + r"\.x"
        True
    """
    parted = _FOUND_LATER.sub(rf"\1{WORD_JOINER}", text)
    indented = _INDENT.sub(lambda spaces: "\u00a0" * len(spaces[0].expandtabs(4)), parted)
    return _MARKDOWN.sub(r"\\\1", indented) + _turned_back(text)


def _turned_back(text: str) -> str:
    """Marks that end each direction of writing a text begins, so that what stands after it is not turned."""
    embedded = "\u202c" * len(_EMBEDS.findall(text))
    isolates = "\u2069" * len(_ISOLATES.findall(text))
    return embedded + isolates + (embedded if isolates else "")


def strong(label: str) -> str:
    """A token set apart in a sentence; two stars alone would need a space before Hangul."""
    return f":blue[**{plain(label)}**]"


def as_code(label: str) -> str:
    """A token inside a sentence, as Markdown code in which nothing is read as Markdown."""
    return "`" + label.replace("`", "ˋ") + "`"


def lesson(name: str) -> Lesson:
    """The lesson of page `name` in the reader's language."""
    return _lesson(language(), name)


@lru_cache(maxsize=10_000)  # more strings than there are
def _source(msgid: str) -> str:
    return Template(msgid) if "{" in msgid else msgid


@lru_cache
def _lesson(language: str, name: str) -> Lesson:
    return parse_lesson(localized(language, "lessons", f"{name}.md").read_text("utf-8"))


def parse_lesson(markdown: str) -> Lesson:
    r"""Read a lesson: `# Title`, then `## question`, `lead`, `lesson`, `task <id>` ..., `take-away`.

    In a task, the lines that start with `>` are the explanation.

    Raises:
        KeyError: A heading is missing.

    Example:
        >>> lesson = parse_lesson("# T\n## question\nq?\n## lead\nl\n## lesson\nb\n"
        ...     "## task one\nDo it.\n> Because.\n## take-away\nend\n")
        >>> lesson.title, lesson.tasks["one"], lesson.explanations["one"]
        ('T', 'Do it.', 'Because.')
    """
    head, *parts = re.split(r"^## ", markdown, flags=re.MULTILINE)
    sections = {}
    for part in parts:
        name, _newline, body = part.partition("\n")
        sections[name.strip()] = body.strip()
    tasks = {name.removeprefix("task "): body for name, body in sections.items() if name.startswith("task ")}
    return Lesson(
        title=head.strip().removeprefix("# "),
        question=sections["question"],
        lead=sections["lead"],
        body=sections["lesson"],
        tasks=MappingProxyType({task: _lines(body, quoted=False) for task, body in tasks.items()}),
        explanations=MappingProxyType({task: _lines(body, quoted=True) for task, body in tasks.items()}),
        take_away=sections["take-away"],
    )


def _lines(body: str, *, quoted: bool) -> str:
    lines = [line for line in body.splitlines() if line.startswith(">") is quoted]
    return "\n".join(line.removeprefix(">").strip() if quoted else line for line in lines).strip()

"""A view: a page with all settings of its link."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from playground import navigation
from playground.errors import BadLink

MAX_LINK_CHARS: Final = 40_000  # 2,000 emoji in a link are four times three characters each
MAX_PARAMS: Final = 60
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NOT_SENT: Final = ("lang", "embed", "embed_options")  # everybody keeps their own language


@dataclass(frozen=True, slots=True)
class View:
    """A page and its settings.

    Attributes:
        page: Name of the page, as in `navigation`.
        params: (name, value) of each parameter of its link.
    """

    page: str
    params: tuple[tuple[str, str], ...] = ()

    @property
    def link(self) -> str:
        """The link of the view without server and base path, such as `/attention?att_layer=3`."""
        path = "/" if self.page == navigation.FIRST else f"/{self.page}"
        return path + (f"?{urlencode(self.params)}" if self.params else "")


def view_of(link: str, base_path: str = "") -> View:
    """The view that a link of this playground opens.

    Only the page and the settings are taken from it: wherever it points, nobody leaves this server. Values
    are checked by the fields that take them, as those of any link.

    Args:
        link: An address, or the end of one: `https://class.example/llm/attention?att_layer=3`.
        base_path: Path below which the playground is shown, "" or such as "/llm".

    Raises:
        BadLink: It is longer than a link of a view, or names no page.

    Example:
        >>> view_of("http://127.0.0.1:8501/attention?att_layer=3&lang=ko")
        View(page='attention', params=(('att_layer', '3'),))
        >>> view_of("/llm/?text=Hi", "/llm").link
        '/?text=Hi'
    """
    try:
        parts = urlsplit(link.strip())
        query = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=MAX_PARAMS)
    except ValueError as error:  # half a bracket, or more parameters than any view has
        raise BadLink(link=repr(link[:60])) from error
    path = parts.path.removeprefix(base_path) if parts.path.startswith(f"{base_path}/") else parts.path
    page = path.strip("/") or navigation.FIRST
    if len(link) > MAX_LINK_CHARS or page not in navigation.BY_NAME:
        raise BadLink(link=repr(link[:60]))
    known = {name: value for name, value in query if _NAME.fullmatch(name) and name not in _NOT_SENT}
    return View(page, tuple(known.items()))

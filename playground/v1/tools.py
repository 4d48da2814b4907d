"""Tools of a chat: told to the model in words, and called as JSON that can be nothing else.

A model that may call something writes `{"name": "add", "arguments": {...}}` by a JSON schema made of the
tools' own; where it may also answer, `{"answer": "..."}` is a second form, and it chooses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from playground.core.tokens import well_formed
from playground.engine.contract.constraints import Constraint
from playground.v1.fields import Fields
from playground.v1.forms import form
from playground.v1.refusals import Refused, bad_value

Json = dict[str, Any]
MAX_TOOLS: Final = 16
NAMES: Final = "1-64 letters, digits, - and _"
ANSWER: Final = "answer"
TOLD: Final = "You can call one of these tools:\n{tools}\nWrite only JSON: {forms}."
CALL: Final = '{"name": ..., "arguments": {...}} to call one'
OR_ANSWER: Final = ', or {"answer": "..."} to answer without one'


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the client has, and the model may ask for.

    Attributes:
        name: Its name.
        description: In words.
        parameters: JSON schema of its arguments.
    """

    name: str
    description: str
    parameters: Json


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools that one answer may call.

    Attributes:
        callable: Those it may call.
        may_answer: True if it may answer instead.
    """

    callable: tuple[Tool, ...]
    may_answer: bool

    @property
    def told(self) -> str:
        """The tools in words, for the model to read."""
        lines = [
            json.dumps(
                {"name": one.name, "description": one.description, "parameters": one.parameters},
                ensure_ascii=False,
            )
            for one in self.callable
        ]
        told = TOLD.format(tools="\n".join(lines), forms=CALL + (OR_ANSWER if self.may_answer else ""))
        return well_formed(told)

    @property
    def constraint(self) -> Constraint:
        """The form that an answer must have: a call of one of them, or also an answer."""
        definitions: Json = {}
        forms = [_call(number, tool, definitions) for number, tool in enumerate(self.callable)]
        if self.may_answer:
            forms.append(_object({ANSWER: {"type": "string"}}))
        schema = forms[0] if len(forms) == 1 else {"anyOf": forms}
        if definitions:
            schema = {**schema, "$defs": definitions}
        return form(schema)

    def read(self, text: str) -> tuple[str | None, list[Json]]:
        """(the answer, the calls) that a text says; one that is cut short is an answer in itself."""
        try:
            said = json.loads(text)
        except ValueError:
            return text, []
        if not isinstance(said, dict):
            return text, []
        if self.may_answer and isinstance(said.get(ANSWER), str):
            return said[ANSWER], []
        if said.get("name") not in {one.name for one in self.callable} or "arguments" not in said:
            return text, []
        arguments = json.dumps(said["arguments"])
        function = {"name": said["name"], "arguments": arguments}
        return None, [{"id": f"call_{uuid4().hex[:24]}", "type": "function", "function": function}]


def _object(properties: Json) -> Json:
    return {
        "type": "object", "properties": properties, "required": list(properties),
        "additionalProperties": False,
    }  # fmt: skip


def _call(number: int, tool: Tool, definitions: Json) -> Json:
    """The schema of a call; what the tool's own schema defines goes into `definitions`, named anew."""
    own = {name: f"{number}_{name}" for name in _definitions(tool.parameters)}
    for name, schema in _definitions(tool.parameters).items():
        definitions[own[name]] = _renamed(schema, own)
    parameters = {name: value for name, value in tool.parameters.items() if name not in _PLACES}
    return _object({"name": {"const": tool.name}, "arguments": _renamed(parameters, own)})


_PLACES: Final = ("$defs", "definitions")


def _definitions(schema: Json) -> Json:
    return {
        name: value
        for place in _PLACES
        if isinstance(schema.get(place), dict)
        for name, value in schema[place].items()
    }


def _renamed(value: Any, own: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    """The same schema, with its references to definitions by their new names."""
    if isinstance(value, list):
        return [_renamed(one, own) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _renamed(one, own) for name, one in value.items()}
    target = value.get("$ref")
    if isinstance(target, str):
        place, _slash, name = target.removeprefix("#/").partition("/")
        if place in _PLACES and name in own:
            found["$ref"] = f"#/$defs/{own[name]}"
    return found


def read_tools(fields: Fields) -> Tools | None:
    """The tools that a request allows; None if none may be called.

    Raises:
        Refused: One is not understood, or the chosen one is not among them.
    """
    given = fields.any("tools")
    fields.flag("parallel_tool_calls")  # one call an answer is among several
    if given is None:
        if fields.any("tool_choice") not in (None, "none", "auto"):
            raise Refused(400, "tool_choice needs tools: send them.", param="tool_choice", code="missing")
        return None
    if not isinstance(given, list) or not 0 < len(given) <= MAX_TOOLS:
        raise fields.refusal("tools", f"a list of 1-{MAX_TOOLS} tools")
    tools = tuple(_tools(given))
    if len({one.name for one in tools}) < len(tools):
        raise bad_value("tools", [one.name for one in tools], "a list of tools with different names")
    return _chosen(fields, tools)


def _tools(given: Sequence[Any]) -> Iterator[Tool]:
    for number, one in enumerate(given):
        where = f"tools[{number}]"
        if not isinstance(one, dict):
            raise bad_value(where, one, "an object with type and function")
        tool = Fields(one, ("type", "function"), where)
        tool.choice("type", "", ("function",))
        function = tool.object("function", ("name", "description", "parameters", "strict"))
        if function is None:
            raise bad_value(where, one, "an object with type and function")
        function.flag("strict")
        name = function.text("name")
        if not (
            0 < len(name) <= 64 and all(char.isascii() and (char.isalnum() or char in "-_") for char in name)
        ):
            raise function.refusal("name", NAMES)
        parameters = function.any("parameters")
        if parameters is None:
            parameters = _object({})
        if not isinstance(parameters, dict):
            raise function.refusal("parameters", "a JSON schema")
        yield Tool(name, function.text("description", ""), parameters)


def _chosen(fields: Fields, tools: tuple[Tool, ...]) -> Tools | None:
    choice = fields.any("tool_choice")
    if choice == "none":
        return None
    if choice in (None, "auto"):
        return Tools(tools, may_answer=True)
    if choice in ("required", "any"):
        return Tools(tools, may_answer=False)
    allowed = "none, auto, required, or the name of one of the tools"
    if not isinstance(choice, dict):
        raise fields.refusal("tool_choice", allowed)
    chosen = Fields(choice, ("type", "function"), "tool_choice")
    chosen.choice("type", "", ("function",))
    function = chosen.object("function", ("name",))
    name = "" if function is None else function.text("name")
    named = tuple(one for one in tools if one.name == name)
    if not named:
        raise bad_value("tool_choice", name, allowed)
    return Tools(named, may_answer=False)


def in_words(call: Any) -> str:  # noqa: ANN401 - whatever was sent
    """A call that an earlier answer made, as the model wrote it.

    Raises:
        Refused: It is none.
    """
    function = call.get("function") if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    if not isinstance(name, str) or not isinstance(arguments, str):
        raise bad_value("messages.tool_calls", call, "calls with function.name and function.arguments")
    return well_formed(f'{{"name": {json.dumps(name)}, "arguments": {arguments}}}')

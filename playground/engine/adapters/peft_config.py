"""adapter_config.json as peft reads it: what each key may say, which layers it means, their r and scaling.

Every key is looked up in one table of understood values; a key that is not in it must be off. So a variant of
LoRA that comes with a later peft is refused by its name instead of being read as plain LoRA.

Source:
    peft 0.21, `LoraConfig`, `check_target_module_exists`, `get_pattern_key` and `LoraLayer.update_layer`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from playground.core.files.encoding import one_line
from playground.engine.models.config_rules import shown
from playground.engine.models.patterns import BadPattern, Patterns
from playground.errors import AdapterSetting, BadFile, Message

ALL_LINEAR = "all-linear"
_MAX_ALPHA = 1e6
_WHOLE, _NUMBER = Message("a whole number of at least 1"), Message("a number other than 0")
_NAME, _NAMES, _LAYERS = Message("a text"), Message("names of modules"), Message("numbers of layers")
_PATTERN = Message("numbers by name of module")
_SHARE, _ANY = Message("a number from 0 to 1"), Message("a JSON object")


def refused(name: str, value: object, allowed: str | Message) -> AdapterSetting:
    """The error for a value that is not understood."""
    return AdapterSetting(name=one_line(name), value=shown(value), allowed=allowed)


# ---- what a value may be


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MAX_ALPHA


def is_whole(value: object, least: int = 1) -> bool:
    """True for a whole number that may be a size."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MAX_ALPHA


def _is_list(value: object, of: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(of(one) for one in value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_names(value: object) -> bool:
    return _is_text(value) or _is_list(value, _is_text)


def _is_layers(value: object) -> bool:
    is_layer = partial(is_whole, least=0)
    return is_layer(value) or _is_list(value, is_layer)


def _is_pattern(value: object, of: Callable[[object], bool]) -> bool:
    return value is None or (isinstance(value, dict) and all(of(one) for one in value.values()))


def is_off(value: object) -> bool:
    """True for a setting that is off."""
    return value is None or value is False or value in ("", [], {})


def _one_of(*values: object) -> tuple[Callable[[object], bool], str]:
    """Exactly these, `false` and 0 told apart."""
    told = [json.dumps(one) for one in values]
    return lambda value: json.dumps(value) in told, ", ".join(told)


def _or_null(is_allowed: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or is_allowed(value)


_FLAG = _one_of(False, True)
_TEXT = (_or_null(_is_text), _NAME)
_OBJECT = (_or_null(lambda value: isinstance(value, dict)), _ANY)
_NULL = _one_of(None)
_UNDERSTOOD: Mapping[str, tuple[Callable[[object], bool], str | Message]] = MappingProxyType(
    {
        # decide what is added
        "peft_type": _one_of("LORA"),
        "r": (is_whole, _WHOLE),
        "lora_alpha": (lambda value: _is_number(value) and value != 0, _NUMBER),
        "use_rslora": _FLAG,
        "rank_pattern": (partial(_is_pattern, of=is_whole), _PATTERN),
        "alpha_pattern": (partial(_is_pattern, of=_is_number), _PATTERN),
        "target_modules": (_is_names, _NAMES),
        "exclude_modules": (_or_null(_is_names), _NAMES),
        "layers_to_transform": (_or_null(_is_layers), _LAYERS),
        "layers_pattern": (_or_null(_is_names), _NAMES),
        "base_model_name_or_path": _TEXT,
        # decide how it began; these leave the base as it is
        "init_lora_weights": _one_of(True, False, "gaussian", "orthogonal", "eva", "mica"),
        "lora_dropout": (lambda value: _is_number(value) and 0 <= value <= 1, _SHARE),  # type: ignore[operator]
        # decide nothing: of the file, of training, or of a beginning that is not allowed above
        "task_type": _one_of(None, "CAUSAL_LM"),
        "bias": _one_of("none"),
        "fan_in_fan_out": _FLAG,  # peft looks at the layer itself
        "inference_mode": _FLAG,
        "ensure_weight_tying": _FLAG,  # of embeddings, which cannot be targets here
        "auto_mapping": _OBJECT,
        "runtime_config": _OBJECT,
        "revision": _TEXT,
        "peft_version": _TEXT,
        "megatron_core": _TEXT,
        "qalora_group_size": (is_whole, _WHOLE),
        "loftq_config": _OBJECT,
        "eva_config": _OBJECT,
        "corda_config": _OBJECT,
        "lora_ga_config": _OBJECT,
        # peft takes an empty object for these variants' defaults
        "arrow_config": _NULL,
        "kasa_config": _NULL,
        "monteclora_config": _NULL,
        "use_bdlora": _NULL,
        "velora_config": _NULL,
    }
)
_OFF = (is_off, "null, false")


@dataclass(frozen=True, slots=True)
class PeftConfig:
    """The settings of an adapter_config.json that matter here, with peft's defaults.

    Attributes:
        base: Name or path of the model it was trained on, "" where it does not say.
        r, lora_alpha, lora_dropout: Settings of layers without a pattern of their own.
        use_rslora: True if the scaling is lora_alpha / √r.
        target_modules: Names, each the end of a path, or a regular expression, or `all-linear`.
        exclude_modules: As `target_modules`, for layers that are left out.
        layers_to_transform: Numbers of the only layers that it changes; None for all.
        layers_pattern: Names of the lists that those numbers count in; none for any.
        rank_pattern, alpha_pattern: Regular expression -> value; the first that matches counts.
    """

    base: str
    r: int
    lora_alpha: float
    lora_dropout: float
    use_rslora: bool
    target_modules: str | frozenset[str]
    exclude_modules: str | frozenset[str]
    layers_to_transform: tuple[int, ...] | None
    layers_pattern: tuple[str, ...]
    rank_pattern: Mapping[str, int]
    alpha_pattern: Mapping[str, float]

    @classmethod
    def of(cls, data: bytes) -> PeftConfig:
        """Read the file.

        Raises:
            AdapterSetting: A value that is not understood.
            BadFile: The file is not a JSON object.
        """
        try:
            config = json.loads(data)
            if not isinstance(config, dict):
                raise BadFile(reason=Message("it is not a LoRA adapter."))
            _check(config)
        except (ValueError, RecursionError):  # what is read may still be too deep to be said
            raise BadFile(reason=Message("its adapter_config.json is not valid JSON.")) from None
        layers = config.get("layers_to_transform")
        return cls(
            base=config.get("base_model_name_or_path") or "",
            r=config.get("r", 8),
            lora_alpha=float(config.get("lora_alpha", 8)),
            lora_dropout=float(config.get("lora_dropout", 0)),
            use_rslora=config.get("use_rslora", False),
            target_modules=_names(config["target_modules"]),
            exclude_modules=_names(config.get("exclude_modules") or ()),
            layers_to_transform=(layers,) if isinstance(layers, int) else tuple(layers or ()) or None,
            layers_pattern=_listed(config.get("layers_pattern") or ()),
            rank_pattern=config.get("rank_pattern") or {},
            alpha_pattern=config.get("alpha_pattern") or {},
        )

    def rank_and_scaling(self, path: str, patterns: Patterns) -> tuple[int, float]:
        """The r of a layer, and the factor of its B·A: lora_alpha / r, or lora_alpha / √r.

        Raises:
            AdapterSetting: A pattern that cannot be used.
        """
        r = _of_first_match("rank_pattern", self.rank_pattern, path, patterns, self.r)
        alpha = _of_first_match("alpha_pattern", self.alpha_pattern, path, patterns, self.lora_alpha)
        return int(r), alpha / (math.sqrt(r) if self.use_rslora else r)

    def is_target(self, path: str, patterns: Patterns) -> bool:
        """True if the config names a module.

        Args:
            path: Path of the module in its model.
            patterns: Matcher of regular expressions.

        Raises:
            AdapterSetting: A pattern that cannot be used, or layers that are told in two ways.
        """
        if _is_named("exclude_modules", self.exclude_modules, path, patterns):
            return False
        if not _is_named("target_modules", self.target_modules, path, patterns):
            return False
        if self.layers_to_transform is None:
            return True
        if path in self.target_modules:  # peft heeds or ignores the numbers, by how many paths there are
            raise refused("layers_to_transform", self.layers_to_transform, "null")
        return _number(self.layers_pattern, path, patterns) in self.layers_to_transform


def _check(config: Mapping[str, Any]) -> None:
    """Refuse the first value that is not understood, the kind of adapter before all others."""
    given = {"peft_type": None, "target_modules": None, **config}
    for name, value in given.items():
        is_allowed, allowed = _UNDERSTOOD.get(name, _OFF)
        if not is_allowed(value):
            raise refused(name, value, allowed)
    by_number = config.get("layers_to_transform") is not None
    if config.get("layers_pattern") and not by_number:
        raise refused("layers_pattern", config["layers_pattern"], "null")
    if isinstance(config["target_modules"], str) and (by_number or config.get("layers_pattern") is not None):
        raise refused("target_modules", config["target_modules"], _NAMES)


def _names(value: str | Iterable[str]) -> str | frozenset[str]:
    return value if isinstance(value, str) else frozenset(value)


def _listed(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _is_named(key: str, names: str | frozenset[str], path: str, patterns: Patterns) -> bool:
    if isinstance(names, str):
        return _matched(key, names, partial(patterns.fullmatch, names, path)) is not None
    parts = path.split(".")
    return any(".".join(parts[first:]) in names for first in range(len(parts)))


def _of_first_match(
    key: str, values: Mapping[str, float], path: str, patterns: Patterns, default: float
) -> float:
    for pattern, value in values.items():
        if _matched(key, pattern, partial(patterns.match, rf"(.*\.)?({pattern})$", path)) is not None:
            return value
    return default


def _number(lists: tuple[str, ...], path: str, patterns: Patterns) -> int | None:
    """The number of the layer that a module is in, as peft reads it from the path."""
    for one in [rf"(?:^|.*?\.){name}" for name in lists] or [r".*?\.[^.]*"]:
        found = _matched("layers_pattern", one, partial(patterns.match, rf"{one}\.(?P<idx>\d+)\.", path))
        if found is not None:
            if found.group("idx") is None:  # a bar in it: peft fails here too
                raise refused("layers_pattern", one, _NAMES)
            return int(found.group("idx"))
    return None


def _matched(key: str, pattern: str, match: Callable[[], Any]) -> Any:  # noqa: ANN401
    try:
        return match()
    except BadPattern as error:
        raise refused(key, pattern, error.allowed) from None

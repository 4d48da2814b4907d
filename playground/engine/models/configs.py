"""Validates a model's config.json: keys that change a forward pass are listed, all others are rejected.

transformers ignores a key it does not know and computes something else than the model's makers meant.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from playground.core.files.encoding import one_line
from playground.engine.models.config_rules import (
    HARMLESS,
    OF_ANY_FAMILY,
    POSITIVE,
    ROPE_RULES,
    ROPES,
    SHARE,
    Rule,
    one_of,
    shown,
)
from playground.engine.models.families.family import Config, Family
from playground.engine.models.families.table import FAMILIES
from playground.errors import ConfigRefused, UnknownSetting, WrongArchitecture

LENGTH_DEPENDENT = frozenset({"dynamic", "longrope"})  # ropes whose angles change past a length


def check_config(model_id: str, config: Config, families: Collection[str]) -> None:
    """Refuse a config.json by the first key of which it is not known that the engine gets it right.

    Args:
        model_id: Id of the model.
        config: Content of the file.
        families: Values of `model_type` that may be, some of `FAMILIES`.

    Raises:
        WrongArchitecture: The model is of another family.
        ConfigRefused: A key that is known has a value that is not.
        UnknownSetting: A key is not known and not null.
    """
    name = config.get("model_type")
    if not isinstance(name, str) or name not in families:
        got = shown(name).strip('"')
        raise WrongArchitecture(model_id=model_id, got=got, allowed=", ".join(sorted(families)))
    family = FAMILIES[name]
    rules = {**OF_ANY_FAMILY, **family.rules}
    for key in family.required:
        if config.get(key) is None:
            rule = rules[key]
            raise ConfigRefused(model_id=model_id, key=key, value="null", allowed=rule.allowed)
    for key, value in config.items():
        if key in ("rope_parameters", "rope_scaling") and family.ropes:
            _check_ropes(model_id, key, value or {}, family)
        elif key in rules:
            _check(model_id, key, value, rules[key])
        elif value is not None and key not in HARMLESS | family.harmless:
            raise UnknownSetting(model_id=model_id, key=one_line(key), value=shown(value))
    for key, rule_of in family.dependent.items():
        if key in config:
            _check(model_id, key, config[key], rule_of(config))


def context_window(config: Config) -> int:
    """Largest number of tokens of a text; 0 where the model sets no limit.

    Past the length at which a sliding window begins to hide tokens, or the angles of a rotation change, what
    a decoder says of a text would depend on what is read beside it or in which pieces. So there it ends.

    Example:
        >>> qwen = {"model_type": "qwen3", "max_position_embeddings": 40960, "num_hidden_layers": 4}
        >>> qwen |= {"sliding_window": 4096, "max_window_layers": 2}
        >>> context_window(qwen | {"use_sliding_window": False})
        40960
        >>> context_window(qwen | {"use_sliding_window": True})
        4096
    """
    names = ("max_position_embeddings", "n_positions", "n_ctx")
    limits = [next((int(config[name]) for name in names if config.get(name)), 0)]
    family = FAMILIES.get(str(config.get("model_type")))
    if family is not None and family.ids_are_rows:
        limits[0] -= family.first_row(config)
    if family is not None and family.kind == "decoder" and (window := family.window(config)):
        limits.append(window)
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    if _rope_type(rope) == "longrope":
        name = "original_max_position_embeddings"
        limits.append(int(config.get(name) or rope.get(name) or limits[0]))
    return min(limits)


def _check(model_id: str, key: str, value: object, rule: Rule) -> None:
    if not rule.fits(value):
        raise ConfigRefused(model_id=model_id, key=key, value=shown(value), allowed=rule.allowed)


def _check_ropes(model_id: str, name: str, rope: object, family: Family) -> None:
    """One rotation; of a family with one for each type of layers that type's, under its name."""
    if not (family.has_ropes_by_layer and name == "rope_parameters" and isinstance(rope, dict)):
        _check_rope(model_id, name, rope, family)
        return
    for key, value in rope.items():
        if key not in ("full_attention", "sliding_attention"):
            raise UnknownSetting(model_id=model_id, key=one_line(f"{name}.{key}"), value=shown(value))
        _check_rope(model_id, f"{name}.{key}", value or {}, family)


def _check_rope(model_id: str, name: str, rope: object, family: Family) -> None:
    if not isinstance(rope, dict):
        raise ConfigRefused(model_id=model_id, key=name, value=shown(rope), allowed="{…}, null")
    kind = _rope_type(rope)
    _check(model_id, f"{name}.{'rope_type' if 'rope_type' in rope else 'type'}", kind, one_of(*family.ropes))
    _check(model_id, f"{name}.type", rope.get("type", kind), one_of(kind))
    needed, possible = ROPES[kind]
    for key in needed:
        _check(model_id, f"{name}.{key}", rope.get(key), ROPE_RULES.get(key, POSITIVE))
    for key, value in rope.items():
        if key == "partial_rotary_factor" and family.is_partly_rotated:
            _check(model_id, f"{name}.{key}", value, SHARE)
        elif key in (*needed, *possible, "rope_theta", "partial_rotary_factor"):
            _check(model_id, f"{name}.{key}", value, ROPE_RULES.get(key, POSITIVE))
        elif value is not None and key not in ("rope_type", "type"):
            raise UnknownSetting(model_id=model_id, key=one_line(f"{name}.{key}"), value=shown(value))


def _rope_type(rope: Config) -> Any:  # noqa: ANN401  (JSON)
    return rope.get("rope_type", rope.get("type", "default"))

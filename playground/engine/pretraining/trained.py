"""Models that runs from zero have made: of sessions, as files, as what every part of the engine uses."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from playground.engine.contract.models import Capability, CatalogueEntry, ModelInfo
from playground.engine.contract.pretraining import MODEL_PREFIX, PretrainedInfo, PretrainingSettings
from playground.engine.models.catalogue import CAPABILITIES_OF_KIND, KIND_OF_FAMILY
from playground.engine.models.families.table import FAMILIES
from playground.engine.models.loaded import LoadedModel, template_over
from playground.engine.models.loading import sizes_of
from playground.engine.models.owned import Departures, Owned
from playground.engine.models.tokenizing import TextTokenizer
from playground.engine.pretraining.bytes import tokenizer_files, tokenizer_folder
from playground.engine.pretraining.shapes import FAMILY_OF, config_of, empty_model, first_values
from playground.engine.pretraining.stacked import flat, named
from playground.errors import ModelGone, TooManyModels
from playground.settings import Settings

FACTS, WEIGHTS = "from_zero", "model.safetensors"


@dataclass(frozen=True, eq=False)
class PretrainedModel:
    """A model that was trained from random weights.

    Attributes:
        settings: Settings of its run.
        step, run: Steps it was trained, and number of its run in the session.
        numbers: Its weights, in the order of the library's parameters. Shape [number].
    """

    settings: PretrainingSettings
    step: int
    run: int
    numbers: Tensor

    def named(self, settings: PretrainingSettings, number: int) -> PretrainedModel:
        """The same, as learned by an equal run; it shares the memory."""
        return replace(self, settings=settings, run=number)

    def is_finite(self) -> bool:
        """True if all weights are numbers."""
        return bool(self.numbers.isfinite().all())

    @property
    def size_bytes(self) -> int:
        """Memory of the weights."""
        return self.numbers.nbytes

    def as_random(self) -> PretrainedModel:
        """The model as it was before the first step of its run."""
        values = first_values(empty_model(self.settings, is_traced=False), self.settings)
        return replace(self, step=0, numbers=flat(list(values.values())))

    def library_model(self, *, is_traced: bool = True) -> Any:  # noqa: ANN401  (transformers is untyped)
        """The library's model over these very weights, without gradients."""
        model = empty_model(self.settings, is_traced=is_traced)
        values = named(self.numbers, model)
        for name, parameter in model.named_parameters():
            parameter.data = values[name]
        return model.requires_grad_(False)

    def loaded(self, model_id: str, settings: Settings) -> LoadedModel:
        """The model as every part of the engine takes one."""
        model, objective = self.library_model(), self.settings.objective
        tokenizer = TextTokenizer(model_id, tokenizer_folder(settings.cache_dir, objective))
        info = self.model_info(model_id)
        return LoadedModel(
            self.entry(model_id), info, model, tokenizer, torch.device("cpu"), torch.float32,
            template_over(model),
        )  # fmt: skip

    # ---- what is told of it

    def entry(self, model_id: str) -> CatalogueEntry:
        """As an entry of the list of models."""
        family = FAMILY_OF[self.settings.objective]
        kind = KIND_OF_FAMILY[family]
        fills: set[Capability] = {"fill"} if self.settings.objective == "masked" else set()
        return CatalogueEntry(
            model_id, self.settings.name or model_id, kind, family,
            (CAPABILITIES_OF_KIND[kind] - FAMILIES[family].lacks) | fills, (), "", "", "embedded",
            self.size_bytes,
        )  # fmt: skip

    def model_info(self, model_id: str) -> ModelInfo:
        """Facts about it, as of a model in memory."""
        entry = self.entry(model_id)
        return ModelInfo(
            model_id, entry.name, entry.kind, entry.family, entry.capabilities, (), "", "", "ready",
            n_parameters=self.numbers.numel(), dtype="float32", device="cpu",
            **sizes_of(config_of(self.settings).to_dict()),
        )  # fmt: skip

    def info(self, model_id: str) -> PretrainedInfo:
        """Facts that readers see."""
        return PretrainedInfo(
            model_id, self.settings, self.step, self.run, self.numbers.numel(), self.size_bytes,
            self.entry(model_id), self.model_info(model_id),
        )  # fmt: skip

    # ---- files

    def file(self) -> bytes:
        """The weights with what is known of them, for another process."""
        facts = {"settings": asdict(self.settings), "step": self.step, "run": self.run}
        return save({"numbers": self.numbers}, {FACTS: json.dumps(facts, ensure_ascii=False)})

    def folder_as_zip(self) -> bytes:
        """A zip of a folder that transformers loads."""
        model = self.library_model()
        values = {name: value.contiguous() for name, value in model.state_dict().items()}
        kept = {id(value): name for name, value in reversed(values.items())}  # one name of tied weights
        files: dict[str, bytes | str] = {
            "config.json": config_text(self.settings),
            WEIGHTS: save({n: v.clone() for n, v in values.items() if kept[id(v)] == n}, {"format": "pt"}),
            **tokenizer_files(self.settings.objective),
        }
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(name), content)
        return packed.getvalue()


def config_text(settings: PretrainingSettings) -> str:
    """The config.json of a shape."""
    config = config_of(settings)
    config.architectures = [type(empty_model(settings, is_traced=False)).__name__]
    return str(config.to_json_string(use_diff=False))


def of_file(data: bytes) -> PretrainedModel:
    """A model from bytes that `PretrainedModel.file` made."""
    length = int.from_bytes(data[:8], "little")
    facts = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][FACTS])
    settings = PretrainingSettings(**facts["settings"])
    return PretrainedModel(settings, facts["step"], facts["run"], load(data)["numbers"])


class PretrainedTable:
    """Models from zero of all sessions: the `OwnModels` of the table of models. Safe between threads.

    Attributes:
        owned: Who has which.

    Args:
        settings: The limits.
        departures: The sessions that have left.
        on_orphan: Called when a model comes whose session has left meanwhile.
    """

    def __init__(self, settings: Settings, departures: Departures, on_orphan: Callable[[], None]) -> None:
        most = settings.max_pretrained_per_session
        self._settings = settings
        self._lock = threading.Lock()
        self._made: dict[str, Future[LoadedModel]] = {}
        self.owned = Owned[PretrainedModel](
            departures,
            lambda model: model.size_bytes,
            most=most,
            most_bytes=settings.max_pretrained_bytes,
            too_many=lambda: TooManyModels(limit=most),
            on_orphan=on_orphan,
            on_forget=self._forget,
            memory_of=lambda model: id(model.numbers),
        )

    def add(self, model: PretrainedModel, owner: str) -> str:
        """Keep a model; gives its id.

        Raises:
            TooManyModels, NoRoom.
        """
        return self.id_of(self.owned.add(model, owner))

    @staticmethod
    def id_of(key: str) -> str:
        """The model id of a kept thing."""
        return MODEL_PREFIX + key

    @staticmethod
    def key_of(model_id: str) -> str:
        """The id of the kept thing behind a model id; "" where it is none of ours."""
        return model_id.removeprefix(MODEL_PREFIX) if model_id.startswith(MODEL_PREFIX) else ""

    def get(self, model_id: str) -> PretrainedModel:
        """A model by its id.

        Raises:
            ModelGone: It is no longer here, or never was.
        """
        found = self.owned.get(self.key_of(model_id))
        if found is None:
            raise ModelGone(model_id=model_id)
        return found

    def load(self, model_id: str) -> Future[LoadedModel]:
        """The model as every part of the engine takes one; it shares the memory of what was learned.

        Raises:
            ModelGone: It is no longer here, or never was.
        """
        model = self.get(model_id)
        with self._lock:
            known = self._made.get(model_id)
            if known is None:
                known = self._made[model_id] = Future()
                try:
                    known.set_result(model.loaded(model_id, self._settings))
                except BaseException:
                    del self._made[model_id]
                    raise
            return known

    def _forget(self, key: str) -> None:
        self._made.pop(self.id_of(key), None)

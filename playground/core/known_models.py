"""Sizes and training tokens of known language models, as their makers have published them."""

from __future__ import annotations

from dataclasses import dataclass

from playground.core.scaling_laws import flops

TOKENS_PER_PARAMETER = 20  # about, as Hoffmann et al. 2022, table 3, spend it


@dataclass(frozen=True, slots=True)
class KnownModel:
    """Public facts of a model.

    Attributes:
        name: As its makers call it.
        year: Year of publication.
        n_parameters: Parameters.
        n_tokens: Tokens that it read in pre-training, repeats counted.
        source: The publication that says so.
        model_id: Catalogue id of a model that can be chosen here; "" for none.
    """

    name: str
    year: int
    n_parameters: float
    n_tokens: float
    source: str
    model_id: str = ""

    @property
    def ratio(self) -> float:
        """Training tokens per parameter."""
        return self.n_tokens / self.n_parameters

    @property
    def flops(self) -> float:
        """Operations of its training, about: 6 N D."""
        return flops(self.n_parameters, self.n_tokens)


KNOWN_MODELS = (
    KnownModel("GPT-3", 2020, 175e9, 300e9, "Brown et al. 2020, table 2.1"),
    KnownModel("Gopher", 2021, 280e9, 300e9, "Rae et al. 2021, sections 3.1 and 3.2"),
    KnownModel("MT-NLG", 2022, 530e9, 270e9, "Smith et al. 2022, section 3"),
    KnownModel("Chinchilla", 2022, 70e9, 1.4e12, "Hoffmann et al. 2022, section 4"),
    KnownModel("PaLM", 2022, 540e9, 780e9, "Chowdhery et al. 2022, section 3"),
    KnownModel(
        "Pythia 160M", 2023, 162.3e6, 300e9, "Biderman et al. 2023, table 1", "EleutherAI/pythia-160m",
    ),
    KnownModel("LLaMA 7B", 2023, 6.7e9, 1.0e12, "Touvron et al. 2023a, table 2"),
    KnownModel("LLaMA 65B", 2023, 65.2e9, 1.4e12, "Touvron et al. 2023a, table 2"),
    KnownModel("Llama 2 70B", 2023, 70e9, 2.0e12, "Touvron et al. 2023b, table 1"),
    KnownModel("TinyLlama", 2024, 1.1e9, 3.0e12, "Zhang et al. 2024, section 2"),
    KnownModel("Llama 3.1 8B", 2024, 8e9, 15e12, "Dubey et al. 2024, section 3"),
    KnownModel("Llama 3.1 405B", 2024, 405e9, 15.6e12, "Dubey et al. 2024, section 3"),
    KnownModel(
        "Qwen2.5 0.5B", 2024, 0.49e9, 18e12, "Qwen 2024, sections 2 and 3.1", "Qwen/Qwen2.5-0.5B-Instruct",
    ),
    KnownModel(
        "SmolLM2 135M", 2025, 134.5e6, 2e12, "Ben Allal et al. 2025, section 6",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
    ),
    KnownModel(
        "SmolLM2 360M", 2025, 361.8e6, 4e12, "Ben Allal et al. 2025, section 6",
        "HuggingFaceTB/SmolLM2-360M-Instruct",
    ),
    KnownModel("SmolLM2 1.7B", 2025, 1.71e9, 11e12, "Ben Allal et al. 2025, section 4"),
)  # fmt: skip


def known_model(model_id: str) -> KnownModel | None:
    """The facts of a model that can be chosen here, None where they are not listed."""
    return next((one for one in KNOWN_MODELS if one.model_id == model_id and model_id), None)

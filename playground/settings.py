"""One frozen `Settings`: the only reader of the environment, and the place where every limit lives."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import platformdirs
import psutil
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_DECODER = "HuggingFaceTB/SmolLM2-135M-Instruct"
DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"


class Settings(BaseSettings):
    """Everything a teacher may set, with `PLAYGROUND_<NAME>` in the environment.

    Example:
        >>> Settings(max_text_chars=10).max_text_chars
        10
    """

    model_config = SettingsConfigDict(env_prefix="PLAYGROUND_", frozen=True, extra="forbid")

    # server
    host: str = "127.0.0.1"
    port: int = Field(8501, ge=1, le=65535)
    class_password: SecretStr | None = None

    # models
    cache_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir("llm-playground")))
    default_model: str = DEFAULT_DECODER
    default_encoder: str = DEFAULT_ENCODER  # beside it on pages that compare; a BERT
    extra_models: tuple[str, ...] = ()  # the teacher's additions to the allow-list
    offline: bool = Field(False, validation_alias="HF_HUB_OFFLINE")
    hub_endpoint: str = Field(
        "https://huggingface.co", validation_alias="HF_ENDPOINT"
    )  # or a school's mirror
    device: str = "auto"  # auto, cpu, cuda, cuda:1, mps
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    torch_threads: int | None = None  # None: physical cores
    max_download_bytes: int = 4 * 2**30

    # limits of one request
    max_text_chars: int = 2_000
    max_tokens: int = 512
    max_tokens_all_heads: int = 64
    max_new_tokens: int = 128
    max_candidates: int = 64
    max_scored_texts: int = 1_024
    max_prompt_chars: int = 8_000  # of a prompt that a page builds; it is only scored
    max_prompt_tokens: int = 1_536
    max_tree_tokens: int = 2_560  # of texts that are scored together
    max_tree_bytes: int = 128 * 2**20  # of their keys and values
    max_continuations: int = 64
    max_beams: int = 8
    max_beam_tokens: int = 2_048  # of all beams together, text and writing: 94 MB of keys and values
    request_timeout_s: float = 60.0

    # limits of one upload
    max_upload_bytes: int = 2**20
    max_upload_rows: int = 500
    max_training_chars: int = 100_000

    # limits of one training run, and of all of them
    max_training_steps: int = 200
    max_training_tokens: int = 128  # of one text; the rest is cut off
    max_batch_size: int = 8
    max_batch_tokens: int = 512  # of one step of one run, if no text begins like another
    max_fused_tokens: int = 1_024  # of one step of all runs that share it: 2 GB of activations
    max_training_slots: int = 4  # runs at the same time; the others wait
    max_trainings_per_session: int = 3  # running and waiting
    max_training_s: float = 600.0  # of work on one run
    training_share: float = 0.2  # of the engine's time, while others wait
    max_adapters_per_session: int = 6
    max_adapter_bytes: int = 2**30
    max_adapter_file_bytes: int = 64 * 2**20  # of an uploaded adapter, unpacked
    adapter_grace_s: float = 600.0  # how long an adapter outlives its session

    # scheduler
    max_inbox: int = 256
    max_inbox_per_session: int = 4
    max_decode_rows: int = 32
    max_kept_caches: int = 8  # of beam searches and long scorings at the same time; the others wait
    prefill_chunk_tokens: int = 256
    trace_batch_tokens: int = 1_024
    linger_s: float = 0.002

    # memory
    cache_bytes: int = Field(default_factory=lambda: min(psutil.virtual_memory().total // 4, 2 * 2**30))
    model_bytes: int = Field(default_factory=lambda: psutil.virtual_memory().total // 2)

"""One frozen `Settings`: the only reader of the environment, and the place where every limit lives."""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import unicodedata
from pathlib import Path
from typing import Any, Literal

import platformdirs
import psutil
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict

from playground.errors import SetUpError
from playground.setting_limits import LimitsFromZero, LimitsOfEndpoint
from playground.setting_values import Count, Names, Seconds, Share, Size, allowed, is_shown

DEFAULT_DECODER = "HuggingFaceTB/SmolLM2-135M-Instruct"
DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
MULTILINGUAL_ENCODER = "intfloat/multilingual-e5-small"  # for texts that are not English
DATES_MODEL = "playground/dates-t5"  # reads dates, writes 2026-05-03; trained by our own script
PREFIX = "PLAYGROUND_"
MIN_PASSWORD_CHARS = 6


def _user_cache_dir() -> Path:
    try:
        return Path(platformdirs.user_cache_dir("llm-playground"))
    except RuntimeError as error:  # a service's account without a home folder
        raise SetUpError(
            reason="This account has no home folder for the models.",
            cure="Set PLAYGROUND_CACHE_DIR to a folder that it may write to.",
        ) from error


class Settings(LimitsFromZero, LimitsOfEndpoint):
    """Everything a teacher may set, with `PLAYGROUND_<NAME>` in the environment.

    Raises:
        SetUpError: A value is not allowed, or a `PLAYGROUND_` name is not known. One sentence: the variable,
            its value, what is allowed.

    Example:
        >>> Settings(max_text_chars=10).max_text_chars
        10
        >>> Settings(port=0)
        Traceback (most recent call last):
        playground.errors.base.SetUpError: PLAYGROUND_PORT is "0". Allowed is a whole number from 1 to 65,535.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    # server
    host: str = Field("127.0.0.1", pattern=r"^[\w.:-]+$", description="an address or a name of this machine")
    port: int = Field(8501, ge=1, le=65535)
    class_password: SecretStr | None = None
    teacher_password: SecretStr | None = None  # opens what a teacher does on the page Classroom
    base_path: str = Field(  # a proxy shows the playground below it
        "", pattern=r"^(/[A-Za-z0-9._~-]+)*$", description="a path without a slash at its end, such as /llm"
    )
    allowed_hosts: Names = ()  # names in the address line beside this machine's own; with a password: any
    trusted_proxies: Names = ()  # addresses whose X-Forwarded-For and X-Forwarded-Proto are believed
    max_sessions: int = Field(150, ge=1, le=10_000)  # open tabs, those that lost their connection too
    max_connections: int = Field(1_000, ge=16, le=60_000)  # of all readers together
    session_grace_s: Seconds = 600.0  # a closed laptop may sleep this long and still find its page
    request_head_s: Seconds = 20.0  # until a request has said what it wants; without a byte of its body
    request_s: Seconds = 600.0  # until a request, such as an upload, has its whole answer

    # models
    cache_dir: Path = Field(default_factory=_user_cache_dir)
    default_model: str = Field(DEFAULT_DECODER, min_length=1, description="a model's name")
    default_encoder: str = Field(  # beside it on pages that compare; a BERT
        DEFAULT_ENCODER, min_length=1, description="a model's name"
    )
    extra_models: Names = ()  # the teacher's additions to the allow-list
    offline: bool = Field(False, validation_alias="HF_HUB_OFFLINE")
    hub_endpoint: str = Field(  # or a school's mirror
        "https://huggingface.co",
        validation_alias="HF_ENDPOINT",
        pattern=r"^https?://[^\s/]+(/\S*)?$",
        description="an address such as https://huggingface.co",
    )
    hf_token: SecretStr | None = Field(None, validation_alias="HF_TOKEN")  # for models behind a licence
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|mps|cuda(:\d{1,3})?)$", description="auto, cpu, cuda, cuda:1 or mps"
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    torch_threads: int | None = Field(None, ge=1, le=1_024)  # None: physical cores
    max_download_bytes: Size = 4 * 2**30

    # replicas on Ray, instead of one engine in the server's process
    engine: Literal["local", "ray"] = "local"
    replicas: int = Field(2, ge=1, le=1_000)  # each a process with its models, threads, queue and caches
    gpus_per_replica: float = Field(0.0, ge=0, le=16)
    ray_address: str = Field(  # of a cluster that is joined; a head is started where there is none
        "", validation_alias="RAY_ADDRESS", pattern=r"^(auto|[\w.:\[\]-]+:\d{1,5})?$",
        description="an address such as 10.0.0.1:6379, or auto",
    )  # fmt: skip
    object_store_bytes: int = Field(512 * 2**20, ge=80 * 2**20, le=2**50)  # of a head of our own

    # limits of one request
    max_text_chars: Count = 2_000
    max_tokens: Count = 512
    max_tokens_all_heads: Count = 64
    max_logits_bytes: Size = 128 * 2**20  # of all positions of a text: 682 tokens of 49,152 logits
    max_masks: Count = 16  # of one text that are filled
    max_new_tokens: Count = 128
    max_stop_strings: Count = 8
    max_stop_chars: Count = 64  # of one of them
    max_followed_characters: Count = 8  # begun next characters, a forward pass each
    max_candidates: Count = 64
    max_scored_texts: Count = 1_024
    max_prompt_chars: Count = 8_000  # of a prompt that a page builds; it is only scored
    max_prompt_tokens: Count = 1_536
    max_tree_tokens: Count = 2_560  # of texts that are scored together
    max_tree_bytes: Size = 128 * 2**20  # of their keys and values
    max_measured_tokens: Count = 2_048  # of a text whose perplexity is measured in windows
    max_window_tokens: Count = 16_384  # of all its windows together
    max_windows: Count = 128
    max_continuations: Count = 64
    max_traces_together: Count = 16  # asked for at once, so that they share a forward
    max_beams: Count = 8
    max_beam_tokens: Count = 2_048  # of all beams together, text and writing: 94 MB of keys and values
    request_timeout_s: Seconds = 60.0  # without an answer while it is computed, or while nothing is
    queue_timeout_s: Seconds = 600.0  # without an answer while others have their turns

    # limits of one upload
    max_upload_bytes: Size = 2**20
    max_upload_rows: Count = 500
    max_session_upload_bytes: Size = 64 * 2**20  # of a session's files that no page has read yet
    max_all_upload_bytes: Size = 256 * 2**20  # of all sessions
    max_minimal_pairs: Count = 100  # minimal pairs of a file
    max_predictions: Count = 1_000  # of a file that is scored
    max_prediction_chars: Count = 1_000  # of one of their texts
    max_predicted_labels: Count = 30  # different ones, drawn as a confusion matrix
    max_training_chars: Count = 100_000

    # limits of documents that are looked up in
    max_document_bytes: Size = 5 * 2**20  # of a file
    max_document_pages: Count = 200
    max_document_chars: Count = 400_000
    max_pdf_s: Seconds = 30.0  # for reading one, in a process of its own
    max_pdf_memory_bytes: Size = 2**30  # of that process
    max_documents: Count = 12  # of a collection
    max_chunks: Count = 1_000  # of a collection: a minute of the encoder on two cores
    max_collections_per_session: Count = 2  # one that is searched, one that takes its place
    max_collection_bytes: Size = 256 * 2**20  # of all sessions
    shared_collection_bytes: Size = 32 * 2**20  # of documents that come with the playground
    known_vector_bytes: Size = 32 * 2**20  # vectors of chunks and queries that were computed
    max_hits: Count = 50  # chunks that a search gives

    # limits of the class's board of answers, of which there is one for each task and language
    max_board_answers: Count = 40  # of readers; the oldest leaves first
    max_board_answers_per_session: Count = 3
    max_board_chars: Count = 300  # of an answer
    max_board_votes: Count = 1_000  # for an answer
    board_age_s: Seconds = 14_400.0  # until an answer leaves

    # limits of a class, of which there is one for the process, and of its polls
    max_polls: Count = 20  # kept until the class ends; the oldest is forgotten first
    max_poll_options: Count = 6
    max_poll_chars: Count = 300  # of the text or question
    max_poll_option_chars: Count = 400
    max_poll_votes: Count = 1_000
    max_class_members: Count = 200  # students with a nickname
    class_release_s: Seconds = 300.0  # without a teacher, until training that rests goes on
    class_end_s: Seconds = 3_600.0  # without a teacher, until the class ends

    # limits of one training run, and of all of them
    max_training_steps: Count = 200
    max_training_tokens: Count = 128  # of one text; the rest is cut off
    max_batch_size: Count = 8
    max_batch_tokens: Count = 512  # of one step of one run, if no text begins like another
    max_fused_tokens: Count = 1_024  # of one step of all runs that share it: 2 GB of activations
    max_training_slots: Count = 4  # runs at the same time; the others wait
    max_trainings_per_session: Count = 3  # running and waiting
    max_training_s: Seconds = 600.0  # of work on one run
    training_share: Share = 0.2  # of the engine's time, while others wait
    training_share_beside_rest: Share = 0.5  # while only the rest of what readers see already waits
    max_adapters_per_session: Count = 6
    max_adapter_bytes: Size = 2**30
    max_adapter_file_bytes: Size = 64 * 2**20  # of an uploaded adapter, unpacked too; no upload is larger
    max_adapter_files: Count = 10_000  # in the same zip, also those that are ignored
    max_adapter_patterns_s: Seconds = 5.0  # for matching the regular expressions of its config
    adapter_grace_s: Seconds = 600.0  # how long an adapter or a network outlives its session

    # limits of a network that is trained from nothing on pairs
    max_pairs: Count = 8_000
    max_pair_chars: Count = 100  # of each side
    max_pair_alphabet: Count = 2_000  # different characters of each side
    max_pair_steps: Count = 3_000
    max_pair_batch: Count = 128
    max_pair_tokens: Count = 8_192  # of one step: 200 MB of activations
    max_hidden: Count = 256
    max_networks_per_session: Count = 8
    max_network_bytes: Size = 256 * 2**20
    network_cache_bytes: Size = 2**20  # of counts of what networks wrote exactly
    max_network_lengths: Count = 50  # that one request is measured at
    max_network_pairs: Count = 100  # of each length

    # limits of a task head on an encoder
    max_head_texts: Count = 1_000  # to learn from, and as many held-out ones
    max_head_labels: Count = 32
    max_head_answers: Count = 12_000  # of all texts of a run: 18 MB of vectors of 384 numbers
    max_head_steps: Count = 1_000  # of a head alone, whose texts are read once
    max_encoder_steps: Count = 300
    max_encoder_batch: Count = 32
    max_encoder_tokens: Count = 1_024  # of one step: 1.2 GB of activations of e5-small
    max_encoder_bytes: Size = 2**30  # of encoders in training, with gradients and moments: three e5-small
    max_heads_per_session: Count = 8
    max_head_bytes: Size = 512 * 2**20  # of those kept: six whole e5-small, or as many heads
    head_vector_bytes: Size = 32 * 2**20  # of vectors that several runs learn from

    # limits of a quantized copy of a model
    max_quantized_bytes: Size = 4 * 2**30  # of the copy, of which there is one at a time
    max_shown_weights: Count = 2**20  # of a matrix whose weights are drawn: 4 MB
    quantized_cache_bytes: Size = 16 * 2**20  # of results: some forty, of two distributions each

    # scheduler
    max_inbox: Count = 256
    max_inbox_per_session: Count = 4
    max_decode_rows: Count = 32
    max_kept_caches: Count = 8  # of beam searches and long scorings at the same time; the others wait
    prefill_chunk_tokens: Count = 256
    trace_batch_tokens: Count = 1_024
    later_tokens: Count = 1_024  # go before the next part of the rest of what its reader sees already
    max_debt_tokens: Count = 64  # that a session which comes back stands behind the others, whatever it had
    linger_s: float = Field(0.002, ge=0, le=1)

    # memory
    cache_bytes: int = Field(
        default_factory=lambda: min(psutil.virtual_memory().total // 4, 2 * 2**30), ge=0, le=2**50
    )
    model_bytes: Size = Field(default_factory=lambda: psutil.virtual_memory().total // 2)

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - the values of any field
        if unknown := _unknown_names():
            raise unknown
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _rejection(error.errors()[0]) from None  # the value may be the password

    @field_validator("cache_dir", mode="before")
    @classmethod
    def _is_a_folder(cls, value: object) -> object:
        if isinstance(value, str) and not value.strip():
            raise ValueError("a folder")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ValueError("addresses or networks, such as 127.0.0.1, 10.0.0.0/8") from error
        return value

    @field_validator("hf_token")
    @classmethod
    def _is_a_token(cls, value: SecretStr | None) -> SecretStr | None:
        token = "" if value is None else value.get_secret_value().strip()
        if not re.fullmatch(r"[!-~]*", token):  # it becomes a line of a request
            raise SetUpError(
                reason="HF_TOKEN is not an access token of the model hub.",
                cure="Allowed is one word of letters, digits and signs, such as hf_ and what follows it.",
            )
        return SecretStr(token) if token else None

    @field_validator("class_password", "teacher_password")
    @classmethod
    def _is_long_enough(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        shown = [] if value is None else [char for char in value.get_secret_value() if is_shown(char)]
        if value is not None and len(shown) < MIN_PASSWORD_CHARS:
            whose = "class" if info.field_name == "class_password" else "teacher's"
            raise SetUpError(
                reason=f"The {whose} password is too short: {len(shown)} characters.",
                cure=f"It needs at least {MIN_PASSWORD_CHARS} characters; spaces do not count.",
            )
        return value

    @model_validator(mode="after")
    def _tells_teachers_from_students(self) -> Settings:
        passwords = [one.get_secret_value() for one in (self.class_password, self.teacher_password) if one]
        if len(passwords) > len({unicodedata.normalize("NFC", one.strip()) for one in passwords}):
            raise SetUpError(
                reason="The teacher's password is the class password, which every student knows.",
                cure="Choose another one for teachers.",
            )
        return self

    @model_validator(mode="after")
    def _asks_others_for_a_password(self) -> Settings:
        if not is_loopback(self.host) and self.class_password is None:
            raise SetUpError(
                reason=f"Others could reach the playground on {self.host}, so it needs a class password.",
                cure="Write one into a file and add --password-file FILE",
            )
        return self


def is_loopback(host: str) -> bool:
    """True if only this machine can reach, or be reached by, `host`.

    Example:
        >>> [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "127.1.2.3", "0.0.0.0")]
        [True, True, True, True, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _variable(name: str) -> str:
    alias = Settings.model_fields[name].validation_alias if name in Settings.model_fields else None
    return str(alias or f"{PREFIX}{name.upper()}")


def _unknown_names() -> SetUpError | None:
    known = {_variable(name).removeprefix(PREFIX) for name in Settings.model_fields}
    for variable in sorted(map(str.upper, os.environ)):
        name = variable.removeprefix(PREFIX)
        if name == variable or name in known:
            continue
        close = difflib.get_close_matches(name, known, 1)
        cure = f"Did you mean {PREFIX}{close[0]}?" if close else "Take it out of the environment."
        return SetUpError(reason=f"{variable} is not a setting.", cure=cure)
    return None


def _rejection(error: ErrorDetails) -> SetUpError:
    """One sentence for the first error that pydantic found."""
    cause = error.get("ctx", {}).get("error")
    name = str(error["loc"][0]) if error["loc"] else ""
    fields = {_variable(field): info for field, info in Settings.model_fields.items()}
    variable = name if name in fields else _variable(name)
    if variable not in fields:
        return SetUpError(reason=f"{name} is not a setting.", cure="Settings are in playground/settings.py.")
    words = str(cause) if cause else allowed(fields[variable])
    return SetUpError(reason=f'{variable} is "{error["input"]}".', cure=f"Allowed is {words}.")

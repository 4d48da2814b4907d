"""Limits of a kind of training that are settings as all others; apart only because `settings` is long."""

from __future__ import annotations

from pydantic_settings import BaseSettings

from playground.setting_values import Count, Size


class LimitsOfEndpoint(BaseSettings):
    """The endpoint `/v1`, and its limits; what one request may ask is bounded as on the pages."""

    endpoint: bool = False  # on while no teacher has begun a class, who switches it on the page Classroom
    max_endpoint_running: Count = 16  # requests that are computed at the same time, a thread each
    max_endpoint_running_per_key: Count = 2  # of `max_inbox_per_session`: the page has places too
    max_endpoint_open: Count = 128  # requests that are computed or wait
    max_endpoint_open_per_key: Count = 32
    max_endpoint_bytes: Size = 2**20  # of the body of a request


class LimitsFromZero(BaseSettings):
    """Limits of a Transformer that is trained from random weights."""

    max_pretraining_steps: Count = 2_000
    max_pretraining_batch: Count = 64
    max_pretraining_windows: Count = 60_000  # of a text, with all draws of their masks
    max_pretraining_window: Count = 256
    max_pretraining_tokens: Count = 8_192  # of one step of one run
    max_pretraining_parameters: Count = 1_000_000
    max_pretrained_per_session: Count = 6
    max_pretrained_bytes: Size = 256 * 2**20

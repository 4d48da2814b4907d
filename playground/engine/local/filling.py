"""Masks filled by the models of this process: of one text, or of each of its tokens in turn."""

from __future__ import annotations

from collections.abc import Iterator

from playground.engine.contract.filling import Filled, FillRequest
from playground.engine.forward.filling import FillWork, each_masked
from playground.engine.local.ask import Ask, Backend
from playground.engine.local.checks import RequestChecks, check_places
from playground.engine.models.continuations import Ids
from playground.engine.models.loaded import LoadedModel
from playground.errors import BadValue, EmptyText, Message, NoMask, TooManyMasks, Unsupported
from playground.settings import Settings


def fill(ask: Ask, backend: Backend, request: FillRequest) -> Filled:
    """The distribution at every mask of the text; equal questions that wait share one computation."""
    loaded = ask.loaded
    ids, mask_id, asked = _checked(backend.checks, request, loaded, backend.settings)
    positions = request.positions or tuple(place for place, token in enumerate(ids) if token == mask_id)
    if not positions:
        raise NoMask(mask=loaded.tokenizer.token_texts([mask_id])[0])
    limit = backend.settings.max_tokens_all_heads if request.positions else backend.settings.max_masks
    if len(positions) > limit:
        raise TooManyMasks(limit=limit, got=len(positions))
    positions = check_places(positions, len(ids))
    places = tuple((0, place) for place in positions)
    work = FillWork(loaded, ids, (ids,), places, (asked,) * len(places), request.n_top, len(places))
    return _computed(ask, backend, work, len(ids))


def fill_each(ask: Ask, backend: Backend, request: FillRequest) -> Iterator[Filled]:
    """The distribution at every token, each masked alone, some at a time."""
    loaded, settings = ask.loaded, backend.settings
    ids, mask_id, asked = _checked(backend.checks, request, loaded, settings)
    backend.checks.check_all_heads(len(ids))
    left = {mask_id, *loaded.tokenizer.encode("")}  # an unknown piece is a special token, and masked
    positions = [place for place, token in enumerate(ids) if token not in left]
    if not positions:
        raise EmptyText
    chunk = settings.prefill_chunk_tokens
    for work in each_masked(loaded, ids, positions, mask_id, asked, request.n_top, chunk):
        yield _computed(ask, backend, work, len(ids) * len(work.rows))


def _computed(ask: Ask, backend: Backend, work: FillWork, n_tokens: int) -> Filled:
    """The result of a piece of work, computed once for all who ask the same."""
    info = ask.loaded.info
    is_read_as_it_stands = work.rows == (work.text,)
    key = (
        "fill", info.model_id, info.revision, work.text, is_read_as_it_stands, work.places, work.token_ids,
        work.n_top,
    )  # fmt: skip
    known = backend.cache.get(key)
    if isinstance(known, Filled):
        return known
    filled = ask.compute(work, n_tokens, key=key)
    backend.cache.put(key, filled)
    return filled


def _checked(
    checks: RequestChecks, request: FillRequest, loaded: LoadedModel, settings: Settings
) -> tuple[Ids, int, Ids]:
    """Token ids of the text, the mask, and the tokens that are asked about.

    Raises:
        Unsupported: The model cannot fill masks, or its files do not name one.
        InputError: The text or a setting cannot be.
    """
    mask_id = loaded.tokenizer.mask_id
    if mask_id is None or "fill" not in loaded.info.capabilities:
        raise Unsupported(model_id=loaded.info.model_id, capability=Message("masked-token prediction"))
    checks.check_n_top(request.n_top)
    most = settings.max_candidates
    if len(request.token_ids) > most:
        raise BadValue(name="token_ids", value=len(request.token_ids), allowed=f"0-{most}")
    ids = checks.input_ids(request, loaded, lambda text: loaded.tokenizer.tokenize_masked(text).input_ids)
    return ids, mask_id, checks.known_ids(request.token_ids, loaded)

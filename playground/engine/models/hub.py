"""Download of an allowed model from the model hub: checked first, safetensors only, whole or not there.

Two routes of the hub are used, `/api/models/<id>/revision/<revision>` and `/<id>/resolve/<commit>/<file>`,
through the standard library: what comes over the wire is then countable, resumable and can be stopped.
"""

from __future__ import annotations

import http.client
import json
import math
import re
import shutil
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

import certifi

from playground.engine.contract.models import CatalogueEntry
from playground.engine.models.catalogue import families_of
from playground.engine.models.configs import check_config
from playground.engine.models.whole_folder import METADATA, origin, sha256_of, whole_folder
from playground.errors import (
    HubAnswered,
    HubBusy,
    HubUnreachable,
    HubUntrusted,
    LicenceNotAccepted,
    Message,
    ModelNotFound,
    ModelTooLarge,
    NoHub,
    NoSafetensors,
    NoTokenizer,
    NotOnHub,
    TokenRefused,
    WrongBytes,
)
from playground.settings import Settings

_TIMEOUT_S = 20.0  # for a connection, and without a byte
_SLOW_S = 60.0  # a hub may be slower than the least pace
_LEAST_BYTES_S = 1_000  # then it is given up: a loader that waits for drops loads no other model
_CHUNK_BYTES = 256 * 1024
_MAX_JSON_BYTES = 8 * 2**20
_WEIGHTS = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors")
_WANTED = {
    "config.json", "generation_config.json", "model.safetensors.index.json", "tokenizer.json",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
    "vocab.json", "merges.txt", "vocab.txt", "spiece.model", "sentence_bert_config.json",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    size_bytes: int
    sha256: str | None  # of large files only


def download(
    entry: CatalogueEntry, folder: Path, settings: Settings, progress: Callable[[Message, float], None]
) -> None:
    """Bring a model of the hub into `folder`; does nothing when it is there.

    Args:
        entry: Entry of the model in the catalogue.
        folder: Folder for the finished model.
        settings: The hub's address and the size limit.
        progress: Told after every 256 kB at most: the megabytes and the share, 0..1. What it raises stops the
            download; the bytes that have come are used by the next attempt.

    Raises:
        HubUnreachable: No connection, or it broke off.
        HubUntrusted, HubBusy, HubAnswered, NoHub: The hub, or what stands in its place, gives no file.
        NotOnHub: The hub does not have it, or not for everybody.
        LicenceNotAccepted, TokenRefused: The hub gives it to certain accounts only.
        ModelRefused: Its family, config.json, size or files are not accepted; before the download.
        WrongBytes: A file is not the one that the hub announced; it is thrown away.
        DiskFull, CannotWrite: Before or while writing.
    """
    with _hub_errors(entry, settings):
        commit, files = _listing(entry, settings)
        _check(entry, files, settings)
        _check_architecture(entry, commit, settings)
    total = sum(file.size_bytes for file in files)
    with whole_folder(folder, total, keep_partial=True) as partial:
        if partial is None:
            return
        _forget_other_commit(partial, commit)
        done = 0
        for file in files:

            def tell(here: int, before: int = done) -> None:
                progress(_megabytes(before + here, total), (before + here) / total)

            with _hub_errors(entry, settings):
                _fetch(f"{_files_url(entry, commit, settings)}/{file.name}", file, partial, settings, tell)
            if not _is_as_announced(partial / file.name, file):
                (partial / file.name).unlink()
                raise WrongBytes(model_id=entry.model_id, file=file.name)
            done += file.size_bytes


def _megabytes(here: int, total: int) -> Message:
    return Message("{here:,} / {total:,} MB", (("here", here // 10**6), ("total", total // 10**6)))


def _listing(entry: CatalogueEntry, settings: Settings) -> tuple[str, list[_File]]:
    """(commit, the files we want), as the hub lists them."""
    revision = quote(entry.revision, safe="")
    url = f"{_endpoint(settings)}/api/models/{entry.model_id}/revision/{revision}"
    listing = _get_json(f"{url}?blobs=true", settings)
    try:
        files = [
            _File(name, int(sibling["size"]), (sibling.get("lfs") or {}).get("sha256"))
            for sibling in listing["siblings"]
            if (name := sibling["rfilename"]) in _WANTED or _WEIGHTS.fullmatch(name)
        ]
        return str(listing["sha"]), files
    except (KeyError, TypeError, ValueError) as error:
        raise _no_hub(url) from error


def _check(entry: CatalogueEntry, files: list[_File], settings: Settings) -> None:
    names = {file.name for file in files}
    if not any(_WEIGHTS.fullmatch(name) for name in names):
        raise NoSafetensors(model_id=entry.model_id)
    if "tokenizer.json" not in names:
        raise NoTokenizer(model_id=entry.model_id)
    total = sum(file.size_bytes for file in files)
    if total > settings.max_download_bytes:
        raise ModelTooLarge(
            model_id=entry.model_id, got_mb=total // 10**6, limit_mb=settings.max_download_bytes // 10**6
        )


def _check_architecture(entry: CatalogueEntry, commit: str, settings: Settings) -> None:
    config = _get_json(f"{_files_url(entry, commit, settings)}/config.json", settings)
    check_config(entry.model_id, config, families_of(entry))


def _forget_other_commit(partial: Path, commit: str) -> None:
    """Files of an interrupted download count only if they are of the same commit."""
    if origin(partial).get("revision") != commit:
        shutil.rmtree(partial)
        partial.mkdir()
        (partial / METADATA).write_text(json.dumps({"revision": commit, "source": "hub"}), "utf-8")


def _fetch(url: str, file: _File, partial: Path, settings: Settings, tell: Callable[[int], None]) -> None:
    """One file, from where an earlier attempt stopped."""
    path = partial / file.name
    have = path.stat().st_size if path.is_file() else 0
    if have > file.size_bytes or file.sha256 is None:
        have = 0
    if have < file.size_bytes or file.size_bytes == 0:
        with _open(url, settings, {"Range": f"bytes={have}-"} if have else {}) as response:
            have = have if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
            with path.open("ab" if have else "wb") as target:
                for chunk in _chunks(response):
                    target.write(chunk)
                    have += len(chunk)
                    tell(have)
    if have < file.size_bytes:  # it is continued next time
        raise http.client.IncompleteRead(b"", file.size_bytes - have)
    tell(file.size_bytes)


def _is_as_announced(path: Path, file: _File) -> bool:
    return path.stat().st_size == file.size_bytes and file.sha256 in (None, sha256_of(path))


def _files_url(entry: CatalogueEntry, commit: str, settings: Settings) -> str:
    return f"{_endpoint(settings)}/{entry.model_id}/resolve/{commit}"


def _endpoint(settings: Settings) -> str:
    return settings.hub_endpoint.rstrip("/")


def _get_json(url: str, settings: Settings) -> dict[str, Any]:
    with _open(url, settings, {}) as response:
        content = b"".join(_chunks(response, _MAX_JSON_BYTES))
    try:
        return dict(json.loads(content))
    except (ValueError, TypeError) as error:
        raise _no_hub(url) from error


def _chunks(response: http.client.HTTPResponse, most: float = math.inf) -> Iterator[bytes]:
    """Bytes as they come, so that it can be stopped at any pace; not more than `most`.

    Raises:
        TimeoutError: It comes drop by drop.
    """
    began, n_bytes = time.monotonic(), 0
    while n_bytes < most and (chunk := response.read1(_CHUNK_BYTES)):
        n_bytes += len(chunk)
        if n_bytes < (time.monotonic() - began - _SLOW_S) * _LEAST_BYTES_S:
            raise TimeoutError
        yield chunk


def _no_hub(url: str) -> NoHub:
    """Raise `NoHub`: something else answers there, most likely a log-in page of the network."""
    parts = urlsplit(url)
    return NoHub(address=f"{parts.scheme}://{parts.netloc}")


@contextmanager
def _open(url: str, settings: Settings, headers: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
    request = Request(url, headers={"User-Agent": "llm-playground", **headers})
    if settings.hf_token is not None:
        token = settings.hf_token.get_secret_value()
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    with _opener().open(request, timeout=_TIMEOUT_S) as response:
        yield response


class _SameHost(HTTPRedirectHandler):
    """Redirects that take the token along to the hub itself, but not to the stores that hold its files."""

    def redirect_request(self, req: Request, *args: Any, **kwargs: Any) -> Request | None:  # noqa: ANN401
        """The next request."""
        following = super().redirect_request(req, *args, **kwargs)
        token = req.unredirected_hdrs.get("Authorization")
        if following is not None and token and _origin(following.full_url) == _origin(req.full_url):
            following.add_unredirected_header("Authorization", token)
        return following


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


@cache
def _opener() -> OpenerDirector:
    return build_opener(HTTPSHandler(context=_certificates()), _SameHost)


def _certificates() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())  # besides the system's: some Pythons have none
    return context


@contextmanager
def _hub_errors(entry: CatalogueEntry, settings: Settings) -> Iterator[None]:
    """Say what the library's exceptions mean: what the hub answered, or why not. A full disk passes."""
    model_id = entry.model_id
    try:
        yield
    except HTTPError as error:
        error.close()
        if error.code in (401, 403) and _origin(error.url) == _origin(_endpoint(settings)):
            raise _no_access(entry, settings, error) from error
        if error.code == http.HTTPStatus.NOT_FOUND:
            raise NotOnHub(model_id=model_id, status=404) from error
        if error.code == http.HTTPStatus.TOO_MANY_REQUESTS:
            raise HubBusy(model_id=model_id) from error
        raise HubAnswered(model_id=model_id, status=error.code) from error
    except (URLError, ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException) as error:
        cause = error.reason if isinstance(error, URLError) else error
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise HubUntrusted(reason=cause.verify_message) from error
        raise HubUnreachable(model_id=model_id) from error


def _no_access(entry: CatalogueEntry, settings: Settings, error: HTTPError) -> ModelNotFound:
    """The hub answers so for a licence, for a token, and also for a model that it does not have."""
    page = f"{_endpoint(settings)}/{entry.model_id}"
    if settings.hf_token is not None:
        return TokenRefused(model_id=entry.model_id, page=page, status=error.code)
    if entry.is_gated or error.headers.get("X-Error-Code") == "GatedRepo":
        return LicenceNotAccepted(model_id=entry.model_id, page=page)
    return NotOnHub(model_id=entry.model_id, status=error.code)

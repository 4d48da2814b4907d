"""Finds the files of the adapter in a zip: in a whole training folder, those of its top folder.

    out/adapter_config.json           <- this one
    out/adapter_model.safetensors     <- and this one
    out/training_args.bin             ignored, by name
    out/checkpoint-10/adapter_...     ignored, by name

Nothing is written to disk and nothing but these files is unpacked, whatever else is there.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from playground.core.files.encoding import one_line
from playground.engine.contract.adapters import CARD, SCRIPT
from playground.errors import BadFile, Message, TwoAdapters
from playground.settings import Settings

CONFIG, WEIGHTS, PICKLED = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"
_ENTRY = b"PK\x01\x02"  # begins each entry of a zip's list of contents
_ENCRYPTED = 1
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # these two are unpacked only as far as they are read
_MAX_CONFIG_BYTES = 2**17
_MAX_CARD_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class PeftFolder:
    """The files of one adapter.

    Attributes:
        config: adapter_config.json.
        weights: adapter_model.safetensors.
        card: run_card.json as this app writes it, empty where there is none.
        ignored: Names of all other files, as a sentence may name them, but for the script that this app puts
            beside its run card: it is for people.
    """

    config: bytes
    weights: bytes
    card: bytes
    ignored: tuple[str, ...]


def unpacked(data: bytes, settings: Settings) -> PeftFolder:
    """The adapter nearest to the top of a zip.

    Raises:
        TwoAdapters: Two adapters are equally near.
        BadFile: There is no adapter, it is pickled, encrypted or too large, or the file is not a zip.
    """
    if data.count(_ENTRY) > settings.max_adapter_files:
        raise BadFile(reason=Message("it holds too many files. Zip the folder of one adapter alone."))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as whole:
            members = {
                PurePosixPath(one.filename.replace("\\", "/")): one
                for one in whole.infolist()
                if not one.is_dir()
            }
            top = _top(members)
            used = {
                CONFIG: _limited(whole, members[top / CONFIG], _MAX_CONFIG_BYTES),
                WEIGHTS: _limited(whole, members[top / WEIGHTS], settings.max_adapter_file_bytes),
            }
            card = members.get(top / CARD)
            if card is not None and card.file_size <= _MAX_CARD_BYTES:
                used[CARD] = _limited(whole, card, _MAX_CARD_BYTES)
    except (
        zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError,
        IndexError,  # a file without a name
    ):  # fmt: skip
        raise BadFile(reason=Message("it is not a zip file that can be unpacked.")) from None
    taken = {top / name for name in (*used, *((SCRIPT,) if CARD in used else ()))}
    ignored = tuple(one_line(str(path)) for path in members if path not in taken)
    return PeftFolder(used[CONFIG], used[WEIGHTS], used.get(CARD, b""), ignored)


def _top(members: Mapping[PurePosixPath, zipfile.ZipInfo]) -> PurePosixPath:
    """The folder of the adapter with the fewest parts."""
    folders = [
        path.parent
        for path in members
        if path.name == CONFIG and (path.parent / WEIGHTS in members or path.parent / PICKLED in members)
    ]
    if not folders:
        if any(path.name == PICKLED for path in members):
            raise BadFile(
                reason=Message("it has pickled weights, which can run foreign code. Save safetensors.")
            )
        raise BadFile(reason=Message("it has no adapter_config.json with an adapter_model.safetensors."))
    nearest = min(len(path.parts) for path in folders)
    first, *others = [path for path in folders if len(path.parts) == nearest]
    if others:
        raise TwoAdapters(first=one_line(str(first)), second=one_line(str(others[0])))
    if first / WEIGHTS not in members:
        raise BadFile(reason=Message("it has pickled weights, which can run foreign code. Save safetensors."))
    return first


def _limited(whole: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> bytes:
    if member.flag_bits & _ENCRYPTED:
        raise BadFile(reason=Message("it is encrypted. Zip it without a password."))
    if member.compress_type not in _PACKED:
        raise BadFile(reason=Message("it is packed in an unusual way. Zip it with deflate, the usual one."))
    if member.file_size > max_bytes:
        raise BadFile(reason=Message("it is too large."))
    with whole.open(member) as file:
        return file.read(member.file_size)

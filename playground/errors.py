"""The exception tree. Every leaf is one sentence for the reader: what, which value, what to do.

PlaygroundError
 +- InputError            the reader can change the input
 |   +- EmptyText
 |   +- TextTooLong       limit, got (characters)
 |   +- TooManyTokens     limit, got
 |   +- BadValue          name, value, allowed
 |   +- BadUpload         row, reason
 |   |   +- WrongFieldCount   row, got, expected
 |   +- BadFile           reason
 |   |   +- TwoAdapters       first, second
 |   |   +- AdapterSetting    name, value, allowed
 |   |   +- AdapterMisfit     tensor, model, base, reason
 |   |   +- AdapterShape      tensor, model, base, got, needed
 |   +- Question
 |   |   +- OtherBase         base, model
 |   |   +- UnclearEncoding   encodings
 |   |   +- FileTooLarge      name, got_mb, limit_mb
 |   |   +- WrongFileType     name, allowed
 |   +- TooManyAdapters   limit
 |   +- TooManyRuns       limit
 +- ModelError            the model cannot do it
 |   +- ModelNotFound     model_id, cure
 |   |   +- NotOnHub      model_id, status
 |   +- Unsupported       model_id, capability
 |   +- OutOfMemory
 |   +- NotComputed
 |   +- NotFinite         model_id
 |   +- ModelDamaged      model_id, cure
 |   +- HubUnreachable    model_id
 |   +- HubUntrusted      reason
 |   +- HubBusy           model_id
 |   +- HubAnswered       model_id, status
 |   +- NoHub             address
 |   +- WrongBytes        model_id, file
 |   +- AdapterGone       model_id
 |   +- Diverged          step
 |   +- ModelRefused      WrongArchitecture, ConfigRefused, UnknownSetting, WrongConfig,
 |                        WrongWeights, ModelTooLarge, NoSafetensors, NoTokenizer
 +- BusyError             later it can
 |   +- QueueFull         position
 |   +- TimedOut          seconds
 |   +- NoRoom
 |   +- Cancelled
 |       +- Superseded
 +- SetUpError            reason, cure (command line)
 |   +- DiskFull          needed_mb, free_mb
 |   +- CannotWrite       reason
 |   +- FileLimit         needed_mb
 |   +- EngineFailed      error
 +- MissingExtra          package, cure

`msgid` is the English sentence and the gettext key; `params` fills its braces, so the page can say the
same sentence in the reader's language: `_(error.msgid).format(**error.params)`.
"""

from __future__ import annotations

from typing import ClassVar


def N_(msgid: str) -> str:
    """Mark a string for translation; whoever shows it translates it."""
    return msgid


class PlaygroundError(Exception):
    """Base of everything shown to the reader as one sentence."""

    msgid: ClassVar[str] = N_("Something went wrong.")

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.msgid.format(**params))


class InputError(PlaygroundError):
    """The reader can change the input."""


class EmptyText(InputError):
    """There is no text to work on."""

    msgid = N_("The text is empty: type a sentence or pick an example.")


class TextTooLong(InputError):
    """Params: limit, got (characters)."""

    msgid = N_("The text has {got:,} characters and the limit is {limit:,}: shorten it.")


class TooManyTokens(InputError):
    """Params: limit, got."""

    msgid = N_("The text has {got:,} tokens and the limit here is {limit:,}: shorten it.")


class BadValue(InputError):
    """Params: name, value, allowed."""

    msgid = N_("{name} is {value}, but only {allowed} is possible here.")


class BadUpload(InputError):
    """Params: row (1-based), reason."""

    msgid = N_("Row {row} of the file cannot be used: {reason}")


class BadFile(InputError):
    """Params: reason."""

    msgid = N_("The file cannot be used: {reason}")


class TwoAdapters(BadFile):
    """Params: first, second (folders)."""

    msgid = N_("The file holds two adapters, in {first} and in {second}: zip the folder of one.")


class AdapterSetting(BadFile):
    """Params: name, value (JSON), allowed."""

    msgid = N_(
        "The adapter cannot be used: its adapter_config.json says {name}: {value}, and here it can only be "
        "{allowed}. Save it as plain LoRA."
    )


class AdapterMisfit(BadFile):
    """Params: tensor, model, base (as the file names it), reason."""

    msgid = N_(
        "The adapter does not fit {model}: {tensor} {reason}. Pick the model it was trained on; the file "
        "names {base}."
    )


class AdapterShape(BadFile):
    """Params: tensor, model, base (as the file names it), got, needed."""

    msgid = N_(
        "The adapter does not fit {model}: {tensor} has the shape {got}, and {needed} is needed. Pick the "
        "model it was trained on; the file names {base}."
    )


class Question(InputError):
    """Not refused: the reader decides."""


class OtherBase(Question):
    """Params: base (as the file names it), model."""

    msgid = N_(
        "The file names {base} as the model that the adapter was trained on, and the loaded one is {model}. "
        "All layers fit: use it if both are the same."
    )


class UnclearEncoding(BadFile):
    """Params: encodings."""

    msgid = N_(
        "The file does not say its encoding, possible are {encodings}: choose the one that looks right."
    )


class FileTooLarge(BadFile):
    """Params: name, got_mb, limit_mb."""

    msgid = N_("The file {name} has {got_mb:.2f} MB and the limit is {limit_mb:.0f} MB: make it smaller.")


class WrongFileType(BadFile):
    """Params: name, allowed."""

    msgid = N_("The file {name} cannot be read here, only {allowed}: save it as one.")


class WrongFieldCount(BadUpload):
    """Params: row, got, expected."""

    msgid = N_(
        "Row {row} of the file has {got} fields, the first row {expected}: "
        "a text that holds the separator needs quotation marks around it."
    )


class TooManyAdapters(InputError):
    """Params: limit."""

    msgid = N_(
        "There is no room for another adapter: you can have {limit}. Throw one away under *My adapters*."
    )


class TooManyRuns(InputError):
    """Params: limit."""

    msgid = N_("You have {limit} training runs already, resting ones counted: stop one first.")


class ModelError(PlaygroundError):
    """The model cannot do it."""


class ModelNotFound(ModelError):
    """Params: model_id, cure."""

    msgid = N_("The model {model_id} is not on this machine. {cure}")


class NotOnHub(ModelNotFound):
    """Params: model_id, status (of HTTP)."""

    msgid = N_(
        "The model hub has no {model_id}, or gives it only to those who log in (HTTP {status}): "
        "pick another model."
    )


class ModelDamaged(ModelError):
    """Params: model_id, cure."""

    msgid = N_("Files of the model {model_id} are damaged on this machine. {cure}")


class Unsupported(ModelError):
    """Params: model_id, capability."""

    msgid = N_("The model {model_id} has no {capability}: pick another model.")


class OutOfMemory(ModelError):
    """The device has no room for this request, even alone."""

    msgid = N_("The device has too little memory for this text: shorten it or pick a smaller model.")


class NotComputed(ModelError):
    """An error nobody expected, while this request was computed; the log has it."""

    msgid = N_("The server could not compute this, and its log says why: try again, or try another text.")


class NotFinite(ModelError):
    """Params: model_id."""

    msgid = N_(
        "The model {model_id} gives values here that are no numbers, as after a training that broke down: "
        "pick another model or another adapter."
    )


class HubUnreachable(ModelError):
    """Params: model_id."""

    msgid = N_(
        "The model hub did not give {model_id}: check the internet connection and try again; "
        "a started download continues where it stopped."
    )


class HubUntrusted(ModelError):
    """Params: reason (of the TLS library)."""

    msgid = N_(
        "The model hub's certificate cannot be verified ({reason}): if a filter of your network opens "
        "connections, this machine must trust its certificate."
    )


class HubBusy(ModelError):
    """Params: model_id."""

    msgid = N_(
        "The model hub has too many requests from your network (HTTP 429): try {model_id} again in some "
        "minutes; a started download continues where it stopped."
    )


class HubAnswered(ModelError):
    """Params: model_id, status (of HTTP)."""

    msgid = N_(
        "The model hub answered HTTP {status} when asked for {model_id}: try again later; "
        "a started download continues where it stopped."
    )


class NoHub(ModelError):
    """Params: address."""

    msgid = N_(
        "{address} does not answer like a model hub: perhaps your network shows a log-in page first, "
        "or HF_ENDPOINT names another server."
    )


class WrongBytes(ModelError):
    """Params: model_id, file."""

    msgid = N_(
        "{file} of {model_id} came with other bytes than the model hub announced and was thrown away: try "
        "again; if it happens again, something in your network changes downloads."
    )


class AdapterGone(ModelError):
    """Params: model_id."""

    msgid = N_("The adapter is no longer on the server: train it again, or upload the file you saved.")


class Diverged(ModelError):
    """Params: step, loss."""

    msgid = N_(
        "The training broke down at step {step}: the loss is {loss}. "
        "Take a smaller learning rate; your other adapters are untouched."
    )


class ModelRefused(ModelError):
    """The model is on the hub or on this machine, but it is not let in."""


class WrongArchitecture(ModelRefused):
    """Params: model_id, got, allowed."""

    msgid = N_("The family {got} of the model {model_id} is not supported; these are: {allowed}.")


class ConfigRefused(ModelRefused):
    """Params: model_id, key, value, allowed."""

    msgid = N_(
        "config.json of {model_id} sets {key} to {value}, but only {allowed} is possible here: "
        "pick another model."
    )


class UnknownSetting(ModelRefused):
    """Params: model_id, key, value."""

    msgid = N_(
        "config.json of {model_id} sets {key} to {value}, and what that changes is not known here: "
        "pick another model."
    )


class WrongConfig(ModelRefused):
    """Params: model_id, reason (the library's own words)."""

    msgid = N_("config.json of {model_id} describes no model ({reason}): pick another one.")


class WrongWeights(ModelRefused):
    """Params: model_id, name."""

    msgid = N_("The weights of {model_id} do not fit its config.json at {name}: download the model again.")


class ModelTooLarge(ModelRefused):
    """Params: model_id, got_mb, limit_mb."""

    msgid = N_("The model {model_id} has {got_mb:,} MB and the limit is {limit_mb:,} MB.")


class NoSafetensors(ModelRefused):
    """Params: model_id."""

    msgid = N_("The model {model_id} has no safetensors weights, and other formats can run foreign code.")


class NoTokenizer(ModelRefused):
    """Params: model_id."""

    msgid = N_("The model {model_id} has no tokenizer.json, so its tokens cannot be shown.")


class BusyError(PlaygroundError):
    """Not now, but later."""


class QueueFull(BusyError):
    """Params: position."""

    msgid = N_("The server is busy, you would be number {position} in the queue: try again in a moment.")


class TimedOut(BusyError):
    """Params: seconds."""

    msgid = N_("The answer took longer than {seconds:.0f} seconds and was stopped: try a shorter text.")


class NoRoom(BusyError):
    """The adapters of all sessions fill the memory they may take."""

    msgid = N_("The server has no room for another adapter: try again when others have closed their tabs.")


class Cancelled(BusyError):
    """The reader stopped it."""

    msgid = N_("Stopped.")


class Superseded(Cancelled):
    """A newer request of the same session and kind took its place."""

    msgid = N_("Replaced by a newer request.")


class SetUpError(PlaygroundError):
    """Params: reason, cure."""

    msgid = N_("{reason} {cure}")


class DiskFull(SetUpError):
    """Params: needed_mb, free_mb."""

    msgid = N_(
        "The disk of the models has {free_mb:,} MB free, but {needed_mb:,} MB are needed: free some space, "
        "or set PLAYGROUND_CACHE_DIR to a folder on another disk."
    )


class CannotWrite(SetUpError):
    """Params: reason (of the system)."""

    msgid = N_(
        "The folder of the models cannot be written ({reason}): set PLAYGROUND_CACHE_DIR to a folder that "
        "this account may write to."
    )


class FileLimit(SetUpError):
    """Params: needed_mb."""

    msgid = N_(
        "This account may not write files as large as a model, {needed_mb:,} MB: raise its limit on the size "
        "of files (ulimit -f unlimited)."
    )


class EngineFailed(SetUpError):
    """Params: error."""

    msgid = N_("The engine could not start ({error}): run `llm-playground doctor` on the server.")


class MissingExtra(PlaygroundError):
    """Params: package, cure."""

    msgid = N_("The package {package} is missing. {cure}")

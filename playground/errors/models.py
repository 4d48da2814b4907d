"""Errors of a model, its files or the model hub."""

from __future__ import annotations

from playground.errors.base import N_, ModelError


class ModelNotFound(ModelError):
    """A model is not on this machine. Params: model_id, cure."""

    msgid = N_("The model {model_id} is not on this machine. {cure}")


class NotOnHub(ModelNotFound):
    """The model hub has no such model, or requires a log-in for it. Params: model_id, status (of HTTP)."""

    msgid = N_(
        "The model hub has no {model_id}, or gives it only to those who log in (HTTP {status}): "
        "pick another model."
    )


class LicenceNotAccepted(ModelNotFound):
    """The model hub gives a model to accounts that accepted its licence. Params: model_id, page (address)."""

    msgid = N_(
        "The model hub gives {model_id} only to those who accepted its licence: accept it on {page}, set "
        "HF_TOKEN to an access token of that account where the playground runs, and start it again."
    )


class TokenRefused(ModelNotFound):
    """The model hub refuses the token. Params: model_id, page (address), status (of HTTP)."""

    msgid = N_(
        "The model hub does not give {model_id} to the account of HF_TOKEN (HTTP {status}): accept the "
        "licence on {page} with that account, and see whether the token still holds and may read such models."
    )


class ModelDamaged(ModelError):
    """Files of a model are damaged. Params: model_id, cure."""

    msgid = N_("Files of the model {model_id} are damaged on this machine. {cure}")


class Unsupported(ModelError):
    """A model lacks a capability. Params: model_id, capability."""

    msgid = N_("The model {model_id} has no {capability}: pick another model.")


class OutOfMemory(ModelError):
    """The device has no room for this request, even alone."""

    msgid = N_("The device has too little memory for this text: shorten it or pick a smaller model.")


class TooLargeToCopy(ModelError):
    """A copy of the model would take more memory than allowed. Params: model_id, got_gb, limit_gb."""

    msgid = N_(
        "A copy of {model_id} would take {got_gb:.1f} GB of memory and the limit is {limit_gb:.1f} GB: pick "
        "a smaller model."
    )


class TooLittleMemory(ModelError):
    """The machine has too little memory free for a measurement. Params: needed_mb, free_mb."""

    msgid = N_(
        "This step needs about {needed_mb:,} MB and {free_mb:,} MB are free: take fewer or shorter texts, "
        "train less of the model, or pick a smaller one."
    )


class NotComputed(ModelError):
    """An unexpected error while this request was computed; the log has it."""

    msgid = N_("The server could not compute this, and its log says why: try again, or try another text.")


class NotFinite(ModelError):
    """A model computed values that are not numbers. Params: model_id."""

    msgid = N_(
        "The model {model_id} gives values here that are not numbers, as after a training run that "
        "failed: pick another model or another adapter."
    )


class HubUnreachable(ModelError):
    """The model hub cannot be reached. Params: model_id."""

    msgid = N_(
        "The model hub did not give {model_id}: check the internet connection and try again; "
        "a started download continues where it stopped."
    )


class HubUntrusted(ModelError):
    """The model hub's certificate cannot be verified. Params: reason (of the TLS library)."""

    msgid = N_(
        "The model hub's certificate cannot be verified ({reason}): if a filter of your network opens "
        "connections, this machine must trust its certificate."
    )


class HubBusy(ModelError):
    """The model hub has too many requests from this network. Params: model_id."""

    msgid = N_(
        "The model hub has too many requests from your network (HTTP 429): try {model_id} again in some "
        "minutes; a started download continues where it stopped."
    )


class HubAnswered(ModelError):
    """The model hub answered with an unexpected HTTP status. Params: model_id, status (of HTTP)."""

    msgid = N_(
        "The model hub answered HTTP {status} when asked for {model_id}: try again later; "
        "a started download continues where it stopped."
    )


class NoHub(ModelError):
    """The address does not belong to a model hub. Params: address."""

    msgid = N_(
        "{address} does not answer like a model hub: perhaps your network shows a log-in page first, "
        "or HF_ENDPOINT names another server."
    )


class WrongBytes(ModelError):
    """A downloaded file has other bytes than announced. Params: model_id, file."""

    msgid = N_(
        "{file} of {model_id} came with other bytes than the model hub announced and was deleted: try "
        "again; if it happens again, something in your network changes downloads."
    )


class AdapterGone(ModelError):
    """An adapter is no longer on the server. Params: model_id."""

    msgid = N_("The adapter is no longer on the server: train it again, or upload the file you saved.")


class NetworkGone(ModelError):
    """A trained network is no longer on the server. Params: network_id."""

    msgid = N_("The network is no longer on the server: train it again.")


class HeadGone(ModelError):
    """A trained task head is no longer on the server. Params: head_id."""

    msgid = N_("The head is no longer on the server: train it again.")


class Diverged(ModelError):
    """The loss of a training run has diverged. Params: step, loss."""

    msgid = N_(
        "The training failed at step {step}: the loss is {loss}. Use a smaller learning rate; what "
        "you trained before is untouched."
    )


class ModelRefused(ModelError):
    """The model is on the hub or on this machine, but it may not be loaded."""


class WrongArchitecture(ModelRefused):
    """The family of a model is not supported. Params: model_id, got, allowed."""

    msgid = N_("The family {got} of the model {model_id} is not supported; these are: {allowed}.")


class ConfigRefused(ModelRefused):
    """The config of a model has a value that is not supported. Params: model_id, key, value, allowed."""

    msgid = N_(
        "config.json of {model_id} sets {key} to {value}, but only {allowed} is possible here: "
        "pick another model."
    )


class UnknownSetting(ModelRefused):
    """The config of a model has a setting whose effect is not known. Params: model_id, key, value."""

    msgid = N_(
        "config.json of {model_id} sets {key} to {value}, and what that changes is not known here: "
        "pick another model."
    )


class WrongConfig(ModelRefused):
    """The config of a model cannot be read by the library.

    Params: model_id, reason (the library's own words).
    """

    msgid = N_("config.json of {model_id} describes no model ({reason}): pick another one.")


class WrongWeights(ModelRefused):
    """The weights of a model do not fit its config. Params: model_id, name."""

    msgid = N_("The weights of {model_id} do not fit its config.json at {name}: download the model again.")


class ModelTooLarge(ModelRefused):
    """A model is larger than the limit. Params: model_id, got_mb, limit_mb."""

    msgid = N_("The model {model_id} has {got_mb:,} MB and the limit is {limit_mb:,} MB.")


class NoSafetensors(ModelRefused):
    """A model has no safetensors weights. Params: model_id."""

    msgid = N_("The model {model_id} has no safetensors weights, and other formats can run foreign code.")


class NoTokenizer(ModelRefused):
    """A model has no tokenizer.json. Params: model_id."""

    msgid = N_("The model {model_id} has no tokenizer.json, so its tokens cannot be shown.")

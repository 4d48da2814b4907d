"""Errors of the reader's input: a text, a value, a file."""

from __future__ import annotations

from playground.errors.base import N_, InputError


class EmptyText(InputError):
    """There is no text to work on."""

    msgid = N_("The text is empty: type a sentence or pick an example.")


class TextTooLong(InputError):
    """The text has too many characters. Params: limit, got (characters)."""

    msgid = N_("The text has {got:,} characters and the limit is {limit:,}: shorten it.")


class TextTooShort(InputError):
    """The text has too few bytes to learn from and to measure with. Params: limit, got (bytes)."""

    msgid = N_("The text has {got:,} bytes and {limit:,} are needed here: write more.")


class TooManyBytes(InputError):
    """The text has too many bytes. Params: limit, got (bytes)."""

    msgid = N_("The text has {got:,} bytes and the limit is {limit:,}: shorten it.")


class TooManyTokens(InputError):
    """The text has too many tokens. Params: limit, got."""

    msgid = N_("The text has {got:,} tokens and the limit here is {limit:,}: shorten it.")


class PassageTooShort(InputError):
    """A text has no token after its first, so that its perplexity is of nothing. Params: got (tokens)."""

    msgid = N_(
        "A perplexity needs a text of at least two tokens, and this one has {got}: each is predicted from "
        "those before it. Write some sentences."
    )


class NoMask(InputError):
    """The text has no mask to fill. Params: mask (as it is written)."""

    msgid = N_("The text has no {mask}: write it where the model is to find a word.")


class TooManyMasks(InputError):
    """The text has too many masks. Params: limit, got."""

    msgid = N_("The text has {got} masks and the limit is {limit}: leave the model more words to read.")


class BadValue(InputError):
    """A value is not allowed. Params: name, value, allowed."""

    msgid = N_("{name} is {value}, but only {allowed} is possible here.")


class ConstraintRefused(InputError):
    """A form that a text must have cannot be used. Params: kind, reason (messages)."""

    msgid = N_("The {kind} cannot be used: {reason}")


class BadUpload(InputError):
    """A row of a file cannot be used. Params: row (1-based), reason."""

    msgid = N_("Row {row} of the file cannot be used: {reason}")


class BadFile(InputError):
    """A file cannot be used. Params: reason."""

    msgid = N_("The file cannot be used: {reason}")


class TwoAdapters(BadFile):
    """An uploaded file holds two adapters. Params: first, second (folders)."""

    msgid = N_("The file holds two adapters, in {first} and in {second}: zip the folder of one.")


class AdapterSetting(BadFile):
    """The config of an adapter has a setting that is not supported. Params: name, value (JSON), allowed."""

    msgid = N_(
        "The adapter cannot be used: its adapter_config.json says {name}: {value}, and here it can only be "
        "{allowed}. Save it as plain LoRA."
    )


class AdapterMisfit(BadFile):
    """A tensor of an adapter does not belong to the model.

    Params: tensor, model, base (as the file names it), reason.
    """

    msgid = N_(
        "The adapter does not fit {model}: {tensor} {reason}. Pick the model it was trained on; the file "
        "names {base}."
    )


class AdapterShape(BadFile):
    """A tensor of an adapter has another shape than the model needs.

    Params: tensor, model, base (as the file names it), got, needed.
    """

    msgid = N_(
        "The adapter does not fit {model}: {tensor} has the shape {got}, and {needed} is needed. Pick the "
        "model it was trained on; the file names {base}."
    )


class Question(InputError):
    """Not rejected: the reader decides."""


class OtherBase(Question):
    """An adapter names another base than the loaded model. Params: base (as the file names it), model."""

    msgid = N_(
        "The file names {base} as the model that the adapter was trained on, and the loaded one is {model}. "
        "All layers fit: use it if both are the same."
    )


class UnclearEncoding(BadFile):
    """The encoding of a file cannot be known. Params: encodings."""

    msgid = N_(
        "The file does not say its encoding, possible are {encodings}: choose the one that looks right."
    )


class FileTooLarge(BadFile):
    """A file is too large. Params: name, got_mb, limit_mb."""

    msgid = N_("The file {name} has {got_mb:.2f} MB and the limit is {limit_mb:.0f} MB: make it smaller.")


class WrongFileType(BadFile):
    """A file has a suffix that is not supported. Params: name, allowed."""

    msgid = N_("The file {name} cannot be read here, only {allowed}: save it as one.")


class WrongFieldCount(BadUpload):
    """A row has another number of fields than the first row. Params: row, got, expected."""

    msgid = N_(
        "Row {row} of the file does not have as many fields as the first row ({got}, not {expected}): a "
        "text that holds the separator needs quotation marks around it."
    )


class TooManyAdapters(InputError):
    """The session has as many adapters as it may have. Params: limit."""

    msgid = N_("There is no room for another adapter: you can have {limit}. Delete one under *My adapters*.")


class TooManyNetworks(InputError):
    """The session has as many trained networks as it may have. Params: limit."""

    msgid = N_("There is no room for another network: you can have {limit}. Delete one of those you trained.")


class TooManyHeads(InputError):
    """The session has as many task heads as it may have. Params: limit."""

    msgid = N_("There is no room for another head: you can have {limit}. Delete one of those you trained.")


class TooManyModels(InputError):
    """The session has as many models trained from zero as it may have. Params: limit."""

    msgid = N_("There is no room for another model: you can have {limit}. Delete one of those you trained.")


class HeldOutTrained(InputError):
    """A text that is to be measured on is also one to learn from. Params: text."""

    msgid = N_(
        'The text "{text}" is both learned from and measured on: take it out of one of the two, or the '
        "result would be too good."
    )


class OneLabelOnly(InputError):
    """All texts to learn from have the same label. Params: label."""

    msgid = N_('All texts to learn from have the label "{label}": add some with another one.')


class SameAnswers(InputError):
    """Both answers of a preference pair are the same. Params: prompt."""

    msgid = N_('Both answers to "{prompt}" are the same: change one of them, or take the pair out.')


class AlikeWhenCut(InputError):
    """Both answers of a preference pair are the same as far as they are read. Params: prompt."""

    msgid = N_(
        'Both answers to "{prompt}" are too long to be read whole, and alike as far as they are read: '
        "shorten them, or take the pair out."
    )


class UnknownCharacters(InputError):
    """A text has characters that a network has never read. Params: characters, known."""

    msgid = N_("The network has never seen {characters}: it only knows {known}")


class TooManyRuns(InputError):
    """The session would have more training runs than it may have. Params: limit."""

    msgid = N_("At most {limit} training runs are possible at once, paused ones included: stop one first.")


class TooManyDocuments(InputError):
    """A collection would have more documents than it may have. Params: limit."""

    msgid = N_("There is no room for another document: there can be {limit}. Take one out first.")


class TooManyChunks(InputError):
    """Documents make more chunks than a collection may have. Params: got, limit."""

    msgid = N_(
        "The documents make {got:,} chunks and the limit is {limit:,}: make the chunks larger, or take a "
        "document out."
    )


class TooManyCollections(InputError):
    """The session has as many collections as it may have. Params: limit."""

    msgid = N_("There is no room for another collection: you can have {limit}. Delete one first.")


class CollectionGone(InputError):
    """A collection is no longer here, or belongs to another session."""

    msgid = N_("These documents are no longer on the server: put them in again.")


class TooManyAnswers(InputError):
    """The session has as many answers on a board as it may have. Params: limit."""

    msgid = N_("At most {limit} of your answers can be on this board: withdraw one first.")


class AnswerExists(InputError):
    """The same answer is on the board already. Params: number (of the answer)."""

    msgid = N_("This answer is on the board already: it is number {number}.")

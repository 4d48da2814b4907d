"""The picture of the home page in words, computed from its numbers."""

from __future__ import annotations

from playground.core import pieces
from playground.ui.components.journey.scene import Scene, percent
from playground.ui.text import _, ngettext, plain, strong


def reading(scene: Scene) -> str:
    """One or two sentences that describe the picture. Markdown in which no token is Markdown."""
    return " ".join(filter(None, [_ending(scene), _past_the_makers(scene), _attention(scene)]))


def alt(scene: Scene) -> str:
    """Alternative text of the picture, for readers who do not see it."""
    return _("One line from text to tokens, vectors, attention and the next token.") + " " + _ending(scene)


def _ending(scene: Scene) -> str:
    following = scene.journey.next
    if following is None:
        n_tokens = len(scene.tokenization)
        return _(
            "{model} is an encoder: it predicts no next token. It ends with one vector for the whole text, "
            "the mean of its {n} token vectors after the last layer, brought to length 1."
        ).format(model=plain(scene.model.name), n=n_tokens)
    first = strong(pieces.piece(scene.next_tokens[0], b"").label)
    p = percent(float(following.probs[0]))
    if scene.model.kind == "encoder-decoder":
        return _("The answer most probably starts with {token}: {p}.").format(token=first, p=p)
    last = _own(scene, len(scene.tokenization) - 1)
    return _("After {last}, the model gives {token} {p}.").format(last=last, token=first, p=p)


def _past_the_makers(scene: Scene) -> str:
    """A note on how others read the text for a sentence vector: with words before it, or its beginning."""
    if scene.journey.sentence is not None and scene.model.prefixes.text:
        return _(
            "On the page Embeddings this text has another vector: there `{prefix}` stands before it, as in "
            "the training of {model}."
        ).format(prefix=scene.model.prefixes.text.strip(), model=plain(scene.model.name))
    limit = scene.model.max_seq_length
    if scene.journey.sentence is None or not 0 < limit < len(scene.tokenization):
        return ""
    return _(
        "Its makers let it read only the first {limit} tokens of a text: elsewhere, also on the page "
        "Embeddings, this text has another vector."
    ).format(limit=limit)


def _attention(scene: Scene) -> str:
    row = scene.journey.attention
    if row is None:
        return _without_attention(scene)
    n_heads = scene.model.n_layer * scene.model.n_head
    values = {
        "n": n_heads,
        "n_layer": scene.model.n_layer,
        "layer": row.layer + 1,
        "head": row.head + 1,
        "last": _own(scene, row.query),
        "token": _own(scene, row.focus),
        "p": percent(float(row.weights[row.focus])),
    }
    if row.choice == "sharpest":
        return _(
            "Layer {layer} of {n_layer} (0 is the embedding), head {head}, lets {last} look at {token} with "
            "{p}: of all {n} heads it puts the most weight on one token (the first token, where many heads "
            "park, does not count)."
        ).format(**values)
    if row.choice == "itself":
        return _(
            "There is no token between the first and the last to look at; drawn is layer {layer} of "
            "{n_layer} (0 is the embedding), head {head}, the one that looks most at {last} itself."
        ).format(**values)
    return _("A single token has nothing to look at but itself.")


def _without_attention(scene: Scene) -> str:
    if "attentions" not in scene.model.capabilities:
        return _("This model gives no attention weights.")
    return ngettext(
        "Attention is drawn for texts up to {n} token; the model itself has read the whole text.",
        "Attention is drawn for texts up to {n} tokens; the model itself has read the whole text.",
        scene.max_attention_tokens,
    ).format(n=scene.max_attention_tokens)


def _own(scene: Scene, position: int) -> str:
    """A token of the text; part of a character together with that character."""
    return strong(pieces.labels(scene.tokenization)[position])

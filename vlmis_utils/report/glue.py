"""Numbers and sentences under a name, so that the text of a page quotes them."""

from __future__ import annotations

__all__ = ["glue"]


def glue(**facts: object) -> None:
    """Glue facts under their names, so that the text of the page can quote them.

    Floats keep all digits: the text chooses, as in ``{glue:text}`name:.2f```.
    """
    from myst_nb import glue as one

    for name, fact in facts.items():
        one(name, fact.item() if hasattr(fact, "item") else fact, display=False)

"""Tables of the answer parser: which words name a class, and which compounds only seem to.

Plain data, read by `metrics.parsing.tokens`. Phrases are lower-case words with single spaces; the
longest phrase at a place wins. The words for the classes are `protocol.classes.SYNONYMS`.
"""

from __future__ import annotations

from itertools import product

from vlmis_utils.protocol.classes import SYNONYMS

__all__ = ["CLASS_PHRASES", "COMPOUNDS", "KEYWORDS", "plural"]

_IRREGULAR = {
    "people", "men", "women", "children", "passersby", "police", "signage", "traffic signage",
    "road signage",
}  # fmt: skip
_PLURALS = {"passerby": "passersby", "person": "persons", "man": "men", "woman": "women",
            "child": "children", "policeman": "policemen", "bus": "buses"}  # fmt: skip


def plural(noun: str) -> str:
    """Return the plural of a singular noun phrase (its last word inflects).

    >>> plural("traffic light"), plural("bus"), plural("lorry"), plural("people")
    ('traffic lights', 'buses', 'lorries', 'people')
    """
    head, _, last = noun.rpartition(" ")
    if noun in _IRREGULAR or last in _IRREGULAR:
        return noun
    if last in _PLURALS:
        last = _PLURALS[last]
    elif last.endswith(("s", "sh", "ch", "x")):
        last += "es"
    elif last.endswith("y") and last[-2:-1] not in "aeou":
        last = last[:-1] + "ies"
    else:
        last += "s"
    return f"{head} {last}".strip()


# Class words, singular and plural -> language class: all that the keyword rule knows.
KEYWORDS: dict[str, str] = {
    form: name
    for name, words in SYNONYMS.items()
    for word in words
    for form in (word, plural(word))
} | {"busses": "bus"}

# Compounds in which the first word is not an object of its class.
_COMPOUND_TAILS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("bus", "coach", "tram", "train", "streetcar"): (
        "stop", "lane", "station", "shelter", "terminal", "terminus", "route", "line", "track",
        "depot", "platform", "rail", "crossing", "schedule", "bay", "timetable", "service", "ride",
    ),
    ("car", "truck", "lorry", "taxi", "motorcycle", "scooter"): (
        "park", "parking", "parking lot", "parking space", "wash", "dealership", "rental", "port",
        "stop", "lane", "stand", "rank", "route", "horn", "dashboard", "repair shop", "helmet",
        "showroom", "dealer", "ban",
    ),
    ("bicycle", "bike", "cycle"): (
        "lane", "path", "track", "rack", "stand", "shop", "store", "rental", "parking", "crossing",
        "sharing station", "sharing", "share station", "symbol", "marking", "helmet", "friendly",
        "route", "logo", "signal", "box", "infrastructure",
    ),
    ("pedestrian",): (
        "crossing", "zone", "bridge", "street", "area", "path", "walkway", "way", "crosswalk",
        "friendly", "precinct", "island", "refuge", "mall", "overpass", "underpass", "space",
        "footbridge", "infrastructure", "barrier", "railing",
    ),
    ("street", "road"): (
        "light", "lamp", "lighting", "food", "vendor", "art", "musician", "name", "user", "work",
        "furniture", "closure", "condition", "rage", "trip", "safety", "map",
    ),
    ("child", "kid"): ("seat",),
    ("wall", "sky"): ("paper", "blue", "clock"),
    ("post",): ("office", "box", "code", "card"),
    ("neon", "shop", "store", "business", "restaurant", "hotel", "advertising", "advertisement",
     "shopfront", "storefront", "cafe", "pharmacy"): ("sign", "signage"),
}  # fmt: skip
_COMPOUNDS: tuple[str, ...] = (
    "cable car", "kick scooter", "e scooter", "first person", "third person", "in person",
    "sign of", "signs of", "sign that", "signs that", "light cycle", "signal cycle",
    "traffic light cycles", "life cycle", 
    "ego car", "our car", "own car", "inside a car", "inside the car",
    "inside of a car", "within a car", "from a car", "from the car", "from a moving car",
    "inside a moving car", "inside a bus", "from a bus", "inside a truck", "from a truck",
    "car windshield", "car s windshield", "car s dashboard", "car hood", "car s hood",
    "car s perspective", "car s front", "car dash", "car camera", "driver of a car",
    "street view", "wall street", "man made", "house number", "store front",
)  # fmt: skip

# Compounds that name another class than their first word.
_COMPOUND_CLASSES: dict[str, str] = {
    "pedestrian signal": "traffic light", "pedestrian light": "traffic light",
    "pedestrian traffic light": "traffic light", "pedestrian traffic signal": "traffic light",
    "crosswalk signal": "traffic light", "crossing light": "traffic light",
    "pedestrian crossing light": "traffic light", "pedestrian crossing signal": "traffic light",
    "bicycle traffic light": "traffic light", "bike signal": "traffic light",
    "pedestrian sign": "traffic sign", "pedestrian crossing sign": "traffic sign",
    "crosswalk sign": "traffic sign", "bus stop sign": "traffic sign",
    "bus lane sign": "traffic sign", "no entry sign": "traffic sign",
    "no parking sign": "traffic sign", "no stopping sign": "traffic sign",
    "no left turn sign": "traffic sign", "no right turn sign": "traffic sign",
    "do not enter sign": "traffic sign", "no trucks sign": "traffic sign",
    "street name sign": "traffic sign", "bike lane sign": "traffic sign",
    "bicycle sign": "traffic sign", "parking sign": "traffic sign",
    "trafficlight": "traffic light", "trafficsign": "traffic sign",
    "bike rider": "cyclist", "bicycle rider": "cyclist", "motorcycle rider": "cyclist",
    "motorbike rider": "cyclist", "scooter rider": "cyclist", "dirt bike": "motorcycle",
    "motor bike": "motorcycle", "motor cycle": "motorcycle", "motor cyclist": "cyclist",
    "light is red": "traffic light", "light is green": "traffic light",
    "light is amber": "traffic light", "light is yellow": "traffic light",
    "signal is red": "traffic light", "signal is green": "traffic light",
    "light has turned": "traffic light", "light turned red": "traffic light",
    "lights are red": "traffic light", "lights are green": "traffic light",
    "a crowd": "pedestrian", "the crowd": "pedestrian",
    "train car": "train", "tram car": "train", "street car": "train", "train carriage": "train",
    "fire truck": "truck", "tow truck": "truck", "police car": "car", "parked car": "car",
}  # fmt: skip

COMPOUNDS: frozenset[str] = frozenset(_COMPOUNDS) | {
    f"{head} {form}"
    for heads, tails in _COMPOUND_TAILS.items()
    for head, tail in product(heads, tails)
    for form in (tail, plural(tail))
}
CLASS_PHRASES: dict[str, str] = KEYWORDS | {
    form: name for phrase, name in _COMPOUND_CLASSES.items() for form in (phrase, plural(phrase))
}

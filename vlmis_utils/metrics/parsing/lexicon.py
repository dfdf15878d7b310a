"""Tables of the answer parser: which words name a class, and which compounds only seem to.

Plain data, read by `metrics.parsing.tokens`. Phrases are lower-case words with single spaces; the
longest phrase at a place wins.
"""

from __future__ import annotations

from itertools import product

__all__ = ["ANYONE", "CLASS_PHRASES", "COMPOUNDS", "KEYWORDS", "SYNONYMS", "plural"]

# Language class -> words for it, singular where they have one. The longest match wins.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "road": ("road", "street", "roadway", "lane"),
    "sidewalk": ("sidewalk", "pavement", "footpath", "walkway"),
    "building": ("building", "house", "apartment", "shop", "store", "facade"),
    "wall": ("wall",),
    "fence": ("fence", "railing", "guard rail"),
    "pole": ("pole", "post", "lamp post", "bollard"),
    "traffic light": ("traffic light", "traffic signal", "stoplight", "stop light", "red light",
                      "green light", "amber light", "signal light"),
    "traffic sign": ("traffic sign", "road sign", "street sign", "stop sign", "sign", "signpost",
                     "signage"),
    "vegetation": ("vegetation", "tree", "bush", "hedge", "foliage", "shrub"),
    "terrain": ("terrain", "grass", "lawn", "verge"),
    "sky": ("sky",),
    "pedestrian": ("pedestrian", "person", "people", "man", "men", "woman", "women", "child",
                   "children", "walker", "jogger", "passerby", "kid", "boy", "girl", "lady",
                   "adult", "toddler", "worker", "police officer", "policeman", "bystander",
                   "individual", "passer by", "commuter", "someone", "somebody", "figure", "human",
                   "human being", "guy", "gentleman", "teenager", "teen", "baby", "infant",
                   "runner", "hiker", "skateboarder", "skater", "onlooker", "spectator", "tourist",
                   "shopper", "student", "friend", "family", "couple", "folk", "mother",
                   "father", "parent", "policewoman", "crossing guard", "businessman",
                   "businesswoman", "schoolchild", "schoolboy", "schoolgirl", "street vendor",
                   "vendor", "street musician", "busker", "jaywalker", "wheelchair user",
                   "foot traffic"),
    "cyclist": ("cyclist", "rider", "bicyclist", "bike rider", "biker", "motorcyclist"),
    "car": ("car", "sedan", "suv", "hatchback", "taxi", "automobile", "van", "minivan", "jeep",
            "cab", "taxicab", "station wagon", "coupe", "convertible", "limousine", "limo",
            "police cruiser", "people carrier"),
    "truck": ("truck", "lorry", "pickup", "tractor trailer", "semi trailer", "18 wheeler",
              "eighteen wheeler", "big rig", "hgv"),
    "bus": ("bus", "coach", "minibus", "double decker", "trolleybus", "trolley bus"),
    "train": ("train", "tram", "streetcar", "trolley car", "tramcar", "railcar", "rail car",
              "railway car", "light rail vehicle", "locomotive"),
    "motorcycle": ("motorcycle", "motorbike", "scooter", "moped", "vespa"),
    "bicycle": ("bicycle", "bike", "cycle", "ebike"),
}  # fmt: skip
# Words for a person that say nothing by themselves: a class only where negated or hedged.
ANYONE: frozenset[str] = frozenset(("anyone", "anybody", "any one", "any body"))

_IRREGULAR = {
    "people", "men", "women", "children", "passersby", "police", "signage", "traffic signage",
    "road signage", "folk", "foot traffic",
}  # fmt: skip
_PLURALS = {"passerby": "passersby", "person": "persons", "man": "men", "woman": "women",
            "child": "children", "policeman": "policemen", "bus": "buses",
            "gentleman": "gentlemen", "policewoman": "policewomen", "businessman": "businessmen",
            "businesswoman": "businesswomen", "schoolchild": "schoolchildren"}  # fmt: skip


def plural(noun: str) -> str:
    """Return the plural of a singular noun phrase (its last word inflects).

    >>> plural("traffic light"), plural("bus"), plural("lorry"), plural("people")
    ('traffic lights', 'buses', 'lorries', 'people')
    """
    head, _, last = noun.rpartition(" ")
    if noun == "passer by":
        return "passers by"
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
} | {"busses": "bus", "folks": "pedestrian"}

# Compounds in which the first word is not an object of its class.
_COMPOUND_TAILS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("bus", "coach", "tram", "train", "streetcar"): (
        "stop", "lane", "station", "shelter", "terminal", "terminus", "route", "line", "track",
        "depot", "platform", "rail", "crossing", "schedule", "bay", "timetable", "service", "ride",
    ),
    ("car", "truck", "lorry", "taxi", "motorcycle", "scooter"): (
        "park", "parking", "parking lot", "parking space", "wash", "dealership", "rental", "port",
        "stop", "lane", "stand", "rank", "route", "horn", "dashboard", "repair shop", "helmet",
        "showroom", "dealer", "ban", "insurance", "show", "magazine", "pool", "key", "race",
        "sharing", "wreck",
    ),
    ("bicycle", "bike", "cycle"): (
        "lane", "path", "track", "rack", "stand", "shop", "store", "rental", "parking", "crossing",
        "sharing station", "sharing", "share station", "symbol", "marking", "helmet", "friendly",
        "route", "logo", "signal", "box", "infrastructure",
    ),
    ("bus only", "buses only", "bike only", "bikes only", "bicycle only", "pedestrian only",
     "pedestrians only", "taxi only", "car only", "cars only", "truck only", "tram only",
     "bus and taxi", "bus and bike", "bus or taxi", "bus / taxi", "taxi and bus", "no car",
     "no cars", "no truck", "no trucks", "no pedestrian", "no pedestrians"): (
        "lane", "zone", "street", "road", "area", "route", "path", "sign", "marking",
    ),
    ("toy", "model"): ("car", "truck", "bus", "train"),
    ("pedestrian",): (
        "crossing", "zone", "bridge", "street", "area", "path", "walkway", "way", "crosswalk",
        "friendly", "precinct", "island", "refuge", "mall", "overpass", "underpass", "space",
        "footbridge", "infrastructure", "barrier", "railing",
    ),
    ("street", "road"): (
        "light", "lamp", "lighting", "food", "art", "name", "user", "work",
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
    "train of thought", "train of thoughts", "train of events", "train of vehicles",
    "train of cars", "train wreck", "couple of", "family home", "family house", "human error",
    "human eye", "human eyes", "human activity", "human factor", "human perception", "per person",
    "people mover", "figure out", "the figure shows", "this figure", "in the figure", "in figure",
    "stick figure", "action figure", "figure of", "figure eight", "sign up", "sign off",
    "coach house", "bus pass", "bus ticket", "bus fare", "friend or foe",
    *(f"figure {digit}" for digit in range(10)),
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
    "a crowd": "pedestrian", "the crowd": "pedestrian", "large crowd": "pedestrian",
    "small crowd": "pedestrian", "crowd of": "pedestrian",
    "train car": "train", "tram car": "train", "street car": "train", "train carriage": "train",
    "dining car": "train", "sleeping car": "train", "box car": "train", "subway car": "train",
    "commuter train": "train", "tourist bus": "bus", "tourist coach": "bus", "family car": "car",
    "taxi cab": "car",
    "no cars sign": "traffic sign",
    "bus only sign": "traffic sign", "no pedestrians sign": "traffic sign",
    "fire truck": "truck", "tow truck": "truck", "police car": "car", "parked car": "car",
}  # fmt: skip

COMPOUNDS: frozenset[str] = frozenset(_COMPOUNDS) | {
    f"{head} {form}"
    for heads, tails in _COMPOUND_TAILS.items()
    for head, tail in product(heads, tails)
    for form in (tail, plural(tail))
}
CLASS_PHRASES: dict[str, str] = (
    KEYWORDS
    | {f"individual {form}": name for form, name in KEYWORDS.items()}
    | {
        form: name
        for phrase, name in _COMPOUND_CLASSES.items()
        for form in (phrase, plural(phrase))
    }
)

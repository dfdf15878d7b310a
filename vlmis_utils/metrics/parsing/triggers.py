"""Tables of the answer parser: words that negate or hedge a class, and words that end their scope.

Plain data, one table for each rule, read by `parsing.tokens` and `parsing.negation`.
Phrases are lower-case words with single spaces, contractions written out ("do not"); the longest
phrase at a place wins.
"""

from __future__ import annotations

__all__ = [
    "ABSENT_VALUES", "CUES", "DETERMINERS", "INTERJECTION_FOLLOWERS", "PREAMBLE", "PRESENT_VALUES",
    "RIDE_VERBS", "UNSURE_VALUES", "VISIBLE",
]  # fmt: skip

# "No" before these is an answer, not a negation: "no, ...", "no there is a bus".
INTERJECTION_FOLLOWERS: frozenset[str] = frozenset(
    "there it the i we this that these those you because since as they he she not a an".split()
)
# What starts a new noun phrase, and so ends a negation after a comma or "and".
DETERMINERS: frozenset[str] = frozenset(
    """a an the this that these those some several many multiple numerous two three four five six
    seven eight nine ten one its his her their both another each most more few various only there it
    i we you they lots plenty certainly definitely clearly""".split()
)
# Rider verbs: "a man riding a bicycle" is a cyclist, "a man pushing a bicycle" a pedestrian.
RIDE_VERBS: frozenset[str] = frozenset(("riding", "rides", "ride", "rode", "cycling", "biking"))

# Values after "class:", and what they say of the class.
PRESENT_VALUES: frozenset[str] = frozenset(
    ("yes", "true", "present", "visible", "y", "detected", "seen", "several", "many", "one")
)
ABSENT_VALUES: frozenset[str] = frozenset(
    ("no", "false", "none", "absent", "n", "zero", "null", "nil", "0", "not visible", "not present",
     "not seen", "not detected", "not found", "not in view", "nothing", "missing", "none visible",
     "[ ]")
)  # fmt: skip
UNSURE_VALUES: frozenset[str] = frozenset(
    ("maybe", "unknown", "uncertain", "unclear", "possibly", "possible", "unsure", "perhaps",
     "not sure", "not clear", "can not tell", "not clearly visible", "likely", "probably")
)  # fmt: skip

# What stands before a leading answer and says nothing.
PREAMBLE: frozenset[str] = frozenset(
    """a an the so well hmm um uh oh ah ok okay alright right sure certainly absolutely
    definitely of course indeed therefore thus hence consequently then now and answer answers
    final short quick brief simple one word my is it that this s i would will say d think
    believe guess in on from to at based looking upon image picture photo scene frame your for
    sir assistant q response result output decision verdict conclusion judgement judgment
    summary overall reply label prediction class value text content choice option here great
    good let me see us check as after analysis analyzing examining careful close inspection
    thank you thanks hello hi please be correct step finally clear firm definite simply go with
    can tell what according provided given above shown shows probably likely apparently
    question asked ans b c e model bot ai user resounding examination hereby afraid honestly
    actually frankly unfortunately fortunately returns return print status type json yaml role
    message classification outcome selected determination assessment""".split()
)

_SEE = ("see", "seeing", "seen", "observe", "observing", "observed", "detect", "detected", "notice",
        "noticed", "find", "found", "identify", "identified", "spot", "spotted", "show", "showing",
        "contain", "containing", "include", "including", "have", "having", "depict", "feature",
        "make out", "perceive", "recognize", "recognise", "discern", "locate")  # fmt: skip

_FAIL = ("unable to", "not able to", "fail to", "fails to", "failed to", "impossible to",
         "not possible to")  # fmt: skip
_OBSCURE = ("dark", "blurry", "blurred", "bright", "foggy", "hazy", "noisy", "small", "far",
            "far away", "grainy", "pixelated", "dim", "distorted", "unclear", "low", "faint",
            "overexposed", "underexposed", "degraded", "obscured", "distant", "poor",
            "murky")  # fmt: skip
_TELL = ("see", "make out", "tell", "tell if", "tell whether", "identify", "distinguish",
         "recognise", "recognize", "discern", "determine", "determine if", "determine whether",
         "say", "say if", "say whether", "detect", "spot", "confirm", "find", "be sure of",
         "know if", "know whether")  # fmt: skip

# Words that turn a class into an absence, from the class back ("buses are not visible").
VISIBLE: tuple[str, ...] = (
    "visible", "present", "seen", "there", "detected", "observed", "found", "apparent", "evident",
    "shown", "depicted", "identifiable", "noticeable", "discernible", "in view", "in sight",
    "be seen", "be observed", "be detected", "be found", "be identified", "exist", "appear",
    "in the image", "in the scene", "in the picture", "in the frame", "in this image",
    "in this scene", "in frame", "pictured", "here", "included", "nearby",
)  # fmt: skip

_NEGATORS: tuple[str, ...] = (
    "without", "without any", "neither", "nor", "none of", "zero", "0", "lack of", "lacks",
    "lacking", "lacking any", "devoid of", "absence of", "absent of", "free of", "free from",
    "clear of",
    "empty of", "void of", "no sign of", "no signs of", "no visible sign of", "no visible signs of",
    "no evidence of", "no indication of", "no trace of", "no presence of", "no visible presence of",
    "not look like there is", "not look like there are", "not look like", "not appear that",
    "not appear that there is", "not appear that there are", "not seem that there is",
    "not seem that there are", "not seem there is", "not seem there are", "unlike",
    "instead of", "rather than", "nothing like", "not a", "not an", "not any", "not the", "not one",
    "not a single", "not appear to be", "not seem to be", "not appear to have", "never see",
    "fails to show", "unable to see", "there is not", "there are not", "there was not",
    "there were not", "not able to see", "not possible to see", "not think there is",
    "not think there are", "not believe there is", "not believe there are", "not even",
    "not appear to contain", "not seem to have", "not see any", "not contain any",
)  # fmt: skip
_HEDGES: tuple[str, ...] = (
    "possibly", "possible", "potentially", "potential", "maybe", "perhaps", "probably", "probable",
    "likely", "presumably", "apparently", "supposedly", "might be", "may be", "could be",
    "might have", "may have", "could have", "might contain", "may contain", "could contain",
    "may include", "might include", "appears to be", "appear to be", "appearing to be",
    "seems to be", "seem to be", "appears to have", "seems to have", "appears to show",
    "seems to show", "looks like", "look like", "looking like", "resembles", "resemble",
    "resembling", "seems like", "seem like", "i think", "i believe", "i guess", "i suspect",
    "i assume", "suggesting", "suggests", "suggest", "not sure if", "not sure whether", "not sure",
    "unsure", "unsure if", "unsure whether", "not certain", "not certain if", "uncertain if",
    "uncertain whether", "unclear if", "unclear whether", "not clear if", "not clear whether",
    "can not tell", "can not tell if", "can not tell whether", "can not determine",
    "can not determine if", "can not determine whether", "can not confirm", "can not say if",
    "can not say whether", "can not rule out", "not rule out", "hard to tell", "hard to see",
    "hard to say if", "difficult to tell", "difficult to see", "difficult to make out",
    "difficult to determine", "hard to make out", "not clearly", "if there is", "if there are",
    "if", "whether", "in case", "whether that is", "if that is", "not sure if that is",
    "not sure whether that is", "watch for", "watch out for", "look out for", "beware of",
    "it seems that", "it appears that", "it seems", "seems that", "appears that",
    "too dark to see", "too dark to make out", "too blurry to see", "not enough light to see",
    "hardly any", "few if any", "there may be", "there might be", "there could be",
    "it might be", "it may be", "it could be", "what might be", "what may be", "what could be",
    "what appears to be", "what appear to be", "what looks like", "what seems to be", "as if",
    "something like", "some sort of", "can not be sure", "not possible to tell", "yield to",
    "impossible to tell", "impossible to say", "or possibly", "or maybe", "or perhaps",
    "and possibly", "and maybe", "and perhaps", "can not exclude", "may show",
)  # fmt: skip
_PREPOSITIONS: tuple[str, ...] = (
    "in", "on", "at", "near", "behind", "beside", "by", "around", "across", "along", "next to",
    "in front of", "ahead of", "from", "to", "with", "for", "between", "under", "above", "against",
    "into", "over", "through", "towards", "toward", "because", "that", "which", "who", "where",
    "inside", "outside", "onto", "upon", "past", "opposite", "up", "down", "within", "crossing",
    "blocking", "approaching", "waiting", "obstructing", "together with", "along with", "beyond",
    "among", "amongst", "below", "during", "due to", "close to", "until", "since",
)  # fmt: skip
_CLOSERS: tuple[str, ...] = (
    "but", "however", "although", "though", "while", "whereas", "yet", "except", "except for",
    "other than", "apart from", "aside from", "besides", "only", "just", "instead", "so",
    "nothing but", "none other than", "then", "with the exception of", "still", "nevertheless",
    "also", "as well",
)  # fmt: skip
_NEUTRAL: tuple[str, ...] = (
    "not only", "not just", "not far", "no doubt", "no more than", "no less than", "no fewer than",
    "no longer", "no entry", "no parking", "no stopping", "no left turn", "no right turn",
    "do not enter", "not to mention", "not many", "not a lot of", "not much", "such as",
    "no problem", "not necessarily", "no matter", "not unlike", "no wonder", "no idea",
    "not until", "not without", "not the only", "not the same", "not the case that", "if not",
    "can be seen", "can be observed", "can be found", "can be spotted", "can be made out",
    "can be identified", "could be seen", "could be observed", "as can be seen", "may be necessary",
    "not uncommon for",
    "not all of", "not all", "not every", "can be noticed", "can be detected", "if applicable",
    "as if it", "or so", "free to", "free flowing", "free flow", "clear view of", "no less",
)  # fmt: skip
_VERBS: tuple[str, ...] = (
    "is", "are", "was", "were", "has", "have", "can", "will", "be", "been", "does", "do", "did",
    "should", "would", "must", "appears", "appear", "seems", "seem", "stands", "stand",
    "shows", "waits", "moves", "drives", "drive",
    "remain", "remains", "see", "sits", "stops", "stop", "lines", "line",
)  # fmt: skip
_PRONOUNS = ("i", "we", "you", "it", "they", "he", "she", "there")
_MODALS = ("may", "might", "could")
_HEADS = ("not visible", "not present", "not seen", "not detected", "not found", "not in view",
          "absent", "missing", "no", "none", "false", "negative", "not in the image",
          "not shown")  # fmt: skip
_SURE_HEADS = ("yes", "present", "visible", "true", "detected", "seen", "found")
_UNSURE_HEADS = ("possible", "possibly", "uncertain", "unsure", "maybe", "unclear", "unknown",
                 "possibly present", "not sure")  # fmt: skip
_GONE = ("absent", "missing", "nowhere", "out of sight", "out of view", "none", "lacking",
         "non existent", "nonexistent", "nowhere to be seen", "all absent", "all missing",
         "both absent")  # fmt: skip


def _cues() -> dict[str, str]:
    """Return phrase -> kind of cue; later tables win."""
    table: dict[str, str] = {}

    def add(kind: str, phrases: list[str] | tuple[str, ...]) -> None:
        table.update(dict.fromkeys(phrases, kind))

    add("prep", _PREPOSITIONS)
    add("verb", _VERBS)
    add("pronoun", _PRONOUNS)
    add("close", _CLOSERS)
    add("and", ("and", "as well as", "plus"))
    add("or", ("or", "and or"))
    add("modal", _MODALS)
    add("negate", _NEGATORS)
    add("negate", [f"not {verb}" for verb in _SEE])
    add("negate", [f"not {verb} any" for verb in _SEE])
    add("negate", [f"{fail} {verb}" for fail in _FAIL for verb in _SEE])
    add("hedge", [f"too {adjective} to {verb}" for adjective in _OBSCURE for verb in _TELL])
    add("no", ("no",))
    add("nobody", ("no one", "nobody", "no body"))
    add("hedge", _HEDGES)
    add("neutral", _NEUTRAL)
    add("gone", [f"not {word}" for word in VISIBLE])
    add("gone", [f"{verb} {word}" for verb in ("is", "are", "was", "were") for word in _GONE])
    add("unsure", [f"not clearly {w}" for w in VISIBLE] + ["is possible", "are possible"])
    add("unsure", ["is likely", "are likely", "is unclear", "are unclear", "is uncertain"])
    for kind, heads in (("negate", _HEADS), ("end", _SURE_HEADS), ("hedge", _UNSURE_HEADS)):
        add(kind + " list", [f"{head} :" for head in heads])
    add("end", ("no reason :",))
    return table


CUES: dict[str, str] = _cues()

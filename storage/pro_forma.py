"""Stock answers: formally an answer, in substance none ("not held centrally", "in the time available before Prorogation").

The rule. The text is cut into sentences. A sentence is stock when one of the phrases below stands in it, it has at most 260 characters
and it gives no figure (a day, a year and a UIN are none). It is courtesy when it, as short, only thanks, apologises, or promises or encloses a
letter. The answer is pro forma when at least one sentence is stock and what is neither stock nor courtesy makes up at most a
quarter of the text and at most 120 characters. So one such sentence inside an explanation does not make the explanation empty.

The phrases are those counted in full texts of the official API (2023 to 2026). Not pro forma: a holding answer (its state says so) and
a reference to another answer (its substance stands there).
"""

from __future__ import annotations

import re

MAX_STOCK = 260
MAX_REST = 120
MAX_SHARE = 0.25

_THING = r"(?:information|data|figures?|statistics|details?|records?|breakdown)"
_STOCK = re.compile(
    r"time available (?:before|prior to) (?:the )?(?:prorogation|dissolution)"
    r"|not (?:proved |been )?possible to (?:respond|reply|answer)\b.*\b(?:before|prior to) (?:the )?(?:prorogation|dissolution)"
    r"|not (?:currently |routinely )?(?:held|collected|collated|recorded|available|gathered) centrally"
    r"|not centrally (?:held|collected|collated|recorded|available)"
    r"|disproportionate costs?\b"
    r"|\b" + _THING + r"\b.{0,60}\bnot (?:readily|currently) (?:available|held)"
    r"|\b(?:requested|this|that|such|the) " + _THING + r"(?: requested)? (?:is|are) not"
    r" (?:currently |routinely |readily )?(?:held|collected|recorded|available|published)"
    r"|(?:does|do) not (?:currently |routinely |centrally )?(?:hold|collect|collate|record)"
    r" (?:this|that|the|such|any) (?:requested |specific )?" + _THING + r"\b"
    r"|time to collate the (?:requested )?information"
    r"|under the remit of the (?:UK|United Kingdom) Statistics Authority"
    r"|withholding (?:this|the) (?:requested )?information",
    re.IGNORECASE,
)
_HINTS = (
    "not ",
    "time available",
    "possible to",
    "central",
    "disproportionate",
    "to collate",
    "authority",
    "withholding",
)
"""One of these stands in every stock phrase: most answers need no cutting into sentences, which costs ten times as much."""
_COURTESY = re.compile(
    r"\b(?:will write to|letter (?:will be|is being) placed|copy of (?:my|the) (?:letter|reply|response)"
    r"|(?:response|reply|letter)\b.*\battached|am sorry|apologi[sz]e|am grateful|thank (?:the|my))",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"(?<=[.!?])(?<!\bhon\.)(?<!\bHon\.)(?<!\bRt\.)(?<!\bNo\.)\s+(?=[\"'“‘(]?[A-Z])|(?<=[a-z)][.!?])(?=[A-Z])|\n+"
)
_DATES = re.compile(
    r"\b\d{1,2}(?:st|nd|rd|th)? (?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
    r"|\b(?:19|20)\d\d(?:[-/]\d{2,4})?\b|\b(?:HL|UIN |PQ |Question )\s*\d+"
)


def is_pro_forma(text: str | None) -> bool:
    """Whether an answer's clean text says nothing of substance. False for no text."""
    folded = (text or "").lower()
    if not any(word in folded for word in _HINTS):
        return False
    sentences = [s.strip() for s in _SENTENCE.split(text or "") if s and s.strip()]
    kinds = [_kind(sentence) for sentence in sentences]
    if "stock" not in kinds:
        return False
    rest = sum(len(s) for s, kind in zip(sentences, kinds, strict=True) if kind == "rest")
    return rest <= MAX_REST and rest <= MAX_SHARE * sum(map(len, sentences))


def _kind(sentence: str) -> str:
    if len(sentence) > MAX_STOCK:
        return "rest"
    if _STOCK.search(sentence):
        return "rest" if re.search(r"\d|£|per cent", _DATES.sub("", sentence)) else "stock"
    return "courtesy" if _COURTESY.search(sentence) else "rest"

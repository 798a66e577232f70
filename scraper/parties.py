"""Tells a party from an office in TheyWorkForYou's line below a name: "Labour, Bury South", "Ceidwadwyr", "The Minister for …". Pure."""

from __future__ import annotations

_WELSH = {
    "Ceidwadwyr": "Conservative",
    "Llafur": "Labour",
    "Democratiaid Rhyddfrydol": "Liberal Democrat",
    "Annibynnol": "Independent",
}
"""The parties that Welsh pages translate (Plaid Cymru is the same); a Member has one party, whichever page was read."""

_PARTIES = frozenset(
    name.casefold()
    for name in (
        *_WELSH.values(),
        "Alba", "Alba Party", "Alliance", "Bishop", "Change UK", "Conservative Independent", "Crossbench", "CWM", "DCWM", "Deputy Speaker",
        "Democratic Unionist Party", "DUP", "Green", "Green Party", "Independent Conservative", "Independent Group for Change", "Independent Labour",
        "Independent Liberal Democrat", "Independent Social Democrat", "Independent Ulster Unionist", "Independent Unionist", "Judge",
        "Labour Independent", "Labour/Co-operative", "Labour (Co-op)", "Non-affiliated", "Other", "Plaid Cymru", "Reform UK", "Respect",
        "Restore Britain", "Scottish Conservative", "Scottish Green", "Scottish Greens", "Scottish Labour", "Scottish Liberal Democrat",
        "Scottish National Party", "Scottish Socialist Party", "SDLP", "SNP", "Sinn Féin", "Social Democratic and Labour Party", "Solidarity",
        "Speaker", "Traditional Unionist Voice", "TUV", "UK Independence Party", "UKIP", "Ulster Unionist Party", "UUP", "Workers Party",
        "Workers Party of Britain", "Your Party",
    )
)  # fmt: skip


def split_position(text: str) -> tuple[str | None, str | None, str | None]:
    """Party, constituency and office; whichever the line does not show is null. A party unknown here is taken for an office."""
    head, _, rest = text.partition(", ")
    party = _WELSH.get(head, head)
    if party.casefold() in _PARTIES:
        return party, rest or None, None
    return None, None, text or None

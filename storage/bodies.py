"""Answering bodies: their ids in the official API, present names and the names they had before.

A department filter matches any of the names, so that it survives renames. Renamed bodies that were given a new id
(10 and 217, 7 and 211) share their names; bodies that were split or merged out of several (BEIS into 214 to 216) do not,
because a filter for one of the new ones would then bring what the others answered.

Ids and present names: the official API's lists of December 2023 to July 2026; 10, 201, 202: its list of 1 February 2021;
the bodies of the Lords, 24, 206, 211 and 213: clquestions `R/bodies.R`. Former names: the machinery-of-government changes of
May 2006, May 2007, May 2010, July 2016, June 2017, January 2018, September 2020, September 2021, February 2023 and July 2024
(written statements of the Prime Minister of those days); headings of 2009: TheyWorkForYou.
"""

from __future__ import annotations

from functools import cache

from storage.fold import fold
from storage.records import Body

_FCO = ("Foreign and Commonwealth Office", "Foreign and Commonwealth Affairs")
_HOUSING = (
    "Ministry of Housing, Communities and Local Government",  # 2018 to 2021, and since July 2024
    "Department for Levelling Up, Housing and Communities",  # 2021 to 2024
    "Department for Communities and Local Government",  # to January 2018
    "Communities and Local Government",
    "Office of the Deputy Prime Minister",  # to May 2006
)
_CULTURE = (
    "Department for Culture, Media and Sport",  # to 2017, and since February 2023
    "Department for Digital, Culture, Media and Sport",  # 2017 to 2023
    "Culture, Media and Sport",
)

_NAMES: dict[int, tuple[str, ...]] = {  # the present name first
    1: ("Home Office", "Home Department"),
    2: ("Scotland Office", "Scotland"),
    7: _HOUSING,
    9: ("Church Commissioners",),
    10: (_CULTURE[1], _CULTURE[0], _CULTURE[2]),
    11: ("Ministry of Defence", "Defence"),
    13: ("Department for Environment, Food and Rural Affairs", "Environment, Food and Rural Affairs"),
    14: ("Treasury", "HM Treasury"),
    17: ("Department of Health and Social Care", "Department of Health", "Health"),
    18: ("House of Commons Commission",),
    21: ("Northern Ireland Office", "Northern Ireland"),
    23: ("Prime Minister",),
    24: ("Public Accounts Commission",),
    27: ("Department for Transport", "Transport"),
    28: ("Wales Office", "Wales"),
    29: ("Department for Work and Pensions", "Work and Pensions"),
    31: ("Women and Equalities", "Women and Equality", "Government Equalities Office"),
    34: ("Leader of the House", "Leader of the House of Commons"),
    36: ("Speaker's Committee on the Electoral Commission",),
    53: ("Cabinet Office",),
    54: ("Ministry of Justice", "Justice", "Department for Constitutional Affairs", "Constitutional Affairs"),
    60: (
        "Department for Education",
        "Education",
        "Department for Children, Schools and Families",
        "Children, Schools and Families",
    ),
    88: ("Attorney General", "Attorney General's Office"),
    90: ("Speaker's Committee for the Independent Parliamentary Standards Authority",),
    91: ("Members Estimate Committee", "House of Commons Members Estimate Committee"),
    92: ("Leader of the House of Lords",),
    200: ("Chairman of Committees",),
    201: ("Department for Business, Energy and Industrial Strategy",),
    202: ("Department for International Trade",),
    204: ("Senior Deputy Speaker",),
    206: ("Lord Speaker",),
    208: ("Foreign, Commonwealth and Development Office", *_FCO),
    211: (_HOUSING[1], _HOUSING[0], *_HOUSING[2:]),
    213: ("Restoration and Renewal Client Board",),
    214: ("Department for Business and Trade",),
    215: ("Department for Energy Security and Net Zero",),
    216: ("Department for Science, Innovation and Technology",),
    217: _CULTURE,
}


def _plain(name: str) -> str:
    return " ".join(fold(name).replace("&", " and ").replace(",", " ").split())


@cache
def _by_name() -> dict[str, tuple[str, ...]]:
    """All names by each of them. Where two bodies had one name they share the rest of their names as well."""
    found: dict[str, tuple[str, ...]] = {}
    for names in _NAMES.values():
        for name in names:
            found.setdefault(_plain(name), names)
    return found


def names_of(body: Body) -> tuple[str, ...]:
    """Every name under which the body can be asked for: as given, present, former. Found by id, else by name."""
    known = _NAMES.get(body.id, ()) if body.id is not None else _by_name().get(_plain(body.name), ())
    return known if body.name in known else (body.name, *known)


def present_name(body: Body) -> str:
    """The name the body has today; as given where the table does not know it."""
    known = _NAMES.get(body.id, ()) if body.id is not None else _by_name().get(_plain(body.name), ())
    return known[0] if known else body.name


def unknown(body: Body) -> bool:
    """Whether the table lacks the body or this name of it: someone must add it, or filters miss it by that name."""
    if body.id is None:
        return _plain(body.name) not in _by_name()
    return _plain(body.name) not in {_plain(name) for name in _NAMES.get(body.id, ())}

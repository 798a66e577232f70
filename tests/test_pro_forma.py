"""Which answers say nothing. Texts of our own in the manner of the real ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.procedure import is_pro_forma


@pytest.mark.parametrize(
    "text",
    [
        "It has not proved possible to respond to the hon. Member in the time available before Prorogation.",
        "It has not been possible to answer the right hon. Member’s question before Dissolution.",
        "This information is not held centrally.",
        "The information requested is not centrally held.",
        "Seizures by port are not recorded centrally and could only be compiled at disproportionate cost.",
        "The figures requested are not readily available and to prepare them would incur disproportionate cost.",
        "The Department does not hold the requested data.",
        "I am sorry for the delay.\nThe information requested is not available in the format requested.",
        (
            "The information requested falls under the remit of the UK Statistics Authority.\n"
            "A response to the hon. Member’s Question of 3 March is attached."
        ),
        "It is taking time to collate the information requested. I will write to the hon. Member.",
        "I am withholding the information, as its disclosure would prejudice the security of the force.",
    ],
)
def test_stock_answers(text: str) -> None:
    assert is_pro_forma(text)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "No.",
        "The Department has indicated that it will not be possible to answer this question within the usual time period.",
        "I refer the hon. Member to the answer of 3 March 2025 to Question 35566.",
        "Of the 412 seizures recorded in the year to March, 37 were at airports; the rest is not held centrally.",
        "This treatment is not currently available in the region.",
        (
            "Border Force seized more cocaine than in any year before, most of it in three ports. The figure for each port is not"
            " held centrally. Officers were trained in new methods of search, and scanners were bought for every container port."
        ),
        (
            "The National Crime Agency leads the work against the groups that bring drugs into the country.\n"
            "A breakdown by nationality could only be obtained at disproportionate cost."
        ),
        "Before the dissolution of Parliament the Bill had passed its second reading.",
    ],
)
def test_answers_with_substance(text: str | None) -> None:
    assert not is_pro_forma(text)


def test_one_stock_sentence_does_not_empty_a_long_answer() -> None:
    stock = "This information is not held centrally."
    assert is_pro_forma(stock)
    assert not is_pro_forma(f"{stock} " + "The programme works with partners in every region. " * 20)


def test_much_else_is_substance_however_long_the_stock_is() -> None:
    stock = (
        "The figures for this force and year are not held centrally by the Department, as each force keeps its own books. "
        * 6
    )
    assert is_pro_forma(stock + "Officers work closely with every force.")
    assert not is_pro_forma(stock + "Officers work closely with every force, and the ports were given new scanners, dogs and a laboratory of"
                            " their own that looks at each find.")  # fmt: skip


@given(st.text(max_size=400))
def test_any_text_is_judged(text: str) -> None:
    assert is_pro_forma(text) in {True, False}


@given(st.text(alphabet="ab .\n", max_size=3000))
def test_without_a_phrase_nothing_is_stock(text: str) -> None:
    assert not is_pro_forma(text)

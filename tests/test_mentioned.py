"""Which questions a commentary speaks of."""

import pytest

from scraper.mentioned import keys_in

OFFICIAL = "https://questions-statements.parliament.uk/written-questions/detail/2026-02-03/88100"
OLD = "https://www.parliament.uk/business/publications/written-questions-answers-statements/written-question/Lords/2018-06-21/HL9000/"
TWFY = "https://www.theyworkforyou.com/wrans/?id=2026-02-02.HL4711.h&amp;s=x#gHL4711.q0"
PARALLEL = "https://www.parallelparliament.co.uk/question/9100/prisons"


@pytest.mark.parametrize(
    ("html", "keys"),
    [
        (f'<p><a href="{OFFICIAL}">x</a></p>', ["commons/2026-02-03/88100"]),
        (f'<p><a href="{OFFICIAL}?x=1#y">x</a> <a href="{OFFICIAL}">y</a></p>', ["commons/2026-02-03/88100"]),
        (f'<p><a href="{OLD}">x</a></p>', ["lords/2018-06-21/HL9000"]),
        (f'<p><a href="{TWFY}">x</a></p>', ["lords/2026-02-02/HL4711"]),
        ('<p><a href="https://www.theyworkforyou.com/wrans/?id=2009-10-26f.294001.h">x</a></p>', ["commons/answered-2009-10-26/294001"]),
        ('<p><a href="https://www.theyworkforyou.com/spwrans/?id=2009-10-27.S3W-27001.h">x</a></p>', ["scotland/2009-10-27/S3W-27001"]),
        ('<p><a href="https://www.theyworkforyou.com/wrans/?id=2026-02-02.1.mh">x</a></p>', []),
        ('<p><a href="https://www.theyworkforyou.com/debates/?id=2026-02-02a.1.2">x</a></p>', []),
        (f'<p>On 1 May 2020, <a href="{PARALLEL}">this</a>, asked on 4th February 2026, and 2 May 2020</p>', ["commons/2026-02-04/9100"]),
        (f'<p><a href="{PARALLEL}">this</a></p><p>4 February 2026</p>', []),
        ("<p>(UIN 88001, tabled on 2 February 2026)</p>", ["commons/2026-02-02/88001"]),
        ("<p>UIN HL 77: see the answer given on 9 March 2025</p>", ["lords/answered-2025-03-09/HL77"]),
        ("<p>UIN 5 alone. On 9 March 2025 it rained.</p>", []),
        ("<p>UIN 5 of 31 June 2025</p>", []),
        ("<p>UIN 5 (9 Mar 2025); UIN 6, 2025-03-10; UIN 7, 11/03/2025; UIN 8 (March 12, 2025)</p>", ["commons/2025-03-09/5", "commons/2025-03-10/6", "commons/2025-03-11/7", "commons/2025-03-12/8"]),
        ("<p>UINs 5, HL6 and 7, asked on the 9th of March 2025</p>", ["commons/2025-03-09/5", "lords/2025-03-09/HL6", "commons/2025-03-09/7"]),
        ("<p>UIN 5, answered 9 March 2025; UIN 6, 39/03/2025</p>", ["commons/answered-2025-03-09/5"]),
        ("<ul><li>UIN 1 of 2 May 2025</li><li>UIN 2 of 3 May 2025</li></ul>", ["commons/2025-05-02/1", "commons/2025-05-03/2"]),
        ('<p><a href="https://questions-statements.parliament.uk.evil.example/written-questions/detail/2026-02-03/1">x</a></p>', []),
        ('<p><a href="https://evilparliament.uk/written-questions/detail/2026-02-03/1">x</a></p>', []),
        ('<p><a href="https://[bad/written-questions/detail/2026-02-03/1">x</a></p>', []),
        ("", []),
    ],
)  # fmt: skip
def test_keys(html, keys):
    assert list(keys_in(html)) == keys

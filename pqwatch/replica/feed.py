"""A WordPress blog: `/feed/` (RSS 2.0 with content:encoded, `?paged=N` until a 404) and the pages of its posts.

As WordPress does: Last-Modified is the site's last change, ETag its MD5; 304 where both headers are sent and both match,
or the only one sent does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from html import escape

from pqwatch.replica.world import Post, World

PAGE_SIZE = 10
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def validators(posts: Sequence[Post]) -> tuple[str, str]:
    """ETag and Last-Modified of every page of the feed."""
    last = format_datetime(max((post.changed for post in posts), default=EPOCH), usegmt=True)
    return f'"{hashlib.md5(last.encode(), usedforsecurity=False).hexdigest()}"', last


def unchanged(headers: Mapping[str, str], etag: str, last: str) -> bool:
    """Whether the answer is 304. `headers` are the request's, names in lower case."""
    tests = []
    if "if-none-match" in headers:
        tests.append(headers["if-none-match"] == etag)
    if "if-modified-since" in headers:
        tests.append(_not_before(headers["if-modified-since"], last))
    return bool(tests) and all(tests)


def _not_before(claimed: str, last: str) -> bool:
    try:
        return parsedate_to_datetime(claimed) >= parsedate_to_datetime(last)
    except (TypeError, ValueError):
        return False


def rss(world: World, posts: Sequence[Post], base: str, page: int) -> str | None:
    """The feed's page, from 1; None past its end."""
    shown = posts[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    if page > 1 and not shown:
        return None
    items = "\n".join(_item(world, post, base) for post in shown)
    _, last = validators(posts)
    return f"""<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
\txmlns:content="http://purl.org/rss/1.0/modules/content/"
\txmlns:wfw="http://wellformedweb.org/CommentAPI/"
\txmlns:dc="http://purl.org/dc/elements/1.1/"
\txmlns:atom="http://www.w3.org/2005/Atom"
\txmlns:sy="http://purl.org/rss/1.0/modules/syndication/"
\txmlns:slash="http://purl.org/rss/1.0/modules/slash/"
\t>

<channel>
\t<title>{escape(world.blog["title"])}</title>
\t<atom:link href="{base}/feed/" rel="self" type="application/rss+xml" />
\t<link>{base}</link>
\t<description>{escape(world.blog["description"])}</description>
\t<lastBuildDate>{last.replace("GMT", "+0000")}</lastBuildDate>
\t<language>en-GB</language>
\t<sy:updatePeriod>
\thourly\t</sy:updatePeriod>
\t<sy:updateFrequency>
\t1\t</sy:updateFrequency>
\t<generator>https://wordpress.org/?v=6.5</generator>
{items}
</channel>
</rss>
"""


def _item(world: World, post: Post, base: str) -> str:
    link = f"{base}/{post.slug}/"
    categories = "".join(f"\t\t<category><![CDATA[{name}]]></category>\n" for name in post.categories)
    opening = escape(post.html.split("</p>")[0].removeprefix("<p>").split("<a ")[0].strip()[:200])
    return f"""\t<item>
\t\t<title>{escape(post.title)}</title>
\t\t<link>{link}</link>
\t\t<dc:creator><![CDATA[{world.blog["author"]}]]></dc:creator>
\t\t<pubDate>{format_datetime(post.at.astimezone(UTC)).replace("GMT", "+0000")}</pubDate>
{categories}\t\t<guid isPermaLink="false">https://blog.example/?p={post.id}</guid>
\t\t<description><![CDATA[<p>{opening} [&#8230;]</p>
<p>The post <a href="{link}">{escape(post.title)}</a> appeared first on {escape(world.blog["title"])}.</p>
]]></description>
\t\t<content:encoded><![CDATA[{post.html}]]></content:encoded>
\t</item>"""


def page(world: World, post: Post) -> str:
    """A post's own page."""
    title = escape(post.title)
    return f"""<!DOCTYPE html>
<html lang="en-GB">
<head><meta charset="UTF-8"><title>{title} - {escape(world.blog["title"])}</title>
<meta property="article:published_time" content="{post.at.isoformat()}" /></head>
<body><header><p>{escape(world.blog["title"])}</p><p>{escape(world.blog["description"])}</p></header>
<main><h1>{title}</h1><h4>Share This Post</h4><div class="elementor-widget-theme-post-content">{post.html}</div>
<h4>Share This Post</h4></main><section><h3>Related posts</h3></section>
<section id="respond"><h3>Leave a Reply</h3><p>Your email address will not be published. Required fields are marked *</p></section>
</body></html>
"""

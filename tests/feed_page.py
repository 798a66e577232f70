"""Feeds and article pages in the structure of WordPress, around any text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape


@dataclass(frozen=True)
class Post:
    slug: str
    number: int
    title: str
    html: str
    published: str = "Tue, 03 Feb 2026 06:00:00 +0000"
    author: str = "Robin Model"
    categories: tuple[str, ...] = field(default=("Drugs",))
    summary: bool = False  # the feed shows no full text

    @property
    def link(self) -> str:
        return f"https://blog.example/{self.slug}/"

    @property
    def guid(self) -> str:
        return f"https://blog.example/?p={self.number}"


def rss(*posts: Post) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wfw="http://wellformedweb.org/CommentAPI/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/">
<channel>
 <title>Blog Example</title>
 <atom:link href="https://blog.example/feed/" rel="self" type="application/rss+xml" />
 <link>https://blog.example/</link>
 <description>Drugs &amp; crime</description>
 <lastBuildDate>Tue, 03 Feb 2026 06:00:05 +0000</lastBuildDate>
 <language>en-GB</language>
 <sy:updatePeriod>
	hourly	</sy:updatePeriod>
 <sy:updateFrequency>
	1	</sy:updateFrequency>
 <generator>https://wordpress.org/?v=6.8</generator>
{"".join(map(_item, posts))}</channel>
</rss>
"""


def _item(post: Post) -> str:
    more = f'<p>The post <a href="{post.link}">{escape(post.title)}</a> appeared first on <a href="https://blog.example">Blog Example</a>.</p>'
    full = "" if post.summary else f"<content:encoded><![CDATA[{post.html}\n{more}]]></content:encoded>"
    categories = "".join(f"<category><![CDATA[{name}]]></category>" for name in post.categories)
    return f""" <item>
  <title>{escape(post.title)}</title>
  <link>{post.link}</link>
  <comments>{post.link}#respond</comments>
  <dc:creator><![CDATA[{post.author}]]></dc:creator>
  <pubDate>{post.published}</pubDate>
  {categories}
  <guid isPermaLink="false">{post.guid}</guid>
  <description><![CDATA[<p>The beginning [&#8230;]</p>
{more}]]></description>
  {full}
  <wfw:commentRss>{post.link}feed/</wfw:commentRss>
  <slash:comments>0</slash:comments>
 </item>
"""


def article_page(title: str, subtitle: str, html: str) -> str:
    """The page of an article, in the text order that is known of the one stored post."""
    share = '<div class="elementor-widget"><h3>Share This Post</h3><div class="share"><a href="https://social.example/share"><img alt="x"></a></div></div>'
    return f"""<!DOCTYPE html><html lang="en-GB"><head><meta charset="UTF-8"><title>{escape(title)} - Blog Example</title>
<link rel="canonical" href="https://blog.example/ports/"><link rel="shortlink" href="https://blog.example/?p=17">
<meta property="article:published_time" content="2026-02-03T06:00:00+00:00"><meta name="author" content="Robin Model">
<script>var x = "Share This Post";</script></head><body class="postid-17">
<header><nav><a href="/">Home</a></nav></header>
<div class="elementor"><h2>Keep up-to-date with drugs and crime</h2><p>The latest research and opinion</p>
<h1 class="elementor-heading-title">{escape(title)}</h1><h2>{escape(subtitle)}</h2>
{share}
<div class="elementor-widget-theme-post-content"><div class="elementor-widget-container">{html}</div></div>
{share}
<h3>Related posts</h3><article><h3><a href="/other/">Another post</a></h3></article>
<div id="respond"><h3>Leave a Reply</h3><p>Your email address will not be published. Required fields are marked *</p>
<form><textarea></textarea></form></div>
<div><h3>Get every blog post by email for free</h3></div></div>
<footer>All rights</footer></body></html>
"""

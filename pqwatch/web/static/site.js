// The pages work without this file. It adds: copying a citation with one press, and a preview that follows the words as they are typed.
"use strict";
for (const area of document.querySelectorAll("textarea[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy the citation";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(area.value);
    button.textContent = "Copied";
  });
  area.after(button);
}

const words = document.querySelector("form[data-preview] textarea");
if (words) {
  let waiting, asked = words.value.trim(), busy = false;
  const follow = async () => {
    const query = words.value.trim();
    if (busy || !query || query === asked) return; // one at a time: that of a common word takes a while
    asked = query;
    busy = true;
    try {
      const answer = await fetch("/subscribe?" + new URLSearchParams({q: query}));
      if (answer.ok && query === words.value.trim()) show(new DOMParser().parseFromString(await answer.text(), "text/html"), query);
    } finally {
      busy = false;
    }
    await follow(); // what was typed meanwhile
  };
  const show = (page, query) => {
    if (page.querySelector("#fault")) return; // a query that is not whole yet
    for (const id of ["preview", "how"]) {
      const here = document.getElementById(id), there = page.getElementById(id);
      const chosen = id === "how" && here.querySelector("input[name=q]");
      if (chosen) chosen.value = query; // what is filled in below stays
      else here.replaceChildren(...there.childNodes);
    }
  };
  words.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(follow, 700);
  });
}

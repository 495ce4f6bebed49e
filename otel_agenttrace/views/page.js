"use strict";
// The page says everything without this script; it only makes long traces quicker to read.
const spans = [...document.querySelectorAll("details.span")];
const tools = document.querySelector(".tools");
const [search, failedOnly, toggle] = tools.children;
tools.hidden = false;

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const failing = failedOnly.getAttribute("aria-pressed") === "true";
  for (const span of spans) {
    const text = words.length ? span.textContent.toLowerCase() : "";
    span.hidden = (failing && !span.dataset.failing) || !words.every((word) => text.includes(word));
  }
}

function openTarget() {
  const span = document.getElementById(location.hash.slice(1));
  if (span instanceof HTMLDetailsElement) {
    span.hidden = false;
    span.open = true;
    span.scrollIntoView({ block: "center" });
  }
}

search.addEventListener("input", filter);
failedOnly.addEventListener("click", () => {
  failedOnly.setAttribute("aria-pressed", failedOnly.getAttribute("aria-pressed") !== "true");
  filter();
});
toggle.addEventListener("click", () => {
  const open = !spans.some((span) => span.open);
  for (const span of spans) span.open = open;
});
addEventListener("hashchange", openTarget);
openTarget();

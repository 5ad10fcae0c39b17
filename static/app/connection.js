// The connection pill, and the state of the feed for CSS.

import { setText } from "./dom.js";

const GOOD_MS = 150;
const FAIR_MS = 500;
const WORDS = {
  connecting: "Connecting",
  live: "Live",
  resyncing: "Catching up",
  stale: "Stale",
  offline: "Reconnecting",
};

function quality(feed) {
  if (!feed.live) return "poor";
  if (feed.rttMs === null || feed.rttMs < GOOD_MS) return "good";
  return feed.rttMs < FAIR_MS ? "fair" : "poor";
}

function text(feed) {
  if (feed.live && feed.rttMs !== null) return `${feed.rttMs} ms`;
  return WORDS[feed.state];
}

function show(feed) {
  document.body.dataset.feed = feed.state;
  const pill = document.getElementById("connection");
  if (!pill) return;
  pill.dataset.state = feed.state;
  pill.dataset.quality = quality(feed);
  setText(pill.querySelector("[data-connection-text]"), text(feed));
}

export function startConnection(feed) {
  feed.addEventListener("state", () => show(feed));
  feed.addEventListener("rtt", () => show(feed));
  show(feed);
}

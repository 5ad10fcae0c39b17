// The markets page: live figures, sorting, searching and favourites over the table that the server drew.
//
// Rows keep their places while prices move: the order is put right only now and then, while nobody points at the table or is in it.

import { startConnection } from "./connection.js";
import { Curve } from "./curve.js";
import { flash, setDirection, setText } from "./dom.js";
import { toggleFavourite } from "./favourites.js";
import { Feed } from "./feed.js";
import { startHotkeys } from "./hotkeys.js";
import { compact, fromWire, percent } from "./numbers.js";
import { socketUrl } from "./socket.js";
import { figures } from "./ticker.js";
import { QUOTE_DECIMALS } from "./units.js";

const HOURS_A_YEAR = 8760n;
const RATE_DECIMALS = 9;
const STATUS_WORDS = { post_only: "Post only", cancel_only: "Cancel only", halted: "Halted", delisted: "Delisted" };
const SOURCE_WORDS = { live: "Live", simulated: "Simulated", replay: "Replayed" };
const STATE_WORDS = {
  single: "One source",
  uncertain: "Uncertain price",
  disputed: "Sources disagree",
  stale: "No fresh price",
  halted: "Price halted",
};
const REORDER_MS = 15_000;
const NONE_STARRED = "No favourites yet: press the star beside a market.";
const NONE_FITS = "No market fits. Search by a name or an asset, such as BTC.";

const table = document.getElementById("market-list");
const tools = document.getElementById("market-tools");
const search = document.getElementById("market-search");
const sortSelect = document.getElementById("market-sort");
const none = document.getElementById("market-none");
const body = table.tBodies[0];
const rows = new Map([...body.rows].map((row) => [row.dataset.market, { row, ticker: null, curve: curveOf(row) }]));

function curveOf(row) {
  const svg = row.querySelector("svg.curve");
  return svg && new Curve(svg);
}

// A market in which nothing traded yet shows its mark.
function shown(ticker) {
  const all = figures(ticker);
  const annual = fromWire(ticker.funding_rate || "0", RATE_DECIMALS) * HOURS_A_YEAR;
  return {
    ...all,
    last_price: Number(ticker.last_price) ? all.last_price : all.mark_price,
    funding_annual: { text: `${percent(annual, RATE_DECIMALS, { places: 1 })} / year` },
  };
}

function remember(row, ticker) {
  const data = row.dataset;
  data.last = Number(ticker.last_price) ? ticker.last_price : ticker.mark_price;
  data.change = ticker.change_24h;
  data.volume = ticker.quote_volume_24h;
  data.openInterest = String(Number(ticker.open_interest) * Number(ticker.mark_price));
  data.funding = ticker.funding_rate;
}

function showStates(row, ticker) {
  const status = row.querySelector("[data-status]");
  status.hidden = ticker.status === "normal";
  setText(status, STATUS_WORDS[ticker.status] ?? "");
  const fine = ticker.oracle_state === "valid";
  const prices = row.querySelector("[data-prices]");
  prices.classList.toggle("warn", !fine);
  setText(prices, fine ? SOURCE_WORDS[ticker.price_source] : (STATE_WORDS[ticker.oracle_state] ?? ticker.oracle_state));
}

function show(ticker, nowMs) {
  const held = rows.get(ticker.market);
  if (!held) return;
  const { row, curve, ticker: before } = held;
  const texts = shown(ticker);
  for (const cell of row.querySelectorAll("[data-cell]")) {
    const figure = texts[cell.dataset.cell];
    setText(cell, figure.text);
    if (figure.sign !== undefined) setDirection(cell, figure.sign);
  }
  if (before) flash(row.querySelector("[data-cell=last_price]"), Math.sign(Number(ticker.last_price) - Number(before.last_price)));
  curve?.take(Math.round(Number(ticker.mark_price) / Number(row.dataset.tick)), nowMs);
  showStates(row, ticker);
  remember(row, ticker);
  held.ticker = ticker;
}

function showTotals() {
  const tickers = [...rows.values()].map(({ ticker }) => ticker).filter(Boolean);
  if (tickers.length < rows.size) return;
  const volume = tickers.reduce((sum, { quote_volume_24h: each }) => sum + fromWire(each, QUOTE_DECIMALS), 0n);
  const open = tickers.reduce((sum, { open_interest: size, mark_price: mark }) => sum + fromWire(size, 8) * fromWire(mark, 8), 0n);
  setText(document.querySelector("[data-total=volume]"), `$${compact(volume, QUOTE_DECIMALS)}`);
  setText(document.querySelector("[data-total=open_interest]"), `$${compact(open, 16)}`);
}

function keyOf(row, sort) {
  if (sort === "market") return row.dataset.market;
  return Number(row.dataset[sort.replace(/_(\w)/, (_, letter) => letter.toUpperCase())]);
}

function compare(left, right, sort) {
  const [one, other] = [keyOf(left, sort), keyOf(right, sort)];
  return one < other ? -1 : one > other ? 1 : 0;
}

function inOrder(sort, dir) {
  const sign = dir === "desc" ? -1 : 1;
  return [...body.rows].sort((a, b) => sign * compare(a, b, sort) || compare(a, b, "market"));
}

// Figures move on, and rows with them, but never under a pointer or the keyboard's focus.
function putRight() {
  if (table.matches(":hover, :focus-within")) return;
  const ordered = inOrder(table.dataset.sort, table.dataset.dir);
  if (ordered.some((row, at) => row !== body.rows[at])) body.append(...ordered);
}

/** Put the rows in an order; equal ones stay by name. */
function sortBy(sort, dir) {
  body.append(...inOrder(sort, dir));
  Object.assign(table.dataset, { sort, dir });
  for (const link of table.querySelectorAll("a[data-sort]")) markHeading(link, sort, dir);
  sortSelect.value = sort;
  keepAddress();
}

function markHeading(link, sort, dir) {
  const heading = link.closest("th");
  if (link.dataset.sort === sort) heading.setAttribute("aria-sort", dir === "desc" ? "descending" : "ascending");
  else heading.removeAttribute("aria-sort");
}

function directionFor(sort) {
  if (sort === table.dataset.sort) return table.dataset.dir === "desc" ? "asc" : "desc";
  return sort === "market" ? "asc" : "desc";
}

function starredOnly() {
  return tools.querySelector("[name=show][value=favourites]").getAttribute("aria-pressed") === "true";
}

function filter() {
  const wanted = search.value.trim().toLowerCase();
  const starred = starredOnly();
  let count = 0;
  for (const { row } of rows.values()) {
    const favourite = row.querySelector("[data-star]").getAttribute("aria-pressed") === "true";
    row.hidden = !row.dataset.name.includes(wanted) || (starred && !favourite);
    count += row.hidden ? 0 : 1;
  }
  if (!rows.size) return;
  none.hidden = count > 0;
  setText(none, starred && !wanted ? NONE_STARRED : NONE_FITS);
}

function choose(chip) {
  for (const each of tools.querySelectorAll("[name=show]")) each.setAttribute("aria-pressed", String(each === chip));
  filter();
  keepAddress();
}

// The page can be reloaded, kept and sent as it is.
function keepAddress() {
  const { sort, dir } = table.dataset;
  const query = new URLSearchParams({ sort, dir });
  if (starredOnly()) query.set("show", "favourites");
  if (search.value.trim()) query.set("q", search.value.trim());
  history.replaceState(null, "", `?${query}`);
}

function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  const links = [...body.querySelectorAll("tr:not([hidden]) a[data-row-link]")];
  const at = links.indexOf(document.activeElement?.closest("tr")?.querySelector("a[data-row-link]"));
  const next = links[at + step];
  if (next) next.focus();
  else if (at + step < 0) search.focus();
  event.preventDefault();
}

function press(event) {
  const heading = event.target.closest("a[data-sort]");
  const star = event.target.closest("[data-star]");
  if (heading && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    sortBy(heading.dataset.sort, directionFor(heading.dataset.sort));
  } else if (star) {
    star.setAttribute("aria-pressed", String(toggleFavourite(star.closest("tr").dataset.market)));
    if (starredOnly()) filter();
  }
}

function submit(event) {
  event.preventDefault();
  if (event.submitter?.name === "show") choose(event.submitter);
  else body.querySelector("tr:not([hidden]) a[data-row-link]")?.click();
}

table.addEventListener("click", press);
table.addEventListener("keydown", walk);
tools.addEventListener("submit", submit);
// Enter in the search field opens the first market that fits, whatever the form's first button is.
search.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") walk(event);
  if (event.key !== "Enter") return;
  event.preventDefault();
  body.querySelector("tr:not([hidden]) a[data-row-link]")?.click();
});
search.addEventListener("input", () => {
  filter();
  keepAddress();
});
sortSelect.addEventListener("change", () => sortBy(sortSelect.value, sortSelect.value === "market" ? "asc" : "desc"));
startHotkeys({
  "/": () => {
    search.select();
    return true;
  },
});

const feed = new Feed({ url: socketUrl("/ws/v1/") });
startConnection(feed);
feed.subscribe({ channel: "tickers" }, ({ tickers }) => {
  for (const ticker of tickers) show(ticker, feed.serverNowMs());
  showTotals();
});
setInterval(putRight, REORDER_MS);
feed.start();

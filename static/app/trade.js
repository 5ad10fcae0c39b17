// The trade page: one socket, and the parts of the page that follow it.

import { Account } from "./account.js";
import { Book } from "./book.js";
import { startConnection } from "./connection.js";
import { Depth, startDepth } from "./depth.js";
import { openDialog } from "./dialog.js";
import { pageState } from "./dom.js";
import { Feed } from "./feed.js";
import { startHotkeys } from "./hotkeys.js";
import { startLeverage } from "./leverage.js";
import { MarketBar } from "./market.js";
import { tell } from "./news.js";
import { startOracle } from "./oracle.js";
import { resting } from "./orders.js";
import { Pnl } from "./pnl.js";
import { mostLots } from "./power.js";
import { PriceChart } from "./pricechart.js";
import { startReduce } from "./reduce.js";
import { MarketRows } from "./rows.js";
import { startSheet } from "./sheet.js";
import { showSigning, Signer, startSigning, termsOfMove } from "./signing.js";
import { socketUrl } from "./socket.js";
import { startTabs } from "./tabs.js";
import { Tape } from "./tape.js";
import { Ticket } from "./ticket.js";
import { toast } from "./toast.js";
import { MarketUnits } from "./units.js";

const state = pageState();
const units = new MarketUnits(state.market);
const market = units.symbol;
const feed = new Feed({ url: socketUrl(state.socket_path) });

const bar = new MarketBar({ root: document.getElementById("market-bar"), units, nowMs: () => feed.serverNowMs() });
const tape = new Tape({ body: document.getElementById("tape-rows"), units });
const book = new Book({ root: document.getElementById("book"), units, onPrice: (ticks) => ticket.setPrice(ticks) });
const account = state.account && new Account(state.account);
const signer = state.signing && new Signer({ state: state.signing, nowMs: () => feed.serverNowMs() });
const ticket = new Ticket({ units, feed, levels: book.levels, estimateMost, blocked });
const chart = new PriceChart({ root: document.getElementById("chart"), feed, units, urls: state.urls });

const depthMount = document.querySelector("[data-depth-canvas]");
const depth = depthMount && new Depth({ mount: depthMount, units, levels: book.levels });

function estimateMost({ side, ticks }) {
  if (!account) return 0n;
  const leverage = BigInt(Number.parseInt(document.querySelector("[data-leverage]")?.textContent, 10) || 1);
  return mostLots({ account, units, side, ticks, leverage, takerFeePpm: BigInt(state.market.taker_fee_ppm ?? 0) });
}

function blocked() {
  return signer && !signer.keyFor(state.market.market_id) ? "No trading key: orders of this account cannot be signed here" : "";
}

/** Sign for an account that a wallet owns; all others send their orders as they are. */
async function followKeys() {
  if (!signer) return;
  startSigning({ signer, ticket, market: state.market, failed: (text) => toast({ title: "Not signed", text, kind: "bad", urgent: true }) });
  account.signMove = (order, field, ticks) => signer.sign(termsOfMove(order, field, ticks, { units, market: state.market }));
  const show = () => showSigning({ signer, marketId: state.market.market_id });
  document.addEventListener("htmx:after:swap", show);
  await signer.find();
  show();
  ticket.refresh();
}

function showLast(text) {
  const ticks = Number(units.price.fromWire(text));
  if (ticks) book.setLast(ticks, bar.showLast(ticks));
}

function showTrades({ type, trades }) {
  if (type === "snapshot") tape.load(trades);
  else tape.add(trades);
  if (trades.length) showLast(trades.at(-1).price);
}

function followMarket() {
  if (state.book) book.take({ type: "snapshot", ...state.book });
  if (state.ticker) {
    bar.showTicker(state.ticker);
    showLast(state.ticker.last_price);
  }
  const levels = feed.subscribe({ channel: "book", market }, (message) => {
    if (!book.take(message)) levels.resync();
    ticket.refreshSoon();
    if (depth && !depth.mount.hidden) depth.mark();
  });
  feed.subscribe({ channel: "trades", market }, showTrades);
  feed.subscribe({ channel: "ticker", market }, ({ ticker }) => {
    bar.showTicker(ticker);
    ticket.refreshSoon();
  });
  feed.addEventListener("state", () => book.setLive(feed.live));
  book.setLive(feed.live);
}

function followAccount() {
  if (!account) return;
  const pnl = new Pnl({ feed, account });
  const showOwn = () => book.setOwn(resting(account, units));
  account.addEventListener("change", ({ detail }) => {
    showOwn();
    tell(detail);
  });
  showOwn();
  pnl.follow();
  chart.follow(account);
  feed.subscribe({ channel: "account", account_id: state.account_id }, (message) => account.take(message));
  startReduce({ account, units, ticket });
  feed.addEventListener("refused", ({ detail: { topic } }) => topic?.channel === "account" && sessionEnded());
}

function sessionEnded() {
  toast({
    title: "You are logged out",
    text: "Positions and orders on this page stand still. Log in again to trade.",
    kind: "bad",
    urgent: true,
    key: "session",
  });
}

function followMenu() {
  const menu = document.getElementById("market-menu");
  if (!menu) return;
  const rows = new MarketRows({ feed, table: menu });
  new MutationObserver(() => (menu.open ? rows.start() : rows.stop())).observe(menu, { attributeFilter: ["open"] });
}

/** Ask whether to cancel all orders, as its button does; returns whether there is one. */
function askToCancelAll() {
  const form = document.querySelector("form.cancel-all");
  form?.requestSubmit();
  return form !== null;
}

startConnection(feed);
startTabs();
startLeverage();
startOracle(feed);
startSheet({ choose: (name, value) => ticket.choose(name, value) });
startHotkeys({
  b: () => ticket.choose("side", "buy"),
  s: () => ticket.choose("side", "sell"),
  m: () => ticket.choose("type", "market"),
  l: () => ticket.choose("type", "limit"),
  ...Object.fromEntries(["25", "50", "75", "100"].map((share, index) => [String(index + 1), () => ticket.takeShare(share)])),
  x: askToCancelAll,
  escape: () => chart.drawings.stop(),
  delete: () => chart.drawings.removeSelected(),
  "?": () => openDialog("keys-dialog") !== null,
});
if (depth) startDepth({ root: document.getElementById("chart"), depth });
followMarket();
followAccount();
followMenu();
followKeys();
feed.start();

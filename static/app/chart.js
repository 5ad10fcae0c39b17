// The price chart: everything that knows klinecharts is here and in the three modules that it imports.

import { chartStyles } from "./chartstyle.js";
import { fillFigures, lineFigure, registerLines } from "./chartlines.js";
import { registerIndicators } from "./indicators.js";
import { palette } from "./theme.js";

const OVER_CANDLES = new Set(["MA", "EMA", "BOLL", "VWAP"]);
const PARAMETERS = { MA: [20, 50], EMA: [21, 55], BOLL: [20, 2], RSI: [14], VOL: [] };
const PANE_HEIGHT_PX = 88;
const PERIODS = {
  "1m": { type: "minute", span: 1 },
  "5m": { type: "minute", span: 5 },
  "15m": { type: "minute", span: 15 },
  "1h": { type: "hour", span: 1 },
  "4h": { type: "hour", span: 4 },
  "1d": { type: "day", span: 1 },
};

let registered = false;

function register(library) {
  if (registered) return;
  registerIndicators(library);
  registerLines(library);
  registered = true;
}

export class Chart {
  #lines = "";

  constructor({ mount, units, candles }) {
    const library = globalThis.klinecharts;
    register(library);
    this.mount = mount;
    this.units = units;
    this.candles = candles;
    this.chart = library.init(mount, { hotkey: { enabled: false }, styles: chartStyles(palette()), locale: "en-US" });
    // The library makes its root focusable; a picture has nothing to focus, and the table view is beside it.
    mount.firstElementChild?.removeAttribute("tabindex");
    mount.setAttribute("role", "img");
    this.chart.setSymbol({ ticker: units.symbol, pricePrecision: units.price.decimals, volumePrecision: units.size.decimals });
    document.addEventListener("theme:changed", () => this.#restyle());
    new ResizeObserver(() => this.chart.resize()).observe(mount);
  }

  /** Show bars of an interval such as 15m. */
  setPeriod(interval) {
    const first = this.candles.interval === null;
    if (this.candles.interval === interval) return;
    this.candles.unsubscribeBar();
    this.candles.interval = interval;
    this.chart.setPeriod(PERIODS[interval]);
    if (first) this.chart.setDataLoader(this.#loader());
  }

  /** Show exactly these indicators. */
  setIndicators(names) {
    for (const { id, name } of this.chart.getIndicators()) if (!names.includes(name)) this.chart.removeIndicator({ id });
    const present = new Set(this.chart.getIndicators().map(({ name }) => name));
    for (const name of names) if (!present.has(name)) this.#addIndicator(name);
  }

  /** Draw the account's lines: {id, ticks, label, tone: up|down|action|warning, onMoved?} each. */
  setLines(lines) {
    const colour = palette();
    const wanted = JSON.stringify([lines.map(({ id, ticks, label, tone }) => [id, String(ticks), label, tone]), colour("page")]);
    if (wanted === this.#lines) return;
    this.#lines = wanted;
    this.lines = lines;
    this.chart.removeOverlay({ groupId: "lines" });
    for (const line of lines) this.chart.createOverlay(lineFigure(this.#drawn(line, colour)));
  }

  /** Draw the lines again: one that was dragged goes back to where it belongs. */
  redraw() {
    this.#lines = "";
    this.setLines(this.lines ?? []);
  }

  /** Mark own fills: {time_ms, price, side} each. */
  setMarks(fills) {
    const colour = palette();
    this.marks = fills;
    const { type, span } = this.chart.getPeriod();
    const barMs = span * { minute: 60_000, hour: 3_600_000, day: 86_400_000 }[type];
    const figures = fills.map(({ time_ms: timeMs, price, side }) => ({
      timestamp: timeMs - (timeMs % barMs),
      value: Number(price),
      side,
      colors: { fill: colour(side === "buy" ? "up" : "down"), edge: colour("panel") },
    }));
    this.chart.removeOverlay({ groupId: "fills" });
    if (figures.length) this.chart.createOverlay(fillFigures(figures));
  }

  /** Say to those who cannot see it what the picture shows. */
  describe(text) {
    if (this.mount.getAttribute("aria-label") !== text) this.mount.setAttribute("aria-label", text);
  }

  get bars() {
    return this.chart.getDataList();
  }

  #loader() {
    return {
      getBars: (question) => this.candles.getBars(question),
      subscribeBar: (question) => this.candles.subscribeBar(question),
      unsubscribeBar: () => this.candles.unsubscribeBar(),
    };
  }

  #addIndicator(name) {
    const indicator = { name, ...(PARAMETERS[name] && { calcParams: PARAMETERS[name] }) };
    if (OVER_CANDLES.has(name)) {
      this.chart.createIndicator({ ...indicator, paneId: "candle_pane" }, true);
      return;
    }
    const paneId = `pane_${name}`;
    this.chart.createIndicator({ ...indicator, paneId });
    this.chart.setPaneOptions({ id: paneId, height: PANE_HEIGHT_PX, minHeight: 40 });
  }

  #drawn(line, colour) {
    const price = (value) => this.units.price.format(this.#ticks(value));
    const onMoved = line.onMoved && ((value) => line.onMoved(this.#ticks(value)));
    const value = Number(this.units.price.toWire(line.ticks));
    return { ...line, value, price, onMoved, color: colour(line.tone), onColor: colour("on-fill") };
  }

  #ticks(value) {
    return Math.round(value / Number(this.units.price.text));
  }

  #restyle() {
    this.chart.setStyles(chartStyles(palette()));
    this.redraw();
    this.setMarks(this.marks ?? []);
  }
}

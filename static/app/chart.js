// The price chart: everything that knows klinecharts is here and in the four modules that it imports.

import { chartStyles, legends } from "./chartstyle.js";
import { fillFigures, lineFigure, registerLines } from "./chartlines.js";
import { Drawings } from "./drawings.js";
import { registerIndicators } from "./indicators.js";
import { palette } from "./theme.js";

const OVER_CANDLES = new Set(["MA", "EMA", "BOLL", "VWAP"]);
const PARAMETERS = { MA: [20, 50], EMA: [21, 55], BOLL: [20, 2], RSI: [14], VOL: [] };
// The candles' own legend names the volume.
const BARE = { createTooltipDataSource: () => ({ name: "", calcParamsText: "", features: [], legends: [] }) };
const PANE_HEIGHT_PX = 88;
const NARROW_PX = 560;
const PERIODS = {
  "1m": { type: "minute", span: 1 },
  "5m": { type: "minute", span: 5 },
  "15m": { type: "minute", span: 15 },
  "1h": { type: "hour", span: 1 },
  "4h": { type: "hour", span: 4 },
  "1d": { type: "day", span: 1 },
  "1w": { type: "week", span: 1 },
};

let registered = false;

function register(library) {
  if (registered) return;
  registerIndicators(library);
  registerLines(library);
  registered = true;
}

export class Chart {
  #drawn = new Map();
  #grabbed = null;
  #narrow = false;

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
    this.drawings = new Drawings({ chart: this.chart, market: units.symbol });
    document.addEventListener("theme:changed", () => this.#restyle());
    new ResizeObserver(() => this.#resize()).observe(mount);
    // A canvas does not draw again by itself when its font has come.
    document.fonts.ready.then(() => this.chart.resize());
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
    this.lines = lines;
    const wanted = new Set(lines.map(({ id }) => id));
    for (const id of this.#drawn.keys()) if (!wanted.has(id)) this.#erase(id);
    const colour = palette();
    for (const line of lines) this.#draw(line, colour);
  }

  /** Draw the lines again: one that was dragged goes back to where it belongs. */
  redraw() {
    this.#drawn.clear();
    this.chart.removeOverlay({ groupId: "lines" });
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
    const indicator = { name, ...(PARAMETERS[name] && { calcParams: PARAMETERS[name] }), ...(name === "VOL" && BARE) };
    if (OVER_CANDLES.has(name)) {
      this.chart.createIndicator({ ...indicator, paneId: "candle_pane" }, true);
      return;
    }
    const paneId = `pane_${name}`;
    this.chart.createIndicator({ ...indicator, paneId });
    this.chart.setPaneOptions({ id: paneId, height: PANE_HEIGHT_PX, minHeight: 40 });
  }

  #erase(id) {
    this.#drawn.delete(id);
    this.chart.removeOverlay({ id });
  }

  // A line that is being dragged is left alone until it is let go.
  #draw(line, colour) {
    const looks = [line.ticks, line.label, line.tone].join(" ");
    if (this.#drawn.get(line.id) === looks || this.#grabbed === line.id) return;
    const figure = lineFigure(this.#figure(line, colour));
    if (this.#drawn.has(line.id)) this.chart.overrideOverlay(figure);
    else this.chart.createOverlay(figure);
    this.#drawn.set(line.id, looks);
  }

  #figure(line, colour) {
    return {
      ...line,
      value: Number(this.units.price.toWire(line.ticks)),
      price: (value) => this.units.price.format(this.#ticks(value)),
      color: colour(line.tone),
      onColor: colour("on-fill"),
      onGrabbed: () => (this.#grabbed = line.id),
      onMoved: line.onMoved && ((value) => this.#letGo(line, this.#ticks(value))),
    };
  }

  #letGo(line, ticks) {
    this.#grabbed = null;
    this.#drawn.set(line.id, "");
    if (BigInt(ticks) !== line.ticks) line.onMoved(ticks);
  }

  #ticks(value) {
    return Math.round(value / Number(this.units.price.text));
  }

  #resize() {
    this.chart.resize();
    const narrow = this.mount.clientWidth < NARROW_PX;
    if (narrow === this.#narrow) return;
    this.#narrow = narrow;
    this.chart.setStyles(legends({ always: !narrow }));
  }

  #restyle() {
    this.chart.setStyles(chartStyles(palette()));
    this.redraw();
    this.setMarks(this.marks ?? []);
  }
}

// The chart's controls; what was chosen is kept for the next visit.

const KEY = "qd.chart";
const DEFAULTS = { period: "1m", indicators: ["MA", "VOL"] };

function stored() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch (error) {
    console.warn("The stored chart settings cannot be read; the defaults are used.", error);
    return { ...DEFAULTS };
  }
}

export class ChartBar {
  constructor({ root, chart }) {
    Object.assign(this, { root, chart, settings: stored() });
    root.addEventListener("click", ({ target }) => this.#clicked(target.closest("button[data-period]")));
    root.addEventListener("click", ({ target }) => this.#draws(target.closest("button[data-draw]")));
    root.addEventListener("change", ({ target }) => target.matches("[data-indicator]") && this.#ticked());
    this.#show();
  }

  #clicked(button) {
    if (!button) return;
    this.settings.period = button.dataset.period;
    this.#keep();
  }

  #draws(button) {
    if (!button) return;
    if (button.dataset.draw) this.chart.drawings.start(button.dataset.draw);
    else this.chart.drawings.clear();
  }

  #ticked() {
    const ticked = [...this.root.querySelectorAll("[data-indicator]:checked")];
    this.settings.indicators = ticked.map((input) => input.dataset.indicator);
    this.#keep();
  }

  #keep() {
    localStorage.setItem(KEY, JSON.stringify(this.settings));
    this.#show();
  }

  #show() {
    const { period, indicators } = this.settings;
    for (const button of this.root.querySelectorAll("button[data-period]")) {
      button.setAttribute("aria-pressed", String(button.dataset.period === period));
    }
    for (const input of this.root.querySelectorAll("[data-indicator]")) input.checked = indicators.includes(input.dataset.indicator);
    this.chart.setPeriod(period);
    this.chart.setIndicators(indicators);
  }
}

// Indicators that klinecharts does not bring.

const DAY_MS = 86_400_000;

/** Volume-weighted average price since midnight UTC. */
const VWAP = {
  name: "VWAP",
  shortName: "VWAP",
  series: "price",
  figures: [{ key: "vwap", title: "VWAP: ", type: "line" }],
  calc: (bars) => {
    let day = null;
    let volume = 0;
    let value = 0;
    return bars.map((bar) => {
      const today = Math.floor(bar.timestamp / DAY_MS);
      if (today !== day) [day, volume, value] = [today, 0, 0];
      volume += bar.volume;
      value += (bar.volume * (bar.high + bar.low + bar.close)) / 3;
      return volume ? { vwap: value / volume } : {};
    });
  },
};

export function registerIndicators(klinecharts) {
  klinecharts.registerIndicator(VWAP);
}

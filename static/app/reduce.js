// A position's size, pressed: the ticket is filled with a reduce-only limit order that closes it, to send as it is or to change.

const ASKED = "#reduce";

/** Fill the ticket for this market's position when its link is pressed, or when the page was opened by one of another market. */
export function startReduce({ account, units, ticket }) {
  const fill = () => {
    const position = account.positions.get(units.symbol);
    if (!position) return;
    const lots = units.size.fromWire(position.size);
    const side = lots < 0n ? "buy" : "sell";
    ticket.reduce({ side, lots: lots < 0n ? -lots : lots });
    const opener = document.querySelector(`[data-open-ticket="${side}"]`);
    if (opener?.checkVisibility()) opener.click();
    else document.getElementById("ticket-size").focus();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("a[data-reduce]")?.dataset.reduce !== units.symbol) return;
    event.preventDefault();
    fill();
  });
  if (location.hash === ASKED) fill();
}

// The visitor's favourite markets, in a cookie: so the server's first paint knows them.

const COOKIE = "qd_favourites";
const SEPARATOR = ".";
const YEAR_SECONDS = 365 * 24 * 3600;

function read() {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${COOKIE}=`));
  return new Set((found?.slice(COOKIE.length + 1) ?? "").split(SEPARATOR).filter(Boolean));
}

/** Add a market to the favourites or take it out; return whether it is one now. */
export function toggleFavourite(market) {
  const favourites = read();
  const added = !favourites.delete(market);
  if (added) favourites.add(market);
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${COOKIE}=${[...favourites].join(SEPARATOR)}; path=/; max-age=${YEAR_SECONDS}; samesite=lax${secure}`;
  return added;
}

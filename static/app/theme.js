// Theme and direction colours: an attribute on <html>, and a cookie so that the server's next page starts with them.

const YEAR_SECONDS = 31_536_000;

function choose(name, value) {
  document.documentElement.dataset[name] = value;
  document.cookie = `qd_${name}=${value}; path=/; max-age=${YEAR_SECONDS}; samesite=lax`;
  document.dispatchEvent(new Event("theme:changed"));
}

/** The page's colours as CSS has them now. */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

export function startTheme() {
  document.addEventListener("change", ({ target }) => {
    if (target.form?.id === "display-form") choose(target.name, target.value);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (document.documentElement.dataset.theme === "system") document.dispatchEvent(new Event("theme:changed"));
  });
}

// <details class="menu">: closes on Escape, on a press elsewhere, and when something was chosen from it.

function openMenus() {
  return document.querySelectorAll("details.menu[open]");
}

function close(menu) {
  const inside = menu.contains(document.activeElement);
  menu.open = false;
  if (inside) menu.querySelector("summary").focus();
}

export function startMenus() {
  document.addEventListener("pointerdown", ({ target }) => {
    for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    openMenus().forEach(close);
  });
  document.addEventListener("change", ({ target }) => target.matches("input[type=radio]") && openMenus().forEach(close));
  document.addEventListener("click", ({ target }) => target.closest("details.menu button.menu-item") && openMenus().forEach(close));
}

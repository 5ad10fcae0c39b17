// Django's admin has the theme and the direction colours that the site's Display dialog chose.

for (const [name, usual] of [["theme", "dark"], ["updown", "green-red"]]) {
  const chosen = document.cookie.match(new RegExp(`(?:^|; )qd_${name}=([a-z-]+)`));
  document.documentElement.dataset[name] = chosen ? chosen[1] : usual;
}

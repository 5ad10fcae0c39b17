// A page acts on the account that it shows, also after another one was chosen elsewhere: each of its requests says which.

const HEADER = "X-QD-Account";

export function startShown() {
  const { account } = document.body.dataset;
  if (!account) return;
  document.addEventListener("htmx:config:request", ({ detail }) => {
    detail.ctx.request.headers[HEADER] = account;
  });
}

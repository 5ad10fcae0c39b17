// Calls to /api/v1/ by the signed-in page: JSON, the session's cookie, Django's CSRF token.

export class ApiError extends Error {
  constructor({ code, message, data }, status) {
    super(message);
    this.code = code;
    this.data = data ?? {};
    this.status = status;
  }
}

function csrfToken() {
  const input = document.querySelector("input[name=csrfmiddlewaretoken]");
  return input?.value ?? /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

async function failure(response) {
  const unknown = { code: "UNKNOWN", message: `The server answered ${response.status}` };
  const body = await response.json().catch(() => ({}));
  return new ApiError(body.error ?? unknown, response.status);
}

/** Send a request; returns the answer's JSON, throws ApiError on a refusal and TypeError without a network. */
export async function api(path, { method = "GET", body, signal, headers: more } = {}) {
  const headers = { Accept: "application/json", ...more };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (document.body.dataset.account) headers["X-QD-Account"] = document.body.dataset.account;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body), credentials: "same-origin", signal });
  if (!response.ok) throw await failure(response);
  return response.status === 204 ? null : response.json();
}

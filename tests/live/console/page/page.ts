/** A page that has nothing but the phone; the tests drive it as `page`. */
import {
  Phone,
  type PhoneState,
} from "../../../../console/src/lib/phone/phone";

const API = "/api/v1";
let csrf = "";

async function ask(
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const headers = { "X-CSRF-Token": csrf, "Content-Type": "application/json" };
  const response = await fetch(API + path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok)
    throw Object.assign(new Error(`${method} ${path}: ${response.status}`), {
      status: response.status,
    });
  return response.status === 204 ? null : response.json();
}

/** Sign in, or go on with the cookie where another tab has. */
async function begin(email?: string, password?: string): Promise<void> {
  const session = await (email
    ? ask("POST", "/session", { email, password })
    : ask("GET", "/session"));
  csrf = (session as { csrf: string }).csrf;
  phone.start();
}

/** Every state there was, with its moment. */
const states: { at: number; state: PhoneState }[] = [];

const phone = new Phone({
  openPhone: () => ask("POST", "/session/phone") as never,
  leavePage: () =>
    void fetch(`${API}/session/phone/leaving`, {
      method: "POST",
      keepalive: true,
      headers: { "X-CSRF-Token": csrf },
    }),
  origin: location.origin,
  onChange: (state) =>
    states.push({ at: performance.now(), state: structuredClone(state) }),
});

/** Websocket messages go nowhere from now on, and nobody says so: a network that is gone. */
function deafen(): void {
  for (const socket of sockets) {
    socket.onmessage = null;
    socket.send = () => {};
  }
}

const sockets: WebSocket[] = [];
const wire: { at: number; out: boolean; text: string }[] = [];
const Original = WebSocket;
window.WebSocket = class extends Original {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    sockets.push(this);
    this.addEventListener("message", ({ data }) =>
      wire.push({ at: performance.now(), out: false, text: String(data) }),
    );
  }

  override send(data: string): void {
    wire.push({ at: performance.now(), out: true, text: String(data) });
    super.send(data);
  }
};

async function command(
  name: keyof Phone,
  ...given: unknown[]
): Promise<unknown> {
  try {
    return {
      done: await (phone[name] as (...given: unknown[]) => unknown).apply(
        phone,
        given,
      ),
    };
  } catch (error) {
    return {
      problem: (error as { problem?: unknown }).problem ?? String(error),
    };
  }
}

Object.assign(window, {
  page: { phone, states, wire, begin, ask, command, deafen },
});

// The page at `/`, where the open conversation stands in the address, so a reload or a bookmark comes back to it; and the
// page at `/connect`, which asks whether an AI client may be connected.
import { effect } from "@preact/signals";
import { mount } from "./mount";

const PREFIX = "#/c/";
const CONNECTIONS = "#/connections";
/** A page of a material, as links from AI clients name it. */
let linked = /^#\/m\/([\w-]+)\/(\d+)$/.exec(location.hash);
const isConnecting = /\/connect$/.test(location.pathname);
const request = isConnecting ? (new URLSearchParams(location.search).get("request") ?? "") : null;
if (isConnecting) document.title = "Connect an app · Lyceum";

const memory = {
  get: () => (location.hash.startsWith(PREFIX) ? decodeURIComponent(location.hash.slice(PREFIX.length)) : null),
  set: (id: string | null) => {
    if (isConnecting) return;
    const hash = id ? PREFIX + encodeURIComponent(id) : "";
    if (location.hash !== hash) history.pushState(null, "", hash || location.pathname + location.search);
  },
};
const place = document.getElementById("lyceum") as HTMLElement;
const app = mount(document, place, new URL("./", document.baseURI), memory, request);
// Signing in may come between the address and what it opens.
effect(() => {
  if (app.session.value.state === "in" && location.hash === CONNECTIONS) app.connections.show();
});
effect(() => {
  if (app.session.value.state !== "in" || !linked) return;
  const [, material = "", page] = linked;
  linked = null;
  // After this pass: what opens reads the signals that it changes.
  queueMicrotask(() => void app.evidence.openMaterial(material, null, Number(page)));
});

addEventListener("popstate", () => {
  if (app.session.value.state !== "in") return;
  if (location.hash === CONNECTIONS) return app.connections.show();
  const id = location.hash.startsWith(PREFIX) ? decodeURIComponent(location.hash.slice(PREFIX.length)) : null;
  if (id === app.chat.conversationId.value) return;
  if (id) void app.chat.openConversation(id);
  else app.chat.clear();
});

addEventListener("beforeunload", (event) => {
  if (app.library.uploads.value.some((one) => one.phase === "sending" || one.phase === "waiting")) event.preventDefault();
});

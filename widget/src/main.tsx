// The page at `/`. The open conversation stands in the address, so a reload or a bookmark comes back to it.
import { mount } from "./mount";

const PREFIX = "#/c/";

const app = mount(document, document.getElementById("lyceum") as HTMLElement, new URL("./", document.baseURI), {
  get: () => (location.hash.startsWith(PREFIX) ? decodeURIComponent(location.hash.slice(PREFIX.length)) : null),
  set: (id) => {
    const hash = id ? PREFIX + encodeURIComponent(id) : "";
    if (location.hash !== hash) history.pushState(null, "", hash || location.pathname + location.search);
  },
});

addEventListener("popstate", () => {
  if (app.session.value.state !== "in") return;
  const id = location.hash.startsWith(PREFIX) ? decodeURIComponent(location.hash.slice(PREFIX.length)) : null;
  if (id === app.chat.conversationId.value) return;
  if (id) void app.chat.openConversation(id);
  else app.chat.clear();
});

addEventListener("beforeunload", (event) => {
  if (app.library.uploads.value.some((one) => one.phase === "sending" || one.phase === "waiting")) event.preventDefault();
});

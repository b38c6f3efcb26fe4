// The app for other people's pages: the loader makes the element, this fills its shadow root on first opening.
import { mount } from "./mount";

const KEY = "lyceum-conversation";

class LyceumPanel extends HTMLElement {
  private mounted = false;

  connectedCallback(): void {
    if (this.mounted) return;
    this.mounted = true;
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    const place = document.createElement("div");
    root.append(place);
    const base = new URL(this.getAttribute("server") ?? "/", document.baseURI);
    mount(root, place, base, {
      get: () => sessionStorage.getItem(KEY),
      set: (id) => (id ? sessionStorage.setItem(KEY, id) : sessionStorage.removeItem(KEY)),
    });
  }
}

if (!customElements.get("lyceum-panel")) customElements.define("lyceum-panel", LyceumPanel);

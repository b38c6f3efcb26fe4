// The one-tag embed, `<script src=".../widget.js">`: a launcher button; the app itself comes with the first click.
(() => {
  const script = document.currentScript as HTMLScriptElement | null;
  if (!script || document.querySelector("lyceum-widget")) return;
  const base = new URL("./", script.src);
  const label = script.dataset["label"] ?? "Ask Lyceum";

  const host = document.createElement("lyceum-widget");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { all: initial; }
    button { position: fixed; right: 20px; bottom: 20px; z-index: 2147483000; width: 56px; height: 56px; border: 0;
      border-radius: 50%; background: #1f5f8b; color: #fff; cursor: pointer; display: grid; place-items: center;
      box-shadow: 0 4px 16px rgb(0 0 0 / .25); }
    button:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px #1f5f8b; }
    svg { width: 28px; height: 28px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    .frame { position: fixed; right: 20px; bottom: 88px; z-index: 2147483000; width: min(440px, calc(100vw - 40px));
      height: min(720px, calc(100vh - 108px)); border-radius: 14px; overflow: hidden; background: #faf9f6;
      box-shadow: 0 10px 40px rgb(0 0 0 / .3); }
    .frame[hidden] { display: none; }
    .frame > lyceum-panel { display: block; height: 100%; }
    .shut { display: none; }
    @media (prefers-color-scheme: dark) { .frame { background: #16181b; } }
    @media (max-width: 560px) {
      .frame { inset: 44px 0 0; width: auto; height: auto; border-radius: 0; }
      .shut { display: grid; inset: 0 0 auto; width: 100%; height: 44px; border-radius: 0; place-items: center end;
        padding-inline-end: 14px; z-index: 2147483001; background: #e9e6de; color: #3d434a; box-shadow: none; }
      .shut.hidden { display: none; }
    }
    @media (max-width: 560px) and (prefers-color-scheme: dark) { .shut { background: #0c0d0f; color: #dcdcd8; } }`);
  root.adoptedStyleSheets = [sheet];

  const button = icon("open", label, "M6 12.5 16 7l10 5.5zM9.5 16v6.5M16 16v6.5M22.5 16v6.5M7 26h18");
  const shut = icon("shut hidden", "Close Lyceum", "M9 9l14 14M23 9 9 23");
  const frame = document.createElement("div");
  frame.className = "frame";
  frame.hidden = true;
  frame.setAttribute("role", "dialog");
  frame.setAttribute("aria-label", "Lyceum");
  button.setAttribute("aria-expanded", "false");

  let loading: Promise<unknown> | null = null;
  const show = (open: boolean): void => {
    frame.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    button.setAttribute("aria-label", open ? "Close Lyceum" : label);
    shut.className = open ? "shut" : "shut hidden";
    button.style.visibility = open && matchMedia("(max-width: 560px)").matches ? "hidden" : "";
    if (!open) return button.focus();
    loading ??= import(/* @vite-ignore */ new URL("__EMBED_FILE__", base).href).then(
      () => {
        const panel = document.createElement("lyceum-panel");
        panel.setAttribute("server", base.href);
        frame.append(panel);
      },
      () => (loading = null),
    );
  };
  button.addEventListener("click", () => show(frame.hidden === true));
  shut.addEventListener("click", () => show(false));
  frame.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) show(false);
  });
  root.append(frame, shut, button);
  if (document.body) document.body.append(host);
  else addEventListener("DOMContentLoaded", () => document.body.append(host));

  function icon(className: string, name: string, path: string): HTMLButtonElement {
    const made = document.createElement("button");
    made.type = "button";
    made.className = className;
    made.setAttribute("aria-label", name);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 32 32");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.append(line);
    made.append(svg);
    return made;
  }
})();

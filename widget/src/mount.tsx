// Puts the app into a document or a shadow root.
import { render } from "preact";
import { Api } from "./api/http";
import { App, AppContext, type Memory } from "./state/app";
import { adopt } from "./styles/adopt";
import css from "./styles/app.css?inline";
import { Shell } from "./ui/Shell";

export function mount(root: Document | ShadowRoot, place: HTMLElement, base: URL, memory: Memory): App {
  adopt(root, css);
  place.classList.add("lyceum");
  const app = new App(new Api(base), root, memory);
  render(
    <AppContext.Provider value={app}>
      <Shell />
    </AppContext.Provider>,
    place,
  );
  void app.start();
  return app;
}

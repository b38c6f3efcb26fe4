// Puts the app into a document or a shadow root. With the id of a request for access, it is the page that answers it.
import { render } from "preact";
import { Api } from "./api/http";
import { App, AppContext, type Memory } from "./state/app";
import { adopt } from "./styles/adopt";
import css from "./styles/app.css?inline";
import connecting from "./styles/connect.css?inline";
import { Shell } from "./ui/Shell";

export function mount(root: Document | ShadowRoot, place: HTMLElement, base: URL, memory: Memory, request: string | null = null): App {
  adopt(root, css + connecting);
  place.classList.add("lyceum");
  const app = new App(new Api(base), root, memory, request);
  render(
    <AppContext.Provider value={app}>
      <Shell />
    </AppContext.Provider>,
    place,
  );
  void app.start();
  return app;
}

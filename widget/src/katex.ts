// KaTeX with its sheet and fonts, in a chunk of its own that loads with the first formula.
import katex from "katex";
import css from "katex/dist/katex.css?inline";
import { adopt } from "./styles/adopt";

const FONTS = import.meta.glob<string>("../node_modules/katex/dist/fonts/*.woff2", {
  query: "?url",
  import: "default",
  eager: true,
});

let fontsKnown = false;
const prepared = new WeakSet<Document | ShadowRoot>();

/** Font faces belong to the document: inside a shadow root @font-face does nothing. The browser fetches those it uses. */
function registerFonts(): void {
  if (fontsKnown) return;
  fontsKnown = true;
  for (const [path, url] of Object.entries(FONTS)) {
    const [, family, variant] = /(KaTeX_\w+)-(\w+)\.woff2$/.exec(path) ?? [];
    if (!family || !variant) continue;
    document.fonts.add(
      new FontFace(family, `url("${url}") format("woff2")`, {
        weight: variant.startsWith("Bold") ? "700" : "400",
        style: variant.endsWith("Italic") ? "italic" : "normal",
        display: "block",
      }),
    );
  }
}

export function prepare(root: Document | ShadowRoot): void {
  registerFonts();
  if (prepared.has(root)) return;
  prepared.add(root);
  adopt(root, css);
}

/** Replaces the source text of one `[data-tex]` node by the drawn formula. Bad TeX stays readable as text. */
export function draw(place: HTMLElement): void {
  const tex = place.dataset["tex"];
  if (tex === undefined || place.dataset["drawn"] !== undefined) return;
  place.dataset["drawn"] = "";
  try {
    katex.render(tex, place, {
      displayMode: place.dataset["display"] !== undefined,
      throwOnError: true,
      strict: "ignore",
      trust: false,
      maxSize: 20,
      maxExpand: 500,
    });
  } catch {
    place.textContent = tex;
    place.classList.add("tex-error");
  }
}

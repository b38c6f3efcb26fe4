// Drawing formulas into nodes: KaTeX never passes through an HTML string.
type Katex = typeof import("../katex");
let loading: Promise<Katex> | null = null;
let loaded: Katex | null = null;

/** Draws every formula under `node`. The library comes with the first formula; until then the source shows. */
export function drawMaths(node: ParentNode, root: Document | ShadowRoot): void {
  const places = [...node.querySelectorAll<HTMLElement>("[data-tex]")];
  if (places.length === 0) return;
  const draw = (katex: Katex): void => {
    katex.prepare(root);
    for (const place of places) katex.draw(place);
  };
  if (loaded) return draw(loaded);
  loading ??= import("../katex");
  loading.then(
    (katex) => {
      loaded = katex;
      draw(katex);
    },
    () => {
      // The source stays readable; the next formula tries again.
      loading = null;
    },
  );
}

// Formulas: the server sends each as MathML beside its answer. It is rebuilt from known elements, never taken as HTML.

const MATHML = "http://www.w3.org/1998/Math/MathML";
const ELEMENTS = new Set(
  "math mrow mi mo mn mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd".split(" "),
);
const ATTRIBUTES = new Set(
  "display stretchy fence accent accentunder linethickness width mathvariant".split(" "),
);
const ALIGNED = /^text-align: (left|right|center)$/;

const formulas = new Map<string, string>();

export function learn(more: unknown): void {
  if (typeof more !== "object" || more === null) return;
  for (const [tex, mathml] of Object.entries(more)) if (typeof mathml === "string") formulas.set(tex, mathml);
}

/** Draws the formulas under `node`, whose sources stand in `data-tex`. One that the server did not send stays as TeX. */
export function draw(node: ParentNode): void {
  for (const place of node.querySelectorAll<HTMLElement>("[data-tex]")) {
    const tex = place.dataset["tex"] ?? "";
    const drawn = built(formulas.get(tex), tex, place.dataset["display"] !== undefined);
    if (drawn) place.replaceChildren(drawn);
    else place.classList.add("tex");
  }
}

function built(source: string | undefined, tex: string, display: boolean): Element | null {
  if (source === undefined) return null;
  const root = new DOMParser().parseFromString(source, "application/xml").documentElement;
  if (root.localName !== "math") return null;
  const math = copied(root) as Element;
  math.setAttribute("display", display ? "block" : "inline");
  math.setAttribute("alttext", tex);
  return math;
}

function copied(node: Node): Node {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.nodeValue ?? "");
  if (!(node instanceof Element) || node.localName.startsWith("annotation")) return document.createTextNode("");
  const known = ELEMENTS.has(node.localName);
  const copy = known ? document.createElementNS(MATHML, node.localName) : document.createDocumentFragment();
  for (const { name, value } of known ? node.attributes : []) {
    const align = name === "style" ? ALIGNED.exec(value)?.[1] : undefined;
    if (ATTRIBUTES.has(name)) (copy as Element).setAttribute(name, value);
    else if (align) (copy as MathMLElement).style.textAlign = align;
  }
  copy.append(...[...node.childNodes].map(copied));
  return copy;
}

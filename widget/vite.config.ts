// Builds the page, the embed and its fixed-name loader into ../assistant/static.
import { defineConfig, type Plugin } from "vite";
import { configDefaults } from "vitest/config";

/** The maths fonts are registered through the FontFace API (a shadow root ignores @font-face), so KaTeX's sheet goes without. */
function withoutFontFaces(): Plugin {
  return {
    name: "katex-without-font-faces",
    enforce: "pre",
    transform(code, id) {
      return /katex[\\/]dist[\\/]katex\.css/.test(id) ? code.replace(/@font-face\s*\{[^}]*\}/g, "") : null;
    },
  };
}

/** Writes the hashed name of the embed into the loader, which is a classic script and must import nothing itself. */
function loaderKnowsItsApp(): Plugin {
  return {
    name: "loader-knows-its-app",
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
      const embed = chunks.find((chunk) => chunk.isEntry && chunk.name === "embed");
      const loader = chunks.find((chunk) => chunk.isEntry && chunk.name === "widget");
      if (!embed || !loader) this.error("the build has no embed or no loader");
      if (loader.imports.length > 0) this.error("widget.js is a classic script and may not import");
      loader.code = loader.code.replace("__EMBED_FILE__", embed.fileName);
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [withoutFontFaces(), loaderKnowsItsApp()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../assistant/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: true,
    rolldownOptions: {
      input: { index: "index.html", widget: "src/loader.ts", embed: "src/embed.tsx" },
      output: {
        entryFileNames: (chunk) => (chunk.name === "widget" ? "widget.js" : "assets/[name]-[hash].js"),
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
  test: { environment: "jsdom", include: ["test/**/*.test.ts"], exclude: configDefaults.exclude },
});

// Builds each MCP App into one file of HTML with its script and styles inside: node apps/build.mjs FOLDER.
// `--host` builds the page that plays the client in the browser tests instead.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { build } from "vite";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const APPS = { cards: "Card review", quiz: "Test", search: "Search results" };

/** The script of an entry, with all that it imports. */
async function bundled(entry) {
  const { output } = await build({
    configFile: false,
    root: join(HERE, ".."),
    logLevel: "warn",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: { input: entry, output: { format: "iife" } },
    },
  }).then((made) => (Array.isArray(made) ? made[0] : made));
  const [chunk, ...others] = output;
  if (others.length > 0) throw new Error(`${entry} must be one file, but has ${others.map((one) => one.fileName)}`);
  return chunk.code;
}

/** `</script` and `<!--` inside a string of the script would end or hide it (HTML, section 4.12.1.3). */
const inline = (code) => code.replace(/<(?=\/script|!--|script)/gi, "\\x3c");

const page = (title, code) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
</head>
<body>
<div id="app"></div>
<script type="module">${inline(code)}</script>
</body>
</html>
`;

const [folder, mode] = process.argv.slice(2);
if (!folder) throw new Error("usage: node apps/build.mjs FOLDER [--host]");
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
if (mode === "--host") {
  await writeFile(join(folder, "host.js"), await bundled(join(HERE, "test-host", "host.ts")));
} else {
  for (const [name, title] of Object.entries(APPS)) {
    await writeFile(join(folder, `${name}.html`), page(title, await bundled(join(HERE, "src", `${name}.tsx`))));
  }
}

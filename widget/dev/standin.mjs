// DEVELOPMENT STAND-IN, not Lyceum: serves the built page and plays the server's routes with made-up material, so the
// page can be tried without the real thing. Usage: node dev/standin.mjs [PORT]. Say "slow", "drop", "fail", "refuse",
// "maths", "nothing", "hang" in a question to see that behaviour; name a file *bad* to see it fail.
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const STATIC = join(dirname(fileURLToPath(import.meta.url)), "../../assistant/static");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml" };
const CSP =
  "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; font-src 'self'; connect-src 'self'";
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const users = new Map([["ada@example.org", { id: "u1", email: "ada@example.org", name: "Ada", password: "correct horse" }]]);
const sessions = new Map();
const classes = [];
const materials = new Map();
const jobs = new Map();
const conversations = new Map();
const runs = new Map();

class Problem extends Error {
  constructor(status, code, detail, extra = {}) {
    super(detail);
    Object.assign(this, { status, code, extra });
  }
}

function addMaterial(class_id, title, kind, pages, status = "queued") {
  const id = randomUUID();
  const job_id = randomUUID();
  const material = { id, class_id, title, kind, status, error: null, page_count: pages, progress: null, job_id, created_at: new Date().toISOString() };
  materials.set(id, material);
  jobs.set(job_id, { job_id, status: status === "ready" ? "succeeded" : "queued", done: 0, total: pages, message: null, error: null, material });
  return material;
}

async function work(job) {
  const { material } = job;
  if (job.status === "running") return;
  Object.assign(job, { status: "running", error: null, done: 0 });
  Object.assign(material, { status: "processing", error: null });
  for (let page = 1; page <= job.total; page++) {
    await sleep(8000 / job.total);
    if (job.status === "cancelled") return;
    Object.assign(job, { done: page, message: `page ${page} of ${job.total}` });
    material.progress = { done: page, total: job.total, message: job.message };
    if (page === 3 && /bad/i.test(material.title)) {
      job.status = "failed";
      job.error = "This PDF is locked with a password. Save a copy without one and add it again.";
      Object.assign(material, { status: "failed", error: job.error });
      return;
    }
    if (page > job.total * 0.6) material.status = "searchable";
  }
  job.status = "succeeded";
  material.status = "ready";
}

const SENTENCE = "The Backward Euler scheme is unconditionally stable for every positive time step.";
const SECTION = `Notes on 𝒮chemes\n\n${"Some lines before the passage. ".repeat(40)}\n\n${SENTENCE}\n\n${"Some lines after it. ".repeat(40)}`;

function locator(material, page) {
  const base = { material_id: material.id, material_title: material.title, segment: page - 1, page_label: null, slide: null, t_start: null, t_end: null, heading_path: [], boxes: [] };
  if (material.kind === "text") {
    const start = [...SECTION.slice(0, SECTION.indexOf(SENTENCE))].length;
    return { ...base, page: null, segment: 0, heading_path: ["Schemes", "Stability"], char_start: start, char_end: start + [...SENTENCE].length };
  }
  return { ...base, page, page_label: String(page - 12), char_start: 0, char_end: 40, boxes: [{ x0: 0.13, y0: 0.42, x1: 0.87, y1: 0.44 }, { x0: 0.13, y0: 0.445, x1: 0.55, y1: 0.465 }] };
}

function citation(number, material, page) {
  const place = locator(material, page);
  const label = place.page ? `page ${page} (printed ${page - 12})` : "Schemes › Stability";
  return { number, passage_id: `${material.id}:${page}`, label, quote: SENTENCE, locator: place };
}

const PLAIN = `The **Backward Euler** scheme is unconditionally stable [1]: its amplification factor lies between 0 and 1 for every positive time step [1, 2].\n\n- Forward Euler is stable only for small steps [3].\n- Crank–Nicolson is stable, but may *oscillate* [2].\n\n> “${SENTENCE}” [1]\n`;
const MATHS = `For the problem $u'(t) = -a u(t)$ with $a > 0$, the scheme reads\n\n$$\n\\frac{u^{n+1} - u^n}{\\Delta t} = -a\\left(\\theta u^{n+1} + (1-\\theta) u^n\\right)\n$$\n\nso that the amplification factor is \\(A = \\frac{1 - (1-\\theta) a\\Delta t}{1 + \\theta a \\Delta t}\\) [1].\n\n| Scheme | θ | Stable when |\n|---|---|---|\n| Forward Euler | 0 | $|1 - a\\Delta t| \\le 1$ |\n| Backward Euler | 1 | always, $\\|A\\| < 1$ |\n\n\`\`\`python\ndef advance(u, a, dt):\n    return u / (1 + a * dt)  # costs $5 and |x|, a long line that has to scroll sideways on a phone\n\`\`\`\n\nIt costs $5 and $10. <script>alert(1)</script> <img src=x onerror=alert(2)>\n`;

function emit(run, event) {
  run.events.push({ id: `${run.id}:${run.events.length + 1}`, event });
}

async function answer(run, question, class_id) {
  const messageId = randomUUID();
  const message = { id: messageId, role: "assistant", text: "", citations: [], status: "interrupted", run_id: run.id, created_at: new Date().toISOString() };
  const has = (word) => question.toLowerCase().includes(word);
  const step = has("slow") ? 120 : 18;
  emit(run, { type: "RUN_STARTED", threadId: run.conversation.id, runId: run.id });
  const tool = randomUUID();
  await sleep(200);
  emit(run, { type: "TOOL_CALL_START", toolCallId: tool, toolCallName: "search_materials" });
  emit(run, { type: "TOOL_CALL_ARGS", toolCallId: tool, delta: '{"query": "stab' });
  await sleep(has("slow") ? 2500 : 500);
  emit(run, { type: "TOOL_CALL_END", toolCallId: tool });
  emit(run, { type: "TOOL_CALL_RESULT", messageId: randomUUID(), toolCallId: tool, content: "{}" });
  emit(run, { type: "SOMETHING_NEW", a: 1 });
  run.conversation.messages.push(message);
  emit(run, { type: "TEXT_MESSAGE_START", messageId, role: "assistant" });
  const sources = [...materials.values()].filter((one) => one.class_id === class_id && one.status === "ready");
  const nothing = () => ({ ...page([]), due: { new: 0, learning: 0, review: 0, total: 0 } });
  const text = nothing ? "This is not in your material. I looked for “" + question + "” and found no passage that answers it." : has("maths") ? MATHS : PLAIN;
  const pieces = text.match(/[^]{1,6}/g) ?? [];
  for (const [at, delta] of pieces.entries()) {
    if (run.cancelled) break;
    await sleep(step);
    message.text += delta;
    emit(run, { type: "TEXT_MESSAGE_CONTENT", messageId, delta });
    if (has("drop") && at === 12) run.drop = true;
    if (has("fail") && at === 15) {
      message.status = "failed";
      return emit(run, { type: "RUN_ERROR", message: "The language model stopped answering. Try again in a moment.", code: "model_unavailable" });
    }
    if (has("hang") && at === 10) await sleep(600000);
  }
  emit(run, { type: "TEXT_MESSAGE_END", messageId });
  if (!nothing && !run.cancelled) {
    const book = sources.find((one) => one.kind !== "text") ?? sources[0];
    const text_material = sources.find((one) => one.kind === "text") ?? sources[0];
    message.citations = [citation(1, book, 57), citation(2, book, 61), citation(3, text_material, 1)];
    emit(run, { type: "CUSTOM", name: "citations", value: { messageId, citations: message.citations } });
  }
  message.status = run.cancelled ? "cancelled" : "complete";
  emit(run, { type: "RUN_FINISHED", threadId: run.conversation.id, runId: run.id, outcome: { type: run.cancelled ? "cancelled" : "success" } });
}

async function streamRun(run, response, after) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  for (let next = after; ; ) {
    for (; next < run.events.length; next++) {
      const { id, event } = run.events[next];
      response.write(`id: ${id}\ndata: ${JSON.stringify(event)}\n\n`);
      if (event.type === "RUN_FINISHED" || event.type === "RUN_ERROR") return response.end();
    }
    if (run.drop) {
      run.drop = false;
      await sleep(50);
      return response.destroy();
    }
    if (response.destroyed) return;
    await sleep(10);
  }
}

function startRun(input) {
  const content = input.messages.at(-1).content;
  if (/refuse/i.test(content)) throw new Problem(429, "rate_limited", "You have asked 20 questions in a minute. Wait a little, then ask again.");
  const class_id = input.forwardedProps?.class_id ?? null;
  let conversation = conversations.get(input.threadId);
  if (!conversation) {
    conversation = { id: input.threadId, title: content.slice(0, 60), class_id, updated_at: "", messages: [] };
    conversations.set(input.threadId, conversation);
  }
  conversation.updated_at = new Date().toISOString();
  conversation.messages.push({ id: input.messages.at(-1).id, role: "user", text: content, citations: [], status: "complete", run_id: input.runId, created_at: conversation.updated_at });
  const run = { id: input.runId, conversation, events: [], cancelled: false, drop: false };
  runs.set(run.id, run);
  void answer(run, content, class_id);
  return run;
}

const page = (items) => ({ items, next_cursor: null, total: items.length });
const get = (map, id) => {
  if (!map.has(id)) throw new Problem(404, "not_found", "That was not found. It may have been removed.");
  return map.get(id);
};

const SCOPES = [
  ["classes:read", "See your classes, who is in them and how they do"], ["classes:write", "Make, change and delete classes, and let people in"],
  ["materials:read", "See and read your books, slides, recordings and pages"], ["materials:write", "Add, rename and delete material"],
  ["search:read", "Search your material"],
  ["flashcards:read", "See your decks, cards and what is due"], ["flashcards:write", "Make, change and delete cards, and review them"],
  ["account:read", "See your profile, your keys and what is connected"], ["account:write", "Change your profile, and delete the account"],
];
const offered = SCOPES.map(([scope, title]) => ({ scope, title, is_write: scope.endsWith("write") }));
/** Requests for access by the id in /connect?request=ID. An answer leads back to this server. */
const REQUESTS = new Map(
  Object.entries({
    verified: { client_name: "Claude", client_id: "https://claude.ai/oauth/client.json", client_uri: "https://claude.ai", home: "claude.ai", redirect_host: "claude.ai", registration: "metadata_document", scopes: offered },
    dynamic: { client_name: "Visual Studio Code", client_id: randomUUID(), client_uri: null, redirect_host: "this computer", registration: "dynamic", scopes: offered },
    operator: { client_name: "Campus portal", client_id: "campus", client_uri: null, redirect_host: "portal.example.edu", registration: "operator", scopes: offered.slice(4, 5) },
    tricky: { client_name: "Claude\u202e)detfirev( edualC <img src=x onerror=alert(1)> " + "very long name ".repeat(12), client_id: randomUUID(), client_uri: null, redirect_host: "xn--clude-2ve.example", registration: "dynamic", scopes: offered },
  }),
);
const keys = [{ id: "k1", name: "Backup script", prefix: "lyc_8Hq2", scopes: ["*:read"], rate_limit: 60, created_at: "2026-10-02T08:00:00Z", expires_at: "2027-10-02T08:00:00Z", last_used_at: new Date().toISOString() }];
const clients = ["verified", "dynamic"].map((id) => ({ ...REQUESTS.get(id), client_id: id, name: REQUESTS.get(id).client_name, scopes: ["materials:read", "search:read", "flashcards:read", "flashcards:write"], created_at: "2026-11-01T08:00:00Z", last_used_at: id === "dynamic" ? null : new Date().toISOString(), connections: 1 }));
const without = (list, at) => (list.splice(list.findIndex((one) => (one.id ?? one.client_id) === at), 1), {});

const TOOLS = {
  list_connected_clients: () => page(clients),
  disconnect_client: ({ client_id }) => without(clients, client_id),
  list_api_keys: () => page(keys),
  revoke_api_key: ({ key_id }) => without(keys, key_id),
  create_api_key: ({ name, scopes, days, rate_limit }) => {
    const made = { id: randomUUID(), name, prefix: "lyc_Zt5w", scopes, rate_limit, created_at: new Date().toISOString(), expires_at: days && new Date(Date.now() + days * 86400000).toISOString(), last_used_at: null };
    keys.unshift(made);
    return { ...made, key: "lyc_Zt5wQmX1r0u3vN8cJkYb7TdPzEaFsHgLiKoRq2Wn4M6" };
  },
  list_classes: () => page(classes.map((one) => ({ ...one, material_count: [...materials.values()].filter((m) => m.class_id === one.id && !m.deleted).length }))),
  create_class: ({ name }) => {
    const made = { id: randomUUID(), name, description: null, material_count: 0 };
    classes.push(made);
    return made;
  },
  delete_class: ({ class_id }) => {
    classes.splice(classes.findIndex((one) => one.id === class_id), 1);
    return {};
  },
  list_materials: ({ class_id }) => page([...materials.values()].filter((one) => one.class_id === class_id && !one.deleted).reverse()),
  delete_material: ({ material_id }) => ((get(materials, material_id).deleted = true), {}),
  restore_material: ({ material_id }) => ((get(materials, material_id).deleted = false), {}),
  cancel_job: ({ job_id }) => {
    const job = get(jobs, job_id);
    job.status = "cancelled";
    job.material.status = "cancelled";
    return {};
  },
  retry_job: ({ job_id }) => {
    const job = get(jobs, job_id);
    job.material.title = job.material.title.replace(/bad/i, "good");
    job.status = "queued";
    void work(job);
    return {};
  },
  add_text: ({ class_id, title }) => addMaterial(class_id, title, "text", 1, "ready"),
  list_conversations: ({ class_id }) => page([...conversations.values()].filter((one) => !class_id || one.class_id === class_id).map(({ messages: _m, ...rest }) => rest).reverse()),
  get_conversation: ({ conversation_id }) => {
    const { messages, ...rest } = get(conversations, conversation_id);
    const active = [...runs.values()].find((run) => run.conversation.id === conversation_id && !["RUN_FINISHED", "RUN_ERROR"].includes(run.events.at(-1)?.event.type));
    return { ...rest, messages, active_run_id: active?.id ?? null, next_cursor: null };
  },
  open_passage: ({ passage_id, material_id, page: wanted, segment }) => {
    const material = get(materials, material_id ?? passage_id.split(":")[0]);
    const number = wanted ?? (segment !== undefined ? segment + 1 : Number(passage_id.split(":")[1]));
    if (material.kind === "text" && wanted) throw new Problem(422, "invalid", "A text has no pages.");
    const of = { id: material.id, title: material.title, kind: material.kind, page_count: material.page_count };
    if (material.kind === "text") return { locator: locator(material, 1), text: SENTENCE, segment_text: SECTION, image_url: null, previous: null, next: null, material: of };
    return {
      locator: locator(material, number), text: SENTENCE, segment_text: SENTENCE, image_url: `/api/materials/${material.id}/pages/${number}.png`,
      previous: number > 1 ? { material_id: material.id, page: number - 1 } : null, next: number < material.page_count ? { material_id: material.id, page: number + 1 } : null, material: of,
    };
  },
};

function pageImage(number) {
  const lines = Array.from({ length: 34 }, (_, at) => `<rect x="104" y="${100 + at * 27}" width="${at % 7 === 6 ? 300 : 592}" height="9" fill="#c9c9c9"/>`).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 1100" width="800" height="1100"><rect width="800" height="1100" fill="#fff"/>${lines}<text x="104" y="477" font-size="15" font-family="serif">${SENTENCE}</text><text x="400" y="1060" font-size="16" text-anchor="middle">${number}</text></svg>`;
}

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function readJson(request) {
  return JSON.parse((await body(request)).toString() || "{}");
}

function json(response, status, value, headers = {}) {
  const type = status >= 400 ? "application/problem+json" : "application/json";
  response.writeHead(status, { "Content-Type": type, ...headers }).end(JSON.stringify(value));
}

function userOf(request) {
  const token = /lyceum=(\w[\w-]*)/.exec(request.headers.cookie ?? "")?.[1];
  const user = sessions.get(token);
  if (!user) throw new Problem(401, "signed_out", "Sign in to go on.", { registration: "open" });
  return user;
}

function signIn(response, user) {
  const token = randomUUID();
  sessions.set(token, user);
  const { password: _p, ...rest } = user;
  json(response, 200, { user: rest, registration: "open" }, { "Set-Cookie": `lyceum=${token}; HttpOnly; SameSite=Lax; Path=/` });
}

async function auth(action, request, response) {
  if (action === "session") {
    const { password: _p, ...user } = userOf(request);
    return json(response, 200, { user, registration: "open" });
  }
  if (action === "refresh") throw new Problem(401, "signed_out", "Sign in to go on.", { registration: "open" });
  if (action === "logout") {
    sessions.clear();
    return json(response, 200, {});
  }
  const { email, password, name } = await readJson(request);
  if (action === "register") {
    if (password.length < 10) throw new Problem(422, "invalid", "The password needs at least 10 characters.");
    users.set(email, { id: randomUUID(), email, name, password });
  }
  const user = users.get(email);
  if (!user || user.password !== password) throw new Problem(401, "wrong_password", "The e-mail or the password is not right.");
  return signIn(response, user);
}

async function upload(request, response) {
  const data = await body(request);
  const head = data.subarray(0, 4000).toString("latin1");
  const name = Buffer.from(/filename="([^"]*)"/.exec(head)?.[1] ?? "file", "latin1").toString();
  const class_id = /name="class_id"\r\n\r\n([^\r]+)/.exec(head)?.[1];
  if (/refuse/i.test(name)) throw new Problem(413, "too_large", "This file is larger than the 200 MB that one upload may have.");
  const same = [...materials.values()].find((one) => one.title === name && !one.deleted);
  if (same) return json(response, 201, { material_id: same.id, job_id: same.job_id, duplicate: true });
  const material = addMaterial(class_id, name, "textbook", 241);
  void work(jobs.get(material.job_id));
  return json(response, 201, { material_id: material.id, job_id: material.job_id, duplicate: false });
}

async function jobEvents(job, response) {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  while (!response.destroyed) {
    const { material: _m, ...event } = job;
    response.write(`data: ${JSON.stringify(event)}\r\n\r\n`);
    if (!["queued", "running"].includes(job.status)) return response.end();
    await sleep(200);
  }
}

async function consent(request, response, [id]) {
  const asked = get(REQUESTS, id);
  if (request.method === "GET") return json(response, 200, { ...asked, resource: "http://127.0.0.1/mcp", expires_at: new Date(Date.now() + 600000).toISOString() });
  const { allowed } = await readJson(request);
  return json(response, 200, { redirect_to: `http://${request.headers.host}/host?${allowed ? "code=made-up" : "error=access_denied"}` });
}

const nothing = () => ({ ...page([]), due: { new: 0, learning: 0, review: 0, total: 0 } });

const ROUTES = [
  [/^\/api\/oauth\/requests\/([\w-]+)$/, consent],
  [/^\/api\/tools$/, (_q, response) => json(response, 200, page(offered))],
  [/^\/\.well-known\/oauth-protected-resource\/mcp$/, (request, response) => json(response, 200, { resource: `http://${request.headers.host}/mcp` })],
  [/^\/api\/tools\/(\w+)$/, async (request, response, [name]) => json(response, 200, (TOOLS[name] ?? nothing)(await readJson(request)))],
  [/^\/api\/uploads$/, upload],
  [/^\/api\/jobs\/([\w-]+)\/events$/, (_q, response, [id]) => jobEvents(get(jobs, id), response)],
  [/^\/api\/chat$/, async (request, response) => streamRun(startRun(await readJson(request)), response, 0)],
  [/^\/api\/chat\/runs\/([\w-]+)\/events$/, (request, response, [id]) => streamRun(get(runs, id), response, Number(request.headers["last-event-id"]?.split(":").at(-1) ?? 0))],
  [/^\/api\/chat\/runs\/([\w-]+)\/cancel$/, (_q, response, [id]) => ((get(runs, id).cancelled = true), json(response, 202, {}))],
  [/^\/api\/materials\/[\w-]+\/pages\/(\d+)\.png$/, (_q, response, [number]) => response.writeHead(200, { "Content-Type": "image/svg+xml" }).end(pageImage(number))],
];

async function handle(request, response) {
  const { pathname } = new URL(request.url, "http://localhost");
  const action = /^\/api\/auth\/(\w+)$/.exec(pathname)?.[1];
  if (action) return auth(action, request, response);
  for (const [pattern, handler] of ROUTES) {
    const found = pattern.exec(pathname);
    if (!found) continue;
    userOf(request);
    return handler(request, response, found.slice(1));
  }
  if (pathname === "/host") {
    const host = '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Host page</title><h1>Somebody else’s page</h1><script src="/widget.js"></script></html>';
    return response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": CSP }).end(host);
  }
  const file = normalize(join(STATIC, ["/", "/connect"].includes(pathname) ? "index.html" : pathname));
  if (!file.startsWith(STATIC) || !existsSync(file) || !statSync(file).isFile()) throw new Problem(404, "not_found", "There is nothing here.");
  response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", "Content-Security-Policy": CSP });
  return createReadStream(file).pipe(response);
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    if (response.headersSent) return response.destroy();
    const problem = error instanceof Problem ? error : new Problem(500, "bug", `The stand-in failed: ${error.message}`);
    json(response, problem.status, { type: "about:blank", title: problem.code, status: problem.status, code: problem.code, detail: problem.message, ...problem.extra });
  });
});
if (process.argv.includes("--filled")) {
  classes.push({ id: "c1", name: "Finite differences", description: null, material_count: 2 });
  addMaterial("c1", "notes on schemes.md", "text", null, "ready");
  addMaterial("c1", "decay_textbook_241p.pdf", "textbook", 241, "ready");
}
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  const version = readFileSync(join(STATIC, "index.html"), "utf8").match(/index-[\w-]+\.js/)?.[0] ?? "no build";
  console.log(`development stand-in at http://127.0.0.1:${server.address().port} (${version}); ada@example.org, "correct horse"`);
});

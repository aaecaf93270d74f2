// Asks WordPress's own block editor whether it accepts block markup.
//
//   node validate.cjs WORDPRESS_FOLDER < cases.jsonl > answers.jsonl
//
// Cases are lines `{"name": …, "markup": …}`. Answers are lines, in the same order:
//   {"name": …, "invalid": [{"block": …, "why": …}], "saved": what the editor would save}
// The first line says what was loaded: {"blocks": number of block types}.
//
// It loads the site's own scripts (wp-includes/js/dist) in the order in which a site would, so it
// answers for exactly that version. It needs Node 20, php (to read the list of scripts), and jsdom
// 26, which .ci/wordpress installs: NODE_PATH must name its node_modules. No network is used.
"use strict";

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const vm = require("node:vm");
const { JSDOM, VirtualConsole } = require("jsdom");

const root = process.argv[2];
const dist = path.join(root, "wp-includes/js/dist");
const virtualConsole = new VirtualConsole();
const dom = new JSDOM("<!DOCTYPE html><html><head></head><body></body></html>", {
  runScripts: "outside-only",
  pretendToBeVisual: true,
  url: "http://localhost/",
  virtualConsole,
});
const window = dom.window;

// What browsers have and jsdom lacks; the editor looks for it while it loads.
class Observer {
  observe() {}
  unobserve() {}
  disconnect() {}
}
Object.assign(window, {
  matchMedia: () => ({
    matches: false,
    addListener() {},
    removeListener() {},
    addEventListener() {},
    removeEventListener() {},
  }),
  ResizeObserver: Observer,
  IntersectionObserver: Observer,
  requestIdleCallback: (run) => setTimeout(() => run({ timeRemaining: () => 50 }), 0),
  cancelIdleCallback: clearTimeout,
  CSS: { escape: (text) => text, supports: () => false },
  structuredClone: (value) => (value === undefined ? value : JSON.parse(JSON.stringify(value))),
  scrollTo() {},
  TextEncoder,
  TextDecoder,
  ReadableStream,
  TransformStream,
  AbortController,
  fetch: () => Promise.reject(new Error("no network")),
  MessageChannel: undefined,
  wp: {},
});

const context = dom.getInternalVMContext();
function load(file) {
  new vm.Script(fs.readFileSync(file, "utf8"), { filename: file }).runInContext(context);
}

const packages = JSON.parse(
  execFileSync("php", [
    "-r",
    "echo json_encode(include $argv[1]);",
    path.join(root, "wp-includes/assets/script-loader-packages.php"),
  ], { maxBuffer: 1 << 24 }),
);
const loaded = new Set();
function need(handle) {
  if (loaded.has(handle)) return;
  loaded.add(handle);
  if (!handle.startsWith("wp-")) {
    const file = path.join(dist, "vendor", handle + ".min.js");
    if (fs.existsSync(file)) {
      if (handle === "react-dom") need("react");
      if (handle === "react-jsx-runtime") need("react");
      load(file);
      if (handle === "lodash") window.lodash = window._;
    }
    return;
  }
  const name = handle.slice(3) + ".js";
  const entry = packages[name];
  // Polyfills: Node has all of it.
  if (!entry) return;
  for (const dependency of entry.dependencies) need(dependency);
  load(path.join(dist, handle.slice(3) + ".min.js"));
}

need("wp-block-library");
const wp = window.wp;
wp.blockLibrary.registerCoreBlocks();

function print(value) {
  process.stdout.write(JSON.stringify(value) + "\n");
}

function look(block, found) {
  const bad = (why) => found.push({ block: block.name, why });
  if (block.name === "core/missing") {
    bad("unknown block " + block.attributes.originalName);
  } else if (block.name === "core/freeform" && String(block.attributes.content || "").trim()) {
    bad("HTML outside of blocks: " + String(block.attributes.content).slice(0, 200));
  } else if (!block.isValid) {
    const said = (block.validationIssues || []).map((issue) =>
      issue.args.filter((arg) => typeof arg === "string").join(" | "),
    );
    bad(said.join("\n").slice(0, 3000));
  }
  for (const inner of block.innerBlocks) look(inner, found);
}

print({ blocks: wp.blocks.getBlockTypes().length });
const lines = readline.createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { name, markup } = JSON.parse(line);
  const invalid = [];
  let saved = null;
  try {
    const blocks = wp.blocks.parse(markup);
    for (const block of blocks) look(block, invalid);
    saved = wp.blocks.serialize(blocks);
  } catch (error) {
    invalid.push({ block: "", why: "the editor failed: " + (error && error.stack || error) });
  }
  print({ name, invalid, saved });
});
lines.on("close", () => {
  // Timers of the editor would keep the process alive.
  process.stdout.write("", () => process.exit(0));
});

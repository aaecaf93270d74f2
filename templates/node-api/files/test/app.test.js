import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";

import { createApp } from "../src/app.js";

let server;
let base;

before(async () => {
  server = createApp().listen(0);
  await once(server, "listening");
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

test("says hello", async () => {
  const response = await fetch(`${base}/?name=Ada`);
  assert.deepEqual(await response.json(), { message: "Hello, Ada!" });
});

test("is healthy", async () => {
  assert.equal((await fetch(`${base}/healthz`)).status, 200);
});

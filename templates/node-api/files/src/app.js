import express from "express";

import { log } from "./log.js";

/** The API, without a port, so that tests can use it. */
export function createApp() {
  const app = express();
  app.disable("x-powered-by");
  app.use((request, response, next) => {
    const begun = performance.now();
    response.on("finish", () => {
      const millis = Math.round(performance.now() - begun);
      log("info", "request", { method: request.method, path: request.path, status: response.statusCode, millis });
    });
    next();
  });
  app.get("/", (request, response) => {
    const name = typeof request.query.name === "string" ? request.query.name : "World";
    response.json({ message: `Hello, ${name}!` });
  });
  // Answers while the program works; Fabrik and the monitor ask for it.
  app.get("/healthz", (_request, response) => {
    response.json({ status: "ok" });
  });
  return app;
}

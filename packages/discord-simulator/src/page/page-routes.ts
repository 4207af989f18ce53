import type { Hono } from "hono";

/** The page at `/`. */
export function pageRoutes(app: Hono): void {
  app.get("/", (c) => c.text("discord-simulator"));
}

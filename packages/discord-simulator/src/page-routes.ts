import { readFile } from "node:fs/promises";
import type { Hono } from "hono";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

/** The page at `/`: a chat client over the control API. Its files lie beside `dist`. */
export function pageRoutes(app: Hono): void {
  app.get("/", () => file("index.html"));
  app.get("/page/:file{[a-z-]+\\.(?:js|css)}", (c) => file(c.req.param("file")));
}

async function file(name: string): Promise<Response> {
  const type = TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
  try {
    const content = await readFile(new URL(`../page/${name}`, import.meta.url));
    return new Response(new Uint8Array(content), {
      headers: {
        "content-type": type,
        "cache-control": "no-cache",
        "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
      },
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return new Response("Not found", { status: 404 });
    }
    throw error;
  }
}

import type { Context } from "hono";

/**
 * `c.header` for middleware: once the route has answered, `c.header` makes a new response and reads the body as a stream
 * for that, which takes longer than most routes.
 */
export function setHeader(c: Context, name: string, value: string): void {
  if (!c.finalized) {
    c.header(name, value);
    return;
  }
  try {
    c.res.headers.set(name, value);
  } catch {
    // The headers of some responses, as those of `Response.redirect`, never change.
    c.header(name, value);
  }
}

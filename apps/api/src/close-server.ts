import type { ServerType } from "@hono/node-server";

/**
 * Takes no new connection and waits for the requests that are under way. Those that take longer than the limit are cut
 * off: one slow client must not hold up what else has to be finished. Answers whether any was.
 */
export function closeServer(server: ServerType, { limitMs }: { readonly limitMs: number }): Promise<{ cut: boolean }> {
  return new Promise((resolve) => {
    let cut = false;
    const timer = setTimeout(() => {
      cut = true;
      if ("closeAllConnections" in server) server.closeAllConnections();
    }, limitMs);
    server.close(() => {
      clearTimeout(timer);
      resolve({ cut });
    });
  });
}

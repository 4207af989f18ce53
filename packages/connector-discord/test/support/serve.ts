import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

export type Handler = (request: Request, body: Buffer) => Promise<Response> | Response;

export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

/** A real HTTP server on a free port. */
export async function serve(handler: Handler): Promise<Served> {
  const server: Server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks);
      Promise.resolve(handler(toRequest(incoming, body), body))
        .catch((error: unknown) => new Response(String(error), { status: 500 }))
        .then(async (response) => {
          outgoing.statusCode = response.status;
          for (const [name, value] of response.headers) outgoing.appendHeader(name, value);
          outgoing.end(Buffer.from(await response.arrayBuffer()));
        })
        .catch((error: unknown) => outgoing.destroy(error as Error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function toRequest(incoming: IncomingMessage, body: Buffer): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? ""]) headers.append(name, one);
  }
  const method = incoming.method ?? "GET";
  const init: RequestInit & { duplex?: "half" } = { method, headers };
  if (method !== "GET" && method !== "HEAD") {
    init.body = Readable.toWeb(Readable.from([body])) as ReadableStream;
    init.duplex = "half";
  }
  return new Request(`http://${incoming.headers.host}${incoming.url}`, init);
}

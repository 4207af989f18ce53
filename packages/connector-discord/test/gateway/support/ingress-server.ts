import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { verify } from "@hookline/webhook-signing";
import type { IngressBatch, IngressItem, IngressResult } from "../../../src/ingress-contract.js";
import { ingressScheme } from "../../../src/ingress-scheme.js";

export const INGRESS_SECRET = "an-ingress-secret-of-32-characters-or-more";

export interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** What the API's ingress route does, as far as the worker can see: verifies, stores each key once, answers per item. */
export interface IngressServer {
  readonly url: string;
  /** Every stored item, in the order in which it was first accepted. */
  readonly stored: readonly IngressItem[];
  /** Every batch that was answered with 200. */
  readonly batches: readonly IngressBatch[];
  readonly requests: () => number;
  /** Answers instead of the server while it answers something. */
  intercept(handler: ((batch: IngressBatch, body: string) => Promise<Reply | null> | Reply | null) | null): void;
  reject(decide: ((item: IngressItem) => boolean) | null): void;
  /** Nobody listens any more, and open sockets are cut; up() takes the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

export async function startIngressServer(): Promise<IngressServer> {
  const stored: IngressItem[] = [];
  const keys = new Set<string>();
  const batches: IngressBatch[] = [];
  let requests = 0;
  let interceptor: ((batch: IngressBatch, body: string) => Promise<Reply | null> | Reply | null) | null = null;
  let rejects: ((item: IngressItem) => boolean) | null = null;

  async function answer(request: IncomingMessage): Promise<Reply> {
    requests += 1;
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const body = Buffer.concat(chunks).toString("utf8");
    if (request.method !== "POST" || request.url !== "/v1/connectors/discord/ingress") {
      return { status: 404 };
    }
    try {
      verify(body, request.headers, { scheme: ingressScheme, secrets: [INGRESS_SECRET] });
    } catch {
      return { status: 401 };
    }
    const batch = JSON.parse(body) as IngressBatch;
    const intercepted = await interceptor?.(batch, body);
    if (intercepted) {
      return intercepted;
    }
    batches.push(batch);
    return { status: 200, body: JSON.stringify({ results: batch.items.map(store) }) };
  }

  function store(item: IngressItem): IngressResult {
    if (rejects?.(item)) {
      return { key: item.key, status: "rejected", code: "invalid_payload", message: "d has no id" };
    }
    if (keys.has(item.key)) {
      return { key: item.key, status: "duplicate" };
    }
    keys.add(item.key);
    stored.push(item);
    return { key: item.key, status: "stored" };
  }

  const server = createServer((request, response) => {
    answer(request).then(
      (reply) => {
        response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
        response.end(reply.body ?? "{}");
      },
      () => response.destroy(),
    );
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;

  async function down(): Promise<void> {
    if (!server.listening) {
      return;
    }
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  return {
    url: `http://127.0.0.1:${port}`,
    stored,
    batches,
    requests: () => requests,
    intercept(handler) {
      interceptor = handler;
    },
    reject(decide) {
      rejects = decide;
    },
    down,
    up: () => listen(port),
    close: down,
  };
}

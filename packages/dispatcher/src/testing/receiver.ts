import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Scheme, standardWebhooks, verify } from "@hookline/webhook-signing";

/** One request, as it came over the wire. */
export interface ReceivedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly receivedAt: Date;
  /** Null when the receiver was given no secret. */
  readonly verified: boolean | null;
  /** Why not, when it is not verified. */
  readonly verificationError: string | null;
  /** The body as JSON. */
  json(): unknown;
}

/** What to answer. */
export interface ReceiverAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Before anything is answered. Default 0. */
  readonly delayMs?: number;
}

export interface ReceiverOptions {
  /** Verify requests with it. */
  readonly secret?: string;
  /** Default `standardWebhooks`. */
  readonly scheme?: Scheme;
  /** How far a timestamp may be off; default 300. Infinity for a virtual clock. */
  readonly toleranceSeconds?: number;
  /** The answer to each request; default 200. */
  readonly answer?: (request: ReceivedRequest) => ReceiverAnswer | Promise<ReceiverAnswer>;
}

/** A real HTTP server on a free port of this machine that keeps what it gets. */
export interface Receiver {
  /** Such as `http://127.0.0.1:41234/webhooks`. Allow it: `addressGuard: { allow: ["127.0.0.0/8"], allowHttp: true }`. */
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Verifies what comes from now on with this secret. */
  useSecret(secret: string): void;
  /** Answers what comes from now on like this. */
  answerWith(answer: ReceiverAnswer | NonNullable<ReceiverOptions["answer"]>): void;
  /** Resolves with the requests once there are so many; rejects after `timeoutMs` (default 10,000) of real time. */
  waitFor(count: number, timeoutMs?: number): Promise<readonly ReceivedRequest[]>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/**
 * Starts a receiver.
 *
 * @example
 * const receiver = await createReceiver({ answer: () => ({ status: 503 }) });
 */
export async function createReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  const watchers = new Set<() => void>();
  const timers = new Set<NodeJS.Timeout>();
  let secret = options.secret;
  let answer: NonNullable<ReceiverOptions["answer"]> = options.answer ?? (() => ({}));

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(incoming, (body, headers) => check(body, headers, { ...options, secret }));
    requests.push(request);
    for (const notify of watchers) notify();
    const { status = 200, headers = {}, body = "", delayMs = 0 } = await answer(request);
    const send = () => response.writeHead(status, headers).end(body);
    if (delayMs === 0) return void send();
    const timer = setTimeout(() => {
      timers.delete(timer);
      send();
    }, delayMs);
    timers.add(timer);
  };

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    requests,
    useSecret(value) {
      secret = value;
    },
    answerWith(value) {
      answer = typeof value === "function" ? value : () => value;
    },
    waitFor: (count, timeoutMs = 10_000) =>
      new Promise((resolve, reject) => {
        const done = (): void => {
          clearTimeout(timer);
          watchers.delete(look);
        };
        const look = (): void => {
          if (requests.length < count) return;
          done();
          resolve([...requests]);
        };
        const timer = setTimeout(() => {
          done();
          reject(new Error(`${requests.length} of ${count} requests came within ${timeoutMs} ms.`));
        }, timeoutMs);
        watchers.add(look);
        look();
      }),
    async close() {
      for (const timer of timers) clearTimeout(timer);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

type Checked = Pick<ReceivedRequest, "verified" | "verificationError">;

async function readRequest(
  incoming: IncomingMessage,
  checked: (body: Buffer, headers: Record<string, string>) => Checked,
): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  const text = body.toString("utf8");
  return {
    method: incoming.method ?? "",
    path: incoming.url ?? "",
    headers,
    body: text,
    receivedAt: new Date(),
    ...checked(body, headers),
    json: () => JSON.parse(text),
  };
}

function check(
  body: Buffer,
  headers: Record<string, string>,
  options: { readonly secret: string | undefined; readonly scheme?: Scheme; readonly toleranceSeconds?: number },
): Checked {
  if (options.secret === undefined) return { verified: null, verificationError: null };
  try {
    verify(body, headers, {
      scheme: options.scheme ?? standardWebhooks,
      secrets: [options.secret],
      toleranceSeconds: options.toleranceSeconds ?? 300,
    });
    return { verified: true, verificationError: null };
  } catch (error) {
    return { verified: false, verificationError: error instanceof Error ? error.message : String(error) };
  }
}

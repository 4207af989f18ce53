import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { verifyKey } from "discord-interactions";
import type { DiscordSimulator } from "../src/index.js";

export type Payload = Record<string, unknown> & {
  readonly id: string;
  readonly type: number;
  readonly token: string;
  readonly application_id: string;
  readonly data: Record<string, unknown> & { readonly name?: string; readonly custom_id?: string };
};

export interface InteractionsApp {
  readonly url: string;
  /** What arrived with a good signature, without PINGs. */
  readonly received: Payload[];
  /** How many requests were refused for their signature. */
  refused(): number;
  /** What the last good signature says of its time. */
  signedAtMs(): number;
  close(): Promise<void>;
}

interface AppOptions {
  readonly simulator: DiscordSimulator;
  /** What it answers; undefined answers 202 without a body, never-ending promises do not answer. */
  readonly answer: (payload: Payload) => unknown;
  /** False trusts everything, as a careless app does. */
  readonly verify?: boolean;
}

/** A small application with an interactions endpoint, verified by `discord-interactions`. */
export async function startInteractionsApp({ simulator, answer, verify = true }: AppOptions): Promise<InteractionsApp> {
  const received: Payload[] = [];
  let refused = 0;
  let signedAtMs = 0;

  async function respond(body: Buffer, headers: Readonly<Record<string, string | string[] | undefined>>) {
    const signature = String(headers["x-signature-ed25519"]);
    const timestamp = String(headers["x-signature-timestamp"]);
    if (verify && !(await verifyKey(body, signature, timestamp, simulator.application.publicKeyHex))) {
      refused += 1;
      return { status: 401, text: "bad signature" };
    }
    signedAtMs = Number(timestamp) * 1000;
    const payload = JSON.parse(body.toString()) as Payload;
    if (payload.type === 1) {
      return { status: 200, text: JSON.stringify({ type: 1 }) };
    }
    received.push(payload);
    const result = await answer(payload);
    return result === undefined ? { status: 202, text: "" } : { status: 200, text: JSON.stringify(result) };
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      respond(Buffer.concat(chunks), request.headers).then(
        ({ status, text }) => response.writeHead(status, { "content-type": "application/json" }).end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/interactions`,
    received,
    refused: () => refused,
    signedAtMs: () => signedAtMs,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

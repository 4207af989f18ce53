import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A call as Slack would get it. */
export interface SlackCall {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly body: any;
}

export interface SlackAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: string | object;
}

/** Answers like Slack, by real HTTP: `ok` to an incoming webhook, JSON to the Web API. */
export interface SlackServer {
  readonly baseUrl: string;
  readonly calls: SlackCall[];
  /** Answers to come first, one for each call. */
  readonly next: SlackAnswer[];
  close(): Promise<void>;
}

export async function startSlackServer(): Promise<SlackServer> {
  const calls: SlackCall[] = [];
  const next: SlackAnswer[] = [];
  let messages = 0;

  const answerTo = (call: SlackCall): SlackAnswer => {
    const scripted = next.shift();
    if (scripted !== undefined) return scripted;
    if (call.path.startsWith("/services/")) return { body: "ok" };
    messages += 1;
    return { body: { ok: true, channel: call.body.channel, ts: call.body.ts ?? `1700000000.${messages}` } };
  };

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const call: SlackCall = {
      path: request.url ?? "",
      authorization: request.headers.authorization,
      contentType: request.headers["content-type"],
      body: JSON.parse(Buffer.concat(chunks).toString("utf8")),
    };
    calls.push(call);
    const { status = 200, headers = {}, body } = answerTo(call);
    response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    next,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

import type { Json } from "./json.js";
import { type Served, serve } from "./serve.js";

export interface RecordedCall {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: Json;
}

export interface CannedAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface RecordingDiscord {
  readonly restBaseUrl: string;
  readonly calls: RecordedCall[];
  /** What the next calls get, before `answer` is asked. */
  readonly next: CannedAnswer[];
  answer: (call: RecordedCall) => CannedAnswer;
  close(): Promise<void>;
}

/** A server in the place of Discord's REST API that keeps what it was sent and answers as told. */
export async function startRecordingDiscord(): Promise<RecordingDiscord> {
  const calls: RecordedCall[] = [];
  const next: CannedAnswer[] = [];
  const served: Served = await serve((request, body) => {
    const url = new URL(request.url);
    const text = body.toString("utf8");
    const json = request.headers.get("content-type")?.startsWith("application/json");
    const call: RecordedCall = {
      method: request.method,
      path: `${url.pathname.replace("/api/v10", "")}${url.search}`,
      headers: request.headers,
      body: json ? JSON.parse(text) : text,
    };
    calls.push(call);
    const answer = next.shift() ?? discord.answer(call);
    return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), {
      status: answer.status,
      headers: { "content-type": "application/json", ...answer.headers },
    });
  });
  const discord: RecordingDiscord = {
    restBaseUrl: `${served.url}/api/v10`,
    calls,
    next,
    answer: () => ({ status: 200, body: { id: "900000000000000001", channel_id: "300000000000000001" } }),
    close: served.close,
  };
  return discord;
}

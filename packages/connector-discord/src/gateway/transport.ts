import { readText } from "@hookline/core";
import { type Dispatcher, Pool } from "undici";

export interface PostRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly signal: AbortSignal;
}

export interface PostAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
}

/** Carries one POST and its whole answer. Follows no redirect; rejects without an answer, and when `signal` ends it. */
export interface Transport {
  post(request: PostRequest): Promise<PostAnswer>;
  /** Call it when nothing is under way. */
  close(): Promise<void>;
}

/** The API answers some hundred bytes for each of at most 200 packets. */
const MAX_ANSWER_BYTES = 1_024 * 1_024;

/** Some refuse who says no name; nothing here unpacks an answer. */
const OF_WORKER = { "user-agent": "hookline-gateway-worker", "accept-encoding": "identity" } as const;

/** Connections to one host that are kept open: a fraction of what `fetch` costs for each request. */
export function createPoolTransport(options: {
  readonly origin: string;
  readonly connectTimeoutMs: number;
}): Transport {
  const pool = new Pool(options.origin, {
    connect: { timeout: options.connectTimeoutMs },
    // The signal ends the whole request.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  return {
    post: ({ url, headers, body, signal }) =>
      new Promise((resolve, reject) => {
        let under: Dispatcher.DispatchController | null = null;
        let status = 0;
        let retryAfter: string | null = null;
        const chunks: Buffer[] = [];
        const done = () => signal.removeEventListener("abort", end);
        // What waits for a connection has no controller yet.
        const end = () => {
          done();
          under?.abort(signal.reason);
          reject(signal.reason);
        };
        signal.addEventListener("abort", end);
        const { pathname: path } = new URL(url);
        pool.dispatch(
          { path, method: "POST", headers: { ...headers, ...OF_WORKER }, body },
          {
            onRequestStart(controller) {
              under = controller;
              if (signal.aborted) controller.abort(signal.reason);
            },
            onResponseStart(_, statusCode, answered) {
              status = statusCode;
              retryAfter = [answered["retry-after"]].flat()[0] ?? null;
            },
            onResponseData(_, chunk) {
              chunks.push(chunk);
            },
            onResponseEnd() {
              done();
              resolve({ status, retryAfter, text: Buffer.concat(chunks).toString() });
            },
            onResponseError(_, error) {
              done();
              reject(error);
            },
          },
        );
      }),
    close: () => pool.destroy(),
  };
}

export function fromFetch(fetch: typeof globalThis.fetch): Transport {
  return {
    async post({ url, ...request }) {
      const answer = await fetch(url, { ...request, method: "POST", redirect: "manual" });
      const { text, complete } = await readText(answer, { maxBytes: MAX_ANSWER_BYTES });
      if (!complete) throw new Error(`The answer is longer than ${MAX_ANSWER_BYTES} bytes.`);
      return { status: answer.status, retryAfter: answer.headers.get("retry-after"), text };
    },
    close: async () => {},
  };
}

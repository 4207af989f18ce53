import { readText } from "@hookline/core";
import { Pool } from "undici";

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
    async post({ url, headers, body, signal }) {
      const { pathname: path } = new URL(url);
      const answer = await pool.request({ path, method: "POST", headers, body, signal });
      const retryAfter = answer.headers["retry-after"];
      return {
        status: answer.statusCode,
        retryAfter: typeof retryAfter === "string" ? retryAfter : null,
        text: await answer.body.text(),
      };
    },
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

import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type Clock, readText } from "@hookline/core";
import { sign } from "@hookline/webhook-signing";
import { ingressScheme } from "../ingress-scheme.js";

export interface SignedPostOptions {
  /** Each of them signs, so that the API may have only some of them during a rotation. */
  readonly secrets: readonly string[];
  readonly timeoutMs: number;
  /** Whether larger bodies are packed: saves the network most of them, and costs CPU. */
  readonly compress: boolean;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

export interface PostAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Posts JSON to the API, signed for each attempt anew: what is sent may have waited longer than a timestamp is good for. */
export type SignedPost = (url: string, json: string, signal: AbortSignal) => Promise<PostAnswer>;

/** Below this there is little to gain. */
const COMPRESS_FROM_BYTES = 4 * 1024;
/** The fastest: packets repeat themselves so much that more effort saves little. */
const LEVEL = 1;
/** After decompression. The API answers some hundred bytes for each of at most 200 packets. */
const MAX_ANSWER_BYTES = 1_024 * 1_024;
const pack = promisify(gzip);

export function createSignedPost({ secrets, timeoutMs, compress, fetch, clock }: SignedPostOptions): SignedPost {
  return async (url, json, signal) => {
    const packed = compress && json.length >= COMPRESS_FROM_BYTES;
    const body = packed ? await pack(json, { level: LEVEL }) : json;
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(packed ? { "content-encoding": "gzip" } : {}),
        ...sign(body, { scheme: ingressScheme, secrets, timestamp: Math.floor(clock.now() / 1000) }),
      },
      body,
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const { text, complete } = await readText(response, { maxBytes: MAX_ANSWER_BYTES });
    if (!complete) throw new Error(`The answer is longer than ${MAX_ANSWER_BYTES} bytes.`);
    return { status: response.status, headers: response.headers, text };
  };
}

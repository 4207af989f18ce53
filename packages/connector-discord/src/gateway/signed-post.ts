import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Clock } from "@hookline/core";
import { sign } from "@hookline/webhook-signing";
import { ingressScheme } from "../ingress-scheme.js";
import type { PostAnswer, Transport } from "./transport.js";

export interface SignedPostOptions {
  /** Each of them signs, so that the API may have only some of them during a rotation. */
  readonly secrets: readonly string[];
  /** Of the whole request, from the connection to the end of the answer. */
  readonly timeoutMs: number;
  /** Whether larger bodies are packed: saves the network most of them, and costs CPU. */
  readonly compress: boolean;
  readonly transport: Transport;
  readonly clock: Clock;
}

/** Posts JSON to the API, signed for each attempt anew: what is sent may have waited longer than a timestamp is good for. */
export type SignedPost = (url: string, json: string, signal: AbortSignal) => Promise<PostAnswer>;

/** Below this there is little to gain. */
const COMPRESS_FROM_BYTES = 4 * 1024;
/** The fastest: packets repeat themselves so much that more effort saves little. */
const LEVEL = 1;
const pack = promisify(gzip);

export function createSignedPost({ secrets, timeoutMs, compress, transport, clock }: SignedPostOptions): SignedPost {
  return async (url, json, signal) => {
    const bytes = Buffer.from(json);
    const packed = compress && bytes.length >= COMPRESS_FROM_BYTES;
    const body = packed ? await pack(bytes, { level: LEVEL }) : bytes;
    const headers = {
      "content-type": "application/json",
      ...(packed ? { "content-encoding": "gzip" } : {}),
      ...sign(body, { scheme: ingressScheme, secrets, timestamp: Math.floor(clock.now() / 1000) }),
    };
    // Not AbortSignal.timeout() nor any(): what listens to them, and with it the body, stays in memory for all that time.
    signal.throwIfAborted();
    const ending = new AbortController();
    const end = () => ending.abort(signal.reason);
    const cancelTimeout = clock.setTimer(
      () => ending.abort(new Error(`There was no answer within ${timeoutMs} ms.`)),
      timeoutMs,
    );
    signal.addEventListener("abort", end);
    try {
      return await transport.post({ url, headers, body, signal: ending.signal });
    } finally {
      cancelTimeout();
      signal.removeEventListener("abort", end);
    }
  };
}

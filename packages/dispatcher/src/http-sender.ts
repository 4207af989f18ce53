import { createBrotliDecompress, createGunzip, createInflate, type Gunzip } from "node:zlib";
import type { DestinationRequest, DestinationResponse } from "@hookline/core";
import type { Dispatcher as UndiciDispatcher } from "undici";
import type { AddressGuard } from "./address-guard.js";
import type { Ending } from "./attempt-end.js";
import { phasesOf, type RequestTiming } from "./attempt-phases.js";
import { createBodyBuffer } from "./body-buffer.js";
import type { ConnectionWatch } from "./connection-timing.js";
import type { AttemptErrorCode, AttemptPhases } from "./delivery.js";
import type { OriginPools } from "./origin-pools.js";

/**
 * An answer, or why there is none. `cut`: the body is longer than what was read, or did not end in time. `phases` is null
 * when nothing was begun.
 */
export type SendResult = (
  | { readonly kind: "response"; readonly response: DestinationResponse; readonly cut: boolean }
  | { readonly kind: "failed"; readonly errorCode: AttemptErrorCode; readonly reason: string }
) & { readonly phases: AttemptPhases | null };

export interface HttpSender {
  /** Sends one request. Never rejects; `ending` ends connect, headers and body alike. */
  send(request: DestinationRequest, ending: Ending): Promise<SendResult>;
}

/**
 * Sends without following redirects, and reads no more of an answer than `maxResponseBytes`, counted both as it comes
 * and after decompression.
 */
export function createHttpSender(options: {
  readonly guard: AddressGuard;
  readonly pools: OriginPools;
  readonly maxResponseBytes: number;
}): HttpSender {
  const { guard, pools, maxResponseBytes } = options;
  const places = createPlaces(guard);
  return {
    send(request, ending) {
      let place: Place;
      try {
        place = places(request.url);
      } catch (error) {
        return Promise.resolve(failure(error, null));
      }
      if (ending.aborted) return Promise.resolve(timedOut(null));
      const { pool, watch, release } = pools.acquire(place.origin, request.tls);
      return new Promise<SendResult>((resolve) => {
        const exchange = createExchange({ maxBytes: maxResponseBytes, watch }, (result) => {
          ending.removeEventListener("abort", exchange.expire);
          release();
          resolve(result);
        });
        ending.addEventListener("abort", exchange.expire);
        watch.waiting = exchange.timing;
        try {
          pool.dispatch(
            {
              path: place.path,
              method: request.method,
              headers: request.headers,
              body: request.body,
            },
            exchange.handler,
          );
        } catch (error) {
          exchange.fail(error);
        } finally {
          watch.waiting = null;
        }
      });
    },
  };
}

interface Place {
  readonly origin: string;
  readonly path: string;
}

const MAX_PLACES = 1_000;

/** Where a URL leads, judged as far as that can be without a look-up; what was judged before is remembered. */
function createPlaces(guard: AddressGuard): (url: string) => Place {
  const places = new Map<string, Place>();
  return (text) => {
    const known = places.get(text);
    if (known !== undefined) return known;
    const url = new URL(text);
    guard.check(url);
    const place = { origin: url.origin, path: url.pathname + url.search };
    if (places.size >= MAX_PLACES) places.clear();
    places.set(text, place);
    return place;
  };
}

function timedOut(phases: AttemptPhases | null): SendResult {
  return { kind: "failed", errorCode: "timeout", reason: "There was no answer within the time limit.", phases };
}

/** As many as an endpoint may have reason to send before its answer. */
const MAX_INTERIM_ANSWERS = 32;

class TooManyInterimAnswersError extends Error {
  override readonly name = "TooManyInterimAnswersError";
  readonly code = "invalid_response";
  override readonly message = `there were more than ${MAX_INTERIM_ANSWERS} interim answers.`;
}

/** Gathers one answer. Whatever happens first settles it; what comes later is ignored. */
function createExchange(
  { maxBytes, watch }: { readonly maxBytes: number; readonly watch: ConnectionWatch },
  settle: (result: SendResult) => void,
) {
  const timing: RequestTiming = { connection: null, sentAtMs: null, headAtMs: null };
  let controller: UndiciDispatcher.DispatchController | null = null;
  let settled = false;
  let status = 0;
  let headers: Record<string, string> = {};
  let decoder: Gunzip | null = null;
  let interim = 0;
  let rawBytes = 0;
  /** Nothing more is read; what was read may still be unpacked. */
  let isRead = false;
  let isCut = false;
  const body = createBodyBuffer(maxBytes);

  const finish = (result: SendResult): void => {
    if (settled) return;
    settled = true;
    decoder?.destroy();
    settle(result);
  };
  const phases = (): AttemptPhases => phasesOf(timing, performance.now());
  const answer = (cut: boolean): void =>
    finish({
      kind: "response",
      response: { status, headers, body: body.text() },
      cut,
      phases: phases(),
    });
  const abort = (why = new Error("The attempt is over.")): void => controller?.abort(why);
  /** Ends the request as well: whoever sends on after the end of what can be unpacked would be read for ever. */
  const answerUnpacked = (cut: boolean): void => {
    answer(cut);
    if (!isRead) abort();
  };
  /** Waits for the decoder, so that no more lies in memory than it takes at a time. */
  const unpack = (into: Gunzip, chunk: Buffer): void => {
    if (settled || isRead) return;
    rawBytes += chunk.length;
    if (rawBytes > maxBytes) {
      isRead = true;
      isCut = true;
      into.end(chunk);
      abort();
    } else if (!into.write(chunk)) {
      controller?.pause();
      into.once("drain", () => controller?.resume());
    }
  };
  const keep = (chunk: Buffer): void => {
    if (settled || body.add(chunk)) return;
    answer(true);
    abort();
  };

  const handler: UndiciDispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      timing.connection = watch.opened;
      timing.sentAtMs = performance.now();
      // The time ran out while the request waited for a connection: it is not sent any more.
      if (settled) abort();
    },
    onResponseStart(_controller, statusCode, received) {
      if (statusCode < 200) {
        interim += 1;
        if (interim > MAX_INTERIM_ANSWERS) abort(new TooManyInterimAnswersError());
        return;
      }
      timing.headAtMs = performance.now();
      status = statusCode;
      headers = lastValues(received);
      decoder = createDecoder(headers["content-encoding"]);
      decoder?.on("data", keep);
      decoder?.on("end", () => answerUnpacked(isCut));
      // What could be unpacked is the answer; the status tells the outcome.
      decoder?.on("error", () => answerUnpacked(true));
    },
    onResponseData(_controller, chunk) {
      if (decoder === null) keep(chunk);
      else unpack(decoder, chunk);
    },
    onResponseEnd() {
      isRead = true;
      if (decoder === null) answer(false);
      else if (!settled) decoder.end();
    },
    onResponseError(_controller, error) {
      if (isRead) return;
      isRead = true;
      // Of a connection that was made in place of one that had been there.
      if (timing.sentAtMs === null) timing.connection = watch.opened ?? timing.connection;
      if (status === 0) finish(failure(error, phases()));
      else answer(true);
    },
  };

  return {
    handler,
    timing,
    fail: (error: unknown) => finish(failure(error, phases())),
    expire: () => {
      if (status === 0) {
        finish(timedOut(phases()));
      } else {
        answer(true);
      }
      abort();
    },
  };
}

function createDecoder(encoding: string | undefined): Gunzip | null {
  switch (encoding?.trim().toLowerCase()) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress() as unknown as Gunzip;
    default:
      return null;
  }
}

function lastValues(received: Record<string, string | string[] | undefined>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in received) {
    const value = received[name];
    if (value !== undefined) headers[name] = typeof value === "string" ? value : (value.at(-1) ?? "");
  }
  return headers;
}

const CODES: Readonly<Record<string, AttemptErrorCode>> = {
  address_refused: "address_refused",
  proxy_failed: "proxy_failed",
  invalid_response: "invalid_response",
  UND_ERR_HEADERS_OVERFLOW: "invalid_response",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "invalid_response",
  ERR_INVALID_URL: "plan_failed",
  UND_ERR_INVALID_ARG: "plan_failed",
  ECONNREFUSED: "connection_refused",
  ECONNRESET: "connection_reset",
  EPIPE: "connection_reset",
  UND_ERR_SOCKET: "connection_reset",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  ETIMEDOUT: "timeout",
  ENOTFOUND: "dns_failed",
  EAI_AGAIN: "dns_failed",
  ENODATA: "dns_failed",
  ESERVFAIL: "dns_failed",
};

function failure(error: unknown, phases: AttemptPhases | null): SendResult {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const errorCode = failureCode(first);
  const reason = first instanceof Error ? first.message : "The request failed.";
  const isUnreadable = errorCode === "invalid_response";
  return { kind: "failed", errorCode, reason: isUnreadable ? `The answer cannot be read: ${reason}` : reason, phases };
}

function failureCode(error: unknown): AttemptErrorCode {
  if (!(error instanceof Error)) return "network_error";
  const code = "code" in error ? String(error.code) : "";
  // Of the parser, and undici's own words for an answer that it ends the connection for.
  if (error.name === "HTTPParserError" || (code === "UND_ERR_SOCKET" && error.message.startsWith("bad "))) {
    return "invalid_response";
  }
  const isTls = /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|DEPTH_|UNABLE_TO_|SELF_SIGNED)/.test(code);
  return CODES[code] ?? (isTls ? "tls_failed" : "network_error");
}

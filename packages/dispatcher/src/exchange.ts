import { createBrotliDecompress, createGunzip, createInflate, type Gunzip } from "node:zlib";
import type { DestinationResponse } from "@hookline/core";
import type { Dispatcher as UndiciDispatcher } from "undici";
import { phasesOf, type RequestTiming } from "./attempt-phases.js";
import { type BodyBuffer, createBodyBuffer } from "./body-buffer.js";
import type { ConnectionWatch } from "./connection-timing.js";
import type { AttemptErrorCode, AttemptPhases } from "./delivery.js";

/**
 * An answer, or why there is none. `cut`: the body is longer than what was read, or did not end in time. `phases` is null
 * when nothing was begun.
 */
export type SendResult = (
  | { readonly kind: "response"; readonly response: DestinationResponse; readonly cut: boolean }
  | { readonly kind: "failed"; readonly errorCode: AttemptErrorCode; readonly reason: string }
) & { readonly phases: AttemptPhases | null };

type Controller = UndiciDispatcher.DispatchController;

/** As many as an endpoint may have reason to send before its answer. */
const MAX_INTERIM_ANSWERS = 32;

class TooManyInterimAnswersError extends Error {
  override readonly name = "TooManyInterimAnswersError";
  readonly code = "invalid_response";
  override readonly message = `there were more than ${MAX_INTERIM_ANSWERS} interim answers.`;
}

/**
 * Gathers one answer. Whatever happens first settles it; what comes later is ignored. Each request has one, so it is an
 * object of a class: as many closures would be a tenth of what a delivery leaves to the garbage collector.
 */
export class Exchange implements UndiciDispatcher.DispatchHandler {
  readonly timing: RequestTiming = { connection: null, sentAtMs: null, headAtMs: null };
  private controller: Controller | null = null;
  private settled = false;
  private status = 0;
  private headers: Record<string, string> = {};
  private decoder: Gunzip | null = null;
  private interim = 0;
  private rawBytes = 0;
  /** Nothing more is read; what was read may still be unpacked. */
  private isRead = false;
  private isCut = false;
  private body: BodyBuffer | null = null;

  constructor(
    private readonly limits: { readonly maxBytes: number; readonly watch: ConnectionWatch },
    private readonly settle: (result: SendResult) => void,
  ) {}

  onRequestStart(started: Controller): void {
    this.controller = started;
    this.timing.connection = this.limits.watch.opened;
    this.timing.sentAtMs = performance.now();
    // The time ran out while the request waited for a connection: it is not sent any more.
    if (this.settled) this.abort();
  }

  onResponseStart(_controller: Controller, statusCode: number, received: ReceivedHeaders): void {
    if (statusCode < 200) {
      this.interim += 1;
      if (this.interim > MAX_INTERIM_ANSWERS) this.abort(new TooManyInterimAnswersError());
      return;
    }
    this.timing.headAtMs = performance.now();
    this.status = statusCode;
    this.headers = lastValues(received);
    this.decoder = createDecoder(this.headers["content-encoding"]);
    this.decoder?.on("data", (chunk: Buffer) => this.keep(chunk));
    this.decoder?.on("end", () => this.answerUnpacked(this.isCut));
    // What could be unpacked is the answer; the status tells the outcome.
    this.decoder?.on("error", () => this.answerUnpacked(true));
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    if (this.decoder === null) this.keep(chunk);
    else this.unpack(this.decoder, chunk);
  }

  onResponseEnd(): void {
    this.isRead = true;
    if (this.decoder === null) this.answer(false);
    else if (!this.settled) this.decoder.end();
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.isRead) return;
    this.isRead = true;
    // Of a connection that was made in place of one that had been there.
    if (this.timing.sentAtMs === null) this.timing.connection = this.limits.watch.opened ?? this.timing.connection;
    if (this.status === 0) this.fail(error);
    else this.answer(true);
  }

  fail(error: unknown): void {
    this.finish(failure(error, this.phases()));
  }

  /** The time is over: what came of the answer is the answer. */
  expire(): void {
    if (this.status === 0) this.finish(timedOut(this.phases()));
    else this.answer(true);
    this.abort();
  }

  private finish(result: SendResult): void {
    if (this.settled) return;
    this.settled = true;
    this.decoder?.destroy();
    this.settle(result);
  }

  private phases(): AttemptPhases {
    return phasesOf(this.timing, performance.now());
  }

  private answer(cut: boolean): void {
    const { status, headers } = this;
    const response = { status, headers, body: this.body?.text() ?? "" };
    this.finish({ kind: "response", response, cut, phases: this.phases() });
  }

  private abort(why = new Error("The attempt is over.")): void {
    this.controller?.abort(why);
  }

  /** Ends the request as well: whoever sends on after the end of what can be unpacked would be read for ever. */
  private answerUnpacked(cut: boolean): void {
    this.answer(cut);
    if (!this.isRead) this.abort();
  }

  /** Waits for the decoder, so that no more lies in memory than it takes at a time. */
  private unpack(into: Gunzip, chunk: Buffer): void {
    if (this.settled || this.isRead) return;
    this.rawBytes += chunk.length;
    if (this.rawBytes > this.limits.maxBytes) {
      this.isRead = true;
      this.isCut = true;
      into.end(chunk);
      this.abort();
    } else if (!into.write(chunk)) {
      this.controller?.pause();
      into.once("drain", () => this.controller?.resume());
    }
  }

  private keep(chunk: Buffer): void {
    if (this.settled) return;
    this.body ??= createBodyBuffer(this.limits.maxBytes);
    if (this.body.add(chunk)) return;
    this.answer(true);
    this.abort();
  }
}

type ReceivedHeaders = Record<string, string | string[] | undefined>;

export function timedOut(phases: AttemptPhases | null): SendResult {
  return { kind: "failed", errorCode: "timeout", reason: "There was no answer within the time limit.", phases };
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

function lastValues(received: ReceivedHeaders): Record<string, string> {
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

export function failure(error: unknown, phases: AttemptPhases | null): SendResult {
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

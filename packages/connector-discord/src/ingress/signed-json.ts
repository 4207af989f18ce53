import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { type Clock, problemResponse } from "@hookline/core";
import { isWebhookVerificationError, verify } from "@hookline/webhook-signing";
import { ingressScheme } from "../ingress-scheme.js";

const TOLERANCE_SECONDS = 300;
const unzip = promisify(gunzip);

export interface SignedJsonOptions {
  readonly secrets: readonly string[];
  readonly clock: Clock;
  /** Of the body once it is unpacked; what came over the wire is limited by the route. */
  readonly maxBodyBytes: number;
}

export type SignedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly response: Response };

/** The JSON of a request that the gateway worker has signed: the bytes as they came are verified before they are unpacked. */
export async function readSignedJson(request: Request, options: SignedJsonOptions): Promise<SignedJson> {
  const body = new Uint8Array(await request.arrayBuffer());
  try {
    verify(body, request.headers, {
      scheme: ingressScheme,
      secrets: options.secrets,
      toleranceSeconds: TOLERANCE_SECONDS,
      now: new Date(options.clock.now()),
    });
  } catch (error) {
    if (!isWebhookVerificationError(error)) throw error;
    return refuse(error.statusCode, error.code, error.message);
  }
  return readJson(request, body, options.maxBodyBytes);
}

/** The JSON of a request whose sender is known; unpacked where it is packed, up to the limit. */
export async function readJson(request: Request, body: Uint8Array, maxBodyBytes: number): Promise<SignedJson> {
  if (!/^application\/json\b/i.test(request.headers.get("content-type") ?? "")) {
    return refuse(400, "unsupported_content_type", "The ingress takes application/json.");
  }
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "gzip" && encoding !== "identity") {
    return refuse(415, "unsupported_content_encoding", "The ingress takes gzip, or what is not packed at all.");
  }
  let plain: Uint8Array = body;
  if (encoding === "gzip") {
    try {
      plain = await unzip(body, { maxOutputLength: maxBodyBytes });
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE"
        ? refuse(413, "body_too_large", `Unpacked, the body has at most ${maxBodyBytes} bytes.`)
        : refuse(400, "invalid_encoding", "The body is not gzip.");
    }
  }
  try {
    return { ok: true, value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plain)) };
  } catch {
    return refuse(400, "invalid_json", "The body is not JSON in UTF-8.");
  }
}

function refuse(status: number, code: string, detail: string): SignedJson {
  return { ok: false, response: problemResponse({ status, code, detail }) };
}

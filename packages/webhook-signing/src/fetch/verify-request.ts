import type { WebhookHeaders } from "../headers.js";
import { type BodyLimit, checkContentLength, defaultMaxBodyBytes, tooLarge } from "../max-body-bytes.js";
import type { VerifyOptions } from "../received.js";
import type { VerifiedWebhook } from "../verified.js";

/** What is needed of a `Request`. */
export interface WebhookRequest {
  readonly headers: { get(name: string): string | null };
  readonly bodyUsed: boolean;
  readonly body: { getReader(): BodyReader } | null;
}

interface BodyReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(reason?: unknown): Promise<unknown>;
}

export interface VerifyRequestOptions extends VerifyOptions, BodyLimit {}

type Verify = (
  body: Uint8Array,
  headers: WebhookHeaders,
  options: VerifyOptions,
) => VerifiedWebhook<Uint8Array> | Promise<VerifiedWebhook<Uint8Array>>;

/** `verifyRequest` on top of one runtime's `verify`. */
export function createVerifyRequest(verify: Verify) {
  /**
   * Reads a request's body as it came, at most `maxBodyBytes`, and verifies it. Afterwards the body is the answer's
   * `body`; the request's own is used up.
   *
   * Rejects as `verify` does, with `body_too_large` too, and with a TypeError when the body was read before.
   *
   * @example
   * const { json } = await verifyRequest(request, { scheme: standardWebhooks, secrets: [env.WEBHOOK_SECRET] });
   */
  return async function verifyRequest(
    request: WebhookRequest,
    { maxBodyBytes = defaultMaxBodyBytes, ...options }: VerifyRequestOptions,
  ): Promise<VerifiedWebhook<Uint8Array>> {
    return verify(await readBody(request, maxBodyBytes), request.headers, options);
  };
}

async function readBody({ body, bodyUsed, headers }: WebhookRequest, maxBodyBytes: number): Promise<Uint8Array> {
  if (bodyUsed) {
    throw new TypeError(
      "The request's body was read before verifyRequest. Call it first, and take body or json() from its answer.",
    );
  }
  if (body === null) return new Uint8Array();
  checkContentLength(headers.get("content-length"), maxBodyBytes);
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const chunk = next.value ?? new Uint8Array();
    length += chunk.length;
    chunks.push(chunk);
    if (length > maxBodyBytes) {
      const error = tooLarge(maxBodyBytes);
      await reader.cancel(error);
      throw error;
    }
  }
  return join(chunks, length);
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1 && chunks[0] !== undefined) return chunks[0];
  const joined = new Uint8Array(length);
  let end = 0;
  for (const chunk of chunks) {
    joined.set(chunk, end);
    end += chunk.length;
  }
  return joined;
}

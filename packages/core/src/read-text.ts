/** What was read of a body. */
export interface ReadText {
  readonly text: string;
  /** False where the body was longer: the rest was not read, and `text` ends where the limit is. */
  readonly complete: boolean;
}

/**
 * Reads an answer as text, and no more of it than is wanted: beyond the limit the body is cancelled, which ends its
 * connection. What counts is what comes out of decompression, so that a small answer can't become a large one.
 *
 * Rejects as the body's own stream does, such as when the request is aborted.
 *
 * @example
 * const { text, complete } = await readText(await fetch(url), { maxBytes: 64 * 1024 });
 */
export async function readText(
  answer: Pick<Response, "body">,
  { maxBytes }: { readonly maxBytes: number },
): Promise<ReadText> {
  if (answer.body === null) return { text: "", complete: true };
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let readBytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), complete: true };
    const room = maxBytes - readBytes;
    text += decoder.decode(value.subarray(0, room), { stream: true });
    readBytes += value.byteLength;
    if (value.byteLength > room) {
      await reader.cancel();
      return { text, complete: false };
    }
  }
}

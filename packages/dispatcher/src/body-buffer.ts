/** A body as it comes, up to a number of bytes. */
export interface BodyBuffer {
  /** False when it was more than there was room for: the rest of it is left out. */
  add(chunk: Buffer): boolean;
  text(): string;
}

const FIRST_CAPACITY = 1_024;

/**
 * Puts chunks together as they come: one that is kept as it is costs some hundred bytes besides, however short, and who
 * answers may send a byte at a time.
 */
export function createBodyBuffer(maxBytes: number): BodyBuffer {
  let bytes = 0;
  let body: Buffer | null = null;

  const grow = (known: Buffer, needed: number): Buffer => {
    if (known.length >= needed) return known;
    const larger = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(needed, known.length * 2, FIRST_CAPACITY)));
    known.copy(larger, 0, 0, bytes);
    return larger;
  };

  return {
    add(chunk) {
      const kept = Math.min(chunk.length, maxBytes - bytes);
      if (body === null) {
        // Most bodies are one chunk.
        body = kept === chunk.length ? chunk : chunk.subarray(0, kept);
      } else {
        body = grow(body, bytes + kept);
        chunk.copy(body, bytes, 0, kept);
      }
      bytes += kept;
      return kept === chunk.length;
    },
    text: () => (body === null ? "" : body.toString("utf8", 0, bytes)),
  };
}

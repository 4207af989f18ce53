/** A secret of an endpoint, as it is kept. Newest first; all but the first one end. */
export interface KeptSecret {
  readonly value: string;
  readonly madeAtMs?: number;
  /** From then on it does not sign. Absent: it is the newest. */
  readonly endsAtMs?: number;
}

/** The secrets that sign at a time, newest first. */
export function signingSecrets(kept: readonly KeptSecret[], nowMs: number): readonly string[] {
  return kept.filter(({ endsAtMs }) => endsAtMs === undefined || nowMs < endsAtMs).map(({ value }) => value);
}

/** A new secret in front. Each older one ends when it was to end anyway, at `endsAtMs` at the latest. */
export function rotate(
  kept: readonly KeptSecret[],
  value: string,
  { nowMs, endsAtMs }: { readonly nowMs: number; readonly endsAtMs: number },
): readonly KeptSecret[] {
  const older = kept
    .filter((secret) => secret.value !== value)
    .map((secret) => ({ ...secret, endsAtMs: Math.min(secret.endsAtMs ?? endsAtMs, endsAtMs) }))
    .filter((secret) => nowMs < secret.endsAtMs);
  return [{ value, madeAtMs: nowMs }, ...older];
}

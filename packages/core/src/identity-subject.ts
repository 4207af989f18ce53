import type { Identity } from "./ingest.js";

/**
 * What stands for a person in `subjectIds` of a direct send while no contact is known: `discord:80351110224678912`. An
 * erasure of whoever has this identity by then finds it.
 */
export function identitySubject({ kind, value }: Identity): string {
  return `${kind}:${value}`;
}

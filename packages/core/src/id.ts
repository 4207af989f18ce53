/**
 * A new id such as `evt_m1x2k9a3f…`: the prefix, nine characters of time, twenty random ones. Ids sort by the time
 * they were made in and hold neither a dot nor anything that needs escaping in a URL or a header.
 *
 * @param nowMs milliseconds since 1970
 */
export function newId(prefix: string, nowMs: number): string {
  const uuid = crypto.randomUUID();
  const random = uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23);
  return `${prefix}_${nowMs.toString(36).padStart(9, "0")}${random}`;
}

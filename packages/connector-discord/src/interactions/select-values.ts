import type { z } from "zod";
import type { DiscordSelect } from "./define-select.js";
import type { componentDataSchema } from "./payload.js";
import { resolvedEntities } from "./resolved.js";

/** What was chosen in a menu; null where the definition does not offer it, such as in a menu of before its last change. */
export function readSelectValues(
  { choose, minValues, maxValues }: DiscordSelect,
  { values, resolved }: z.infer<typeof componentDataSchema>,
): readonly unknown[] | null {
  if (values.length < minValues || values.length > maxValues || new Set(values).size !== values.length) return null;
  if (typeof choose === "string") return resolvedEntities(choose, values, resolved);
  // What a function offers is asked for once the member is known to be allowed to choose.
  if (typeof choose === "function") return values;
  return values.every((value) => choose.some((option) => option.value === value)) ? values : null;
}

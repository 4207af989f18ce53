import { DiscordConnectorError } from "../errors.js";

/** The values in the order of the definition's names. Throws `invalid_definition` for one that is missing. */
export function orderedParams(
  route: string,
  names: readonly string[],
  values: Readonly<Record<string, string>>,
): readonly string[] {
  return names.map((name) => {
    const value = values[name];
    if (value !== undefined) return value;
    throw new DiscordConnectorError("invalid_definition", `"${route}" is shown without its param "${name}".`);
  });
}

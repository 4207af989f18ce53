import { DiscordConnectorError } from "../errors.js";

const COMPONENT_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

export function assertComponentName(what: string, name: string): void {
  assertDefinition(
    COMPONENT_NAME.test(name),
    `The name of a ${what} is 1 to 32 lower-case letters, digits and hyphens, not "${name}".`,
  );
}

export function assertLength(what: string, text: string, limit: number): void {
  assertDefinition(typeof text === "string", `${what} is missing.`);
  assertDefinition(
    text.length >= 1 && text.length <= limit,
    `${what} has ${text.length} characters; Discord takes 1 to ${limit}.`,
  );
}

export function assertDefinition(holds: boolean, message: string): asserts holds {
  if (!holds) throw new DiscordConnectorError("invalid_definition", message);
}

import { DISCORD_LIMITS } from "../message/limits.js";
import { assertDefinition, assertLength } from "./check-definition.js";
import type { CommandOption, CommandOptions } from "./command-options.js";

/** Of commands, subcommands and options. */
export const COMMAND_NAME = /^[a-z0-9_-]{1,32}$/;

const TYPES = {
  string: true,
  integer: true,
  number: true,
  boolean: true,
  user: true,
  channel: true,
  role: true,
} as const satisfies Record<CommandOption["type"], true>;

/** Throws `invalid_definition` for what Discord would not register. */
export function assertOptions(command: string, options: CommandOptions): void {
  const entries = Object.entries(options);
  assertDefinition(
    entries.length <= DISCORD_LIMITS.commandOptions,
    `/${command} has ${entries.length} options; Discord takes ${DISCORD_LIMITS.commandOptions}.`,
  );
  let optionalSeen = false;
  for (const [name, option] of entries) {
    assertDefinition(COMMAND_NAME.test(name), `/${command}: an option can't be called "${name}".`);
    assertLength(`The description of "${name}" of /${command}`, option.description, DISCORD_LIMITS.commandDescription);
    assertDefinition(
      !(optionalSeen && option.required === true),
      `/${command}: the required option "${name}" stands behind an optional one.`,
    );
    assertDefinition(
      !("autocomplete" in option && option.choices),
      `/${command}: the option "${name}" has either choices or autocomplete.`,
    );
    assertOption(`/${command}: the option "${name}"`, option);
    optionalSeen ||= option.required !== true;
  }
}

function assertOption(what: string, option: CommandOption): void {
  assertDefinition(Object.hasOwn(TYPES, option.type), `${what} has the type "${option.type}", which there is not.`);
  if (option.type === "string") {
    const { minLength = 0, maxLength = DISCORD_LIMITS.commandText } = option;
    const areLengths = [minLength, maxLength].every((length) => Number.isInteger(length) && length >= 0);
    assertDefinition(
      areLengths && minLength <= maxLength && maxLength >= 1 && maxLength <= DISCORD_LIMITS.commandText,
      `${what} takes 0 to ${DISCORD_LIMITS.commandText} characters, and the least is not above the most.`,
    );
  } else if (option.type === "integer" || option.type === "number") {
    const { minValue, maxValue } = option;
    const isFitting = (value: number) =>
      Math.abs(value) <= Number.MAX_SAFE_INTEGER && (option.type === "number" || Number.isInteger(value));
    assertDefinition(
      [minValue, maxValue].every((value) => value === undefined || isFitting(value)) &&
        (minValue ?? Number.NEGATIVE_INFINITY) <= (maxValue ?? Number.POSITIVE_INFINITY),
      `${what} takes ${option.type === "integer" ? "whole " : ""}numbers to 2^53, and the least is not above the most.`,
    );
  }
  if ("choices" in option && option.choices) assertChoices(what, option);
}

function assertChoices(what: string, { type, choices = [] }: Extract<CommandOption, { readonly choices?: unknown }>) {
  const most = DISCORD_LIMITS.commandChoices;
  assertDefinition(
    choices.length >= 1 && choices.length <= most,
    `${what} has ${choices.length} choices; Discord takes 1 to ${most}.`,
  );
  assertDefinition(
    new Set(choices.map(({ name }) => name)).size === choices.length,
    `${what} has two choices of the same name.`,
  );
  for (const { name, value } of choices) {
    assertLength(`${what}: a choice's name`, name, DISCORD_LIMITS.commandChoice);
    if (type === "string") assertLength(`${what}: a choice's value`, String(value), DISCORD_LIMITS.commandChoice);
    assertDefinition(
      type === "string"
        ? typeof value === "string"
        : type === "integer"
          ? Number.isInteger(value)
          : Number.isFinite(value),
      `${what}: the choice "${name}" stands for no ${type === "integer" ? "whole number" : type}.`,
    );
  }
}

import { DISCORD_LIMITS } from "../message/limits.js";
import { assertDefinition, assertLength } from "./check-definition.js";
import type { ChoiceOption } from "./choices.js";

/** Throws `invalid_definition` for what Discord would not take as options. */
export function assertChoiceOptions(
  what: string,
  options: readonly ChoiceOption[],
  { least = 1, most }: { readonly least?: number; readonly most: number },
): void {
  assertDefinition(
    options.length >= least && options.length <= most,
    `${what} has ${least} to ${most} options, not ${options.length}.`,
  );
  const values = new Set(options.map((option) => option.value));
  assertDefinition(values.size === options.length, `${what}: two options have the same value.`);
  for (const { label, value, description } of options) {
    assertLength(`${what}: an option's label`, label, DISCORD_LIMITS.selectOption);
    assertLength(`${what}: an option's value`, value, DISCORD_LIMITS.selectOption);
    if (description !== undefined) {
      assertLength(`${what}: an option's description`, description, DISCORD_LIMITS.selectOption);
    }
  }
}

/** Throws `invalid_definition` unless least and most are whole, in order and no more than there can be. */
export function assertCount(
  what: string,
  { minValues, maxValues }: { readonly minValues: number; readonly maxValues: number },
  most: number,
): void {
  assertDefinition(
    Number.isInteger(minValues) &&
      Number.isInteger(maxValues) &&
      minValues >= 0 &&
      maxValues >= 1 &&
      minValues <= maxValues &&
      maxValues <= most,
    `${what} takes ${minValues} to ${maxValues} choices; it has to be 0 to ${most}, and the least not above the most.`,
  );
}

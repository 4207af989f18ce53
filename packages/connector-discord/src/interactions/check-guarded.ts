import { PermissionFlagsBits } from "discord-api-types/v10";
import { assertDefinition } from "./check-definition.js";
import { assertCooldown, type CooledDefinition } from "./cooldown.js";

interface GuardedDefinition extends CooledDefinition {
  readonly requires?: unknown;
  readonly visibleTo?: unknown;
  /** Every definition has one, though not every type of it says so. */
  readonly answer?: string;
}

const ANSWERS: ReadonlySet<string> = new Set(["immediate", "deferred", "deferred-update"]);

/** Throws `invalid_definition` for what a type would have shown; in JavaScript it would only show when somebody asks. */
export function assertGuarded(definition: GuardedDefinition): void {
  const { kind, name, requires, visibleTo, answer } = definition;
  assertDefinition(
    ANSWERS.has(answer ?? ""),
    `The ${kind} "${name}" answers "${answer}"; it takes immediate or deferred.`,
  );
  assertPermissions(`The ${kind} "${name}"`, requires);
  assertPermissions(`The ${kind} "${name}"`, visibleTo);
  assertCooldown(definition);
}

export function assertPermissions(what: string, names: unknown): void {
  if (!Array.isArray(names)) return;
  for (const permission of names) {
    assertDefinition(
      Object.hasOwn(PermissionFlagsBits, permission),
      `${what} names the permission "${permission}", which there is not.`,
    );
  }
}

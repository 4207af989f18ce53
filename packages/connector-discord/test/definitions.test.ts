import { describe, expect, it } from "vitest";
import { defineButton, defineCommand, defineCommandGroup, defineUserCommand, reply } from "../src/index.js";

const run = () => reply("ok");
const command = (change: object) =>
  defineCommand({ name: "x", description: "x", answer: "immediate", run, ...change } as never);
const option = (change: object) => command({ options: { a: { description: "A", type: "string", ...change } } });
const choices = (count: number, change: object = {}) =>
  Array.from({ length: count }, (_, index) => ({ name: `n${index}`, value: `v${index}`, ...change }));

describe("E6 a definition", () => {
  it.each([
    ["without a description", () => command({ description: undefined }), /description of \/x is missing/],
    ["with an answer of its own", () => command({ answer: "later" }), /answers "later"/],
    ["for an unknown permission", () => command({ requires: ["Manage"] }), /the permission "Manage"/],
    ["visible to an unknown permission", () => command({ visibleTo: ["toString"] }), /the permission "toString"/],
    ["with an unknown type", () => option({ type: "text" }), /type "text"/],
    ["with no choices", () => option({ choices: [] }), /has 0 choices/],
    ["with 26 choices", () => option({ choices: choices(26) }), /has 26 choices/],
    ["with choices of one name", () => option({ choices: choices(2, { name: "n" }) }), /two choices of the same name/],
    ["with a choice too long", () => option({ choices: choices(1, { value: "v".repeat(101) }) }), /takes 1 to 100/],
    ["with a number among texts", () => option({ choices: choices(1, { value: 1 }) }), /"n0" stands for no string/],
    [
      "with half an integer",
      () => option({ type: "integer", choices: choices(1, { value: 1.5 }) }),
      /"n0" stands for no whole number/,
    ],
    ["with lengths in disorder", () => option({ minLength: 5, maxLength: 2 }), /the least is not above the most/],
    ["with a text too long", () => option({ maxLength: 6_001 }), /takes 0 to 6000 characters/],
    ["with numbers in disorder", () => option({ type: "number", minValue: 5, maxValue: 2 }), /least is not above/],
    ["with half a least", () => option({ type: "integer", minValue: 1.5 }), /takes whole numbers/],
    ["with a number beyond", () => option({ type: "integer", maxValue: 2 ** 60 }), /takes whole numbers to 2\^53/],
    [
      "of a button for an unknown permission",
      () => defineButton({ name: "x", requires: ["Manage" as never], answer: "immediate", run }),
      /The button "x" names the permission "Manage"/,
    ],
    [
      "of a menu for an unknown permission",
      () => defineUserCommand({ name: "x", visibleTo: ["Manage" as never], answer: "immediate", run }),
      /the permission "Manage"/,
    ],
    [
      "of a group for an unknown permission",
      () =>
        defineCommandGroup({ name: "x", description: "x", visibleTo: ["Manage" as never], subcommands: [command({})] }),
      /the permission "Manage"/,
    ],
  ])("%s is refused at once, not when it is registered or used", (_what, define, message) => {
    expect(define).toThrow(message);
    expect(define).toThrow(expect.objectContaining({ code: "invalid_definition" }));
  });

  it("takes what Discord takes", () => {
    expect(() => option({ choices: choices(25), minLength: 0, maxLength: 6_000 })).not.toThrow();
    expect(() => option({ type: "number", minValue: -1.5, choices: choices(1, { value: 0.5 }) })).not.toThrow();
    expect(() => option({ type: "integer", minValue: 0, maxValue: 0 })).not.toThrow();
  });
});

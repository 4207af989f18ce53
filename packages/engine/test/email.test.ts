import { describe, expect, it } from "vitest";
import { maskEmail } from "../src/identity/email.js";
import { isEngineError, normaliseEmail } from "../src/index.js";

describe("email addresses", () => {
  it.each([
    ["Jo@Example.COM", "jo@example.com"],
    ["  jo@example.com\n", "jo@example.com"],
    ["jo+tag@mail.example.co.uk", "jo+tag@mail.example.co.uk"],
    ["o'neil@example.com", "o'neil@example.com"],
    ["jo@Bücher.example", "jo@xn--bcher-kva.example"],
    [`${"a".repeat(64)}@example.com`, `${"a".repeat(64)}@example.com`],
  ])("knows %j as %j", (given, normalised) => {
    expect(normaliseEmail(given)).toBe(normalised);
    expect(normaliseEmail(normalised)).toBe(normalised);
  });

  it.each([
    ["", "empty"],
    ["jo", "without @"],
    ["@example.com", "without a local part"],
    ["jo@", "without a domain"],
    ["jo@localhost", "with a domain of one label"],
    ["jo@exa mple.com", "with a space"],
    ["jo@example.com\r\nBcc: all@example.com", "with a line break"],
    ["jo smith@example.com", "with a space in the local part"],
    ["<jo@example.com>", "with brackets"],
    ["a@b@example.com", "with two @"],
    [".jo@example.com", "that begins with a dot"],
    ["jo..x@example.com", "with two dots"],
    ["jo@-example.com", "with a label that begins with -"],
    ["jo\u0000@example.com", "with a control character"],
    [`${"a".repeat(65)}@example.com`, "with a local part above 64"],
    [`joh@${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.example`, "longer than 254"],
  ])("refuses %j, %s", (address) => {
    let refusal: unknown;
    try {
      normaliseEmail(address);
    } catch (error) {
      refusal = error;
    }
    expect(isEngineError(refusal) && refusal.code).toBe("invalid_email");
  });

  it("shows its owner enough of an address, and a stranger little", () => {
    expect(maskEmail("johanna@example.com")).toBe("jo•••@example.com");
    expect(maskEmail("jo@example.com")).toBe("j•••@example.com");
  });
});

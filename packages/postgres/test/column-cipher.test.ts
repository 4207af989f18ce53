import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createColumnCipher } from "../src/column-cipher.js";

const newKey = () => randomBytes(32).toString("base64");

describe("createColumnCipher", () => {
  it("gives back what it was given, and writes the same text differently each time", () => {
    const cipher = createColumnCipher({ keys: [newKey()] });
    for (const text of ["", "secret", "☃ 😀", "x".repeat(100_000), '{"token":"a.b.c"}']) {
      const written = [cipher.encrypt(text, "endpoints.target"), cipher.encrypt(text, "endpoints.target")];
      expect(new Set(written).size).toBe(2);
      expect(written.map((value) => cipher.decrypt(value, "endpoints.target"))).toEqual([text, text]);
      if (text !== "") expect(written[0]).not.toContain(text);
    }
  });

  it("reads with an older key, writes with the newest, and says what should be written anew", () => {
    const [older, newer] = [newKey(), newKey()];
    const before = createColumnCipher({ keys: [older] }).encrypt("secret", "c");
    const rotated = createColumnCipher({ keys: [newer, older] });
    expect(rotated.decrypt(before, "c")).toBe("secret");
    const after = rotated.encrypt("secret", "c");
    expect([rotated.needsRotation(before), rotated.needsRotation(after)]).toEqual([true, false]);
    expect(() => createColumnCipher({ keys: [older] }).decrypt(after, "c")).toThrow("no key with id");
    expect(createColumnCipher({ keys: [newer] }).decrypt(after, "c")).toBe("secret");
  });

  it("refuses a value that was moved to another column", () => {
    const cipher = createColumnCipher({ keys: [newKey()] });
    const value = cipher.encrypt("secret", "endpoints.target");
    expect(() => cipher.decrypt(value, "contacts.email")).toThrow(expect.objectContaining({ code: "decrypt_failed" }));
  });

  it("refuses a value of which any character was changed", () => {
    const cipher = createColumnCipher({ keys: [newKey()] });
    const value = cipher.encrypt("secret", "c");
    for (let index = 0; index < value.length; index++) {
      const other = value[index] === "A" ? "Q" : "A";
      const changed = value.slice(0, index) + other + value.slice(index + 1);
      // The last character of base64 holds bits that no byte uses.
      if (
        Buffer.from(changed.split(".")[2] ?? "", "base64url").equals(
          Buffer.from(value.split(".")[2] ?? "", "base64url"),
        ) &&
        index > 12
      )
        continue;
      expect(() => cipher.decrypt(changed, "c"), changed).toThrow(expect.objectContaining({ code: "decrypt_failed" }));
    }
  });

  it.each(["", "plain", "v1.", "v1.aaaaaaaa", "v1.aaaaaaaa.AAAA", "v2.aaaaaaaa.AAAA", "v1.a.b.c"])(
    "refuses %j, which it has not written",
    (value) => {
      const cipher = createColumnCipher({ keys: [newKey()] });
      expect(() => cipher.decrypt(value, "c")).toThrow(expect.objectContaining({ code: "decrypt_failed" }));
    },
  );

  it("keeps value and key out of its errors", () => {
    const key = newKey();
    const cipher = createColumnCipher({ keys: [key] });
    const value = cipher.encrypt("hunter2", "c");
    try {
      cipher.decrypt(value, "other");
      expect.unreachable();
    } catch (error) {
      const { message, stack, cause } = error as Error;
      expect(`${message}${stack}${String(cause)}`).not.toMatch(/hunter2/);
      expect(`${message}${stack}`).not.toContain(key);
    }
  });

  it.each([
    ["no key", []],
    ["a short key", [randomBytes(16).toString("base64")]],
    ["a long key", [randomBytes(33).toString("base64")]],
    ["text that is not base64", ["*".repeat(44)]],
    ["an empty key beside a good one", [newKey(), ""]],
  ])("refuses %s", (_title, keys) => {
    expect(() => createColumnCipher({ keys })).toThrow(expect.objectContaining({ code: "invalid_key" }));
  });
});

import { describe, expect, it } from "vitest";
import { channelSubscriptions } from "../src/desk/channels.js";

const TYPES = ["ticket.created", "machine.registered", "machine.approved", "machine.denied"];

describe("channelSubscriptions", () => {
  it("X2 sends each type to its own channels, and the rest to the default", () => {
    const channels = channelSubscriptions({ "ticket.created": ["1", "2"], default: ["3"] }, TYPES);
    expect(Object.fromEntries(channels)).toEqual({
      1: ["ticket.created"],
      2: ["ticket.created"],
      3: ["machine.registered", "machine.approved", "machine.denied"],
    });
  });

  it("X2 reads the spelling with an underscore too", () => {
    const channels = channelSubscriptions({ ticket_created: ["1"] }, TYPES);
    expect(Object.fromEntries(channels)).toEqual({ 1: ["ticket.created"] });
  });

  it("X3 sends a decision where its machine was announced, so that the message there changes", () => {
    const channels = channelSubscriptions({ "machine.registered": ["1"], default: ["2"] }, TYPES);
    expect(channels.get("1")).toEqual(["machine.registered", "machine.approved", "machine.denied"]);
  });

  it("X2 sends what happens to a ticket or an asset where it was announced too, so that the message there changes", () => {
    const types = ["ticket.created", "ticket.updated", "ticket.closed", "asset.created", "asset.updated"];
    const map = { "ticket.created": ["1"], "ticket.closed": ["3"], asset_created: ["2"], default: ["2"] };
    expect(Object.fromEntries(channelSubscriptions(map, types))).toEqual({
      1: ["ticket.created", "ticket.updated"],
      2: ["ticket.updated", "asset.created", "asset.updated"],
      3: ["ticket.closed"],
    });
  });

  it("refuses an entry that means no known type, naming it", () => {
    expect(() => channelSubscriptions({ "ticket.craeted": ["1"] }, TYPES)).toThrow(/ticket\.craeted/);
  });
});

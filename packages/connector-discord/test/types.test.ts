import type {
  APIInteraction,
  APIPingInteraction,
  GatewayGuildMemberAddDispatchData,
  GatewayMessageCreateDispatchData,
  GatewayMessageReactionAddDispatchData,
  GatewayMessageReactionRemoveDispatchData,
} from "discord-api-types/v10";
import { expect, expectTypeOf, it } from "vitest";
import type { z } from "zod";
import {
  button,
  type ChosenUser,
  defineButton,
  defineCommand,
  defineModal,
  defineSelect,
  reply,
  select,
  showModal,
  updateMessage,
} from "../src/index.js";
import type { memberAddSchema, messageCreateSchema, reactionSchema } from "../src/ingress/gateway-payloads.js";
import type { interactionSchema } from "../src/interactions/payload.js";

type Input<Schema extends z.ZodType> = z.input<Schema>;

it("reads what Discord's types say is sent", () => {
  expectTypeOf<Exclude<APIInteraction, APIPingInteraction>>().toExtend<Input<typeof interactionSchema>>();
  expectTypeOf<GatewayMessageCreateDispatchData>().toExtend<Input<typeof messageCreateSchema>>();
  expectTypeOf<GatewayMessageReactionAddDispatchData>().toExtend<Input<typeof reactionSchema>>();
  expectTypeOf<GatewayMessageReactionRemoveDispatchData>().toExtend<Input<typeof reactionSchema>>();
  expectTypeOf<GatewayGuildMemberAddDispatchData>().toExtend<Input<typeof memberAddSchema>>();
  expect.assertions(0);
});

// The compiler checks this file; at run time it only shows that the definitions are accepted.
it("gives handlers what their definitions say", () => {
  const modal = defineModal({
    name: "ticket",
    title: "Ticket",
    fields: {
      title: { kind: "text", label: "Title" },
      note: { kind: "text", label: "Note", required: false },
    },
    params: ["desk"],
    answer: "deferred",
    run: async ({ fields, params }) => {
      expectTypeOf(fields.title).toEqualTypeOf<string>();
      expectTypeOf(fields.note).toEqualTypeOf<string | null>();
      expectTypeOf(params).toEqualTypeOf<Readonly<Record<"desk", string>>>();
      // @ts-expect-error there is no such field
      fields.body;
      return reply("ok");
    },
  });
  const approve = defineButton({
    name: "approve",
    params: ["machineId"],
    answer: "deferred-update",
    run: async ({ params }) => {
      expectTypeOf(params.machineId).toEqualTypeOf<string>();
      return updateMessage({});
    },
  });
  const command = defineCommand({
    name: "show",
    description: "Shows",
    options: {
      count: {
        type: "integer",
        description: "How many",
        required: true,
        autocomplete: ({ value }) => {
          expectTypeOf(value).toEqualTypeOf<string>();
          return [{ name: value, value: Number(value) }];
        },
      },
    },
    answer: "immediate",
    run: ({ options }) => {
      expectTypeOf(options.count).toEqualTypeOf<number>();
      return showModal(modal, { params: { desk: "a" } });
    },
  });

  const level = defineSelect({
    name: "level",
    params: ["ticketId"],
    choose: [
      { label: "Low", value: "low" },
      { label: "High", value: "high" },
    ],
    answer: "deferred-update",
    run: async ({ values: [chosen, ...others] }) => {
      expectTypeOf(chosen).toEqualTypeOf<"low" | "high">();
      expectTypeOf(others).toEqualTypeOf<("low" | "high")[]>();
      return updateMessage({});
    },
  });
  defineSelect({
    name: "people",
    choose: "users",
    minValues: 0,
    answer: "immediate",
    run: ({ values }) => {
      expectTypeOf(values).toEqualTypeOf<readonly ChosenUser[]>();
      return reply("ok");
    },
  });
  select(level, { params: { ticketId: "1" }, chosen: ["low"] });
  // @ts-expect-error the menu needs its param
  select(level);

  button(approve, { label: "Approve", params: { machineId: "1" } });
  // @ts-expect-error the button needs its param
  button(approve, { label: "Approve" });
  // @ts-expect-error the modal needs its param
  showModal(modal);
  // @ts-expect-error a command has no message to change
  defineCommand({ name: "x", description: "x", answer: "immediate", run: () => updateMessage({}) });
  // @ts-expect-error a modal can't follow a deferral
  defineCommand({
    name: "x",
    description: "x",
    answer: "deferred",
    run: async () => showModal(modal, { params: { desk: "a" } }),
  });

  expect([modal.kind, approve.kind, command.kind]).toEqual(["modal", "button", "command"]);
});

import { z } from "zod";

const snowflake = z.string().regex(/^\d{1,20}$/);

const user = z.object({
  id: snowflake,
  username: z.string(),
  global_name: z.string().nullish(),
});

/**
 * What is read of an interaction, whatever else Discord sends along. Everything but `token` and `data` may be kept
 * until a deferred handler runs.
 */
export const interactionSchema = z
  .object({
    id: snowflake,
    application_id: snowflake,
    type: z.number().int(),
    token: z.string().min(1).max(2_000),
    guild_id: snowflake.nullish(),
    channel_id: snowflake.nullish(),
    channel: z.object({ name: z.string().nullish() }).nullish(),
    locale: z.string().nullish(),
    user: user.nullish(),
    member: z
      .object({
        user,
        nick: z.string().nullish(),
        roles: z.array(snowflake).default([]),
        permissions: z.string().regex(/^\d+$/).nullish(),
      })
      .nullish(),
    message: z.object({ id: snowflake, channel_id: snowflake.nullish() }).nullish(),
    data: z.unknown().optional(),
  })
  .refine((interaction) => (interaction.member?.user ?? interaction.user ?? null) !== null, "nobody asks");

export type InteractionPayload = z.infer<typeof interactionSchema>;

export const commandDataSchema = z.object({
  name: z.string(),
  type: z.number().int().default(1),
  options: z
    .array(
      z.object({
        name: z.string(),
        value: z.union([z.string(), z.number(), z.boolean()]).optional(),
      }),
    )
    .default([]),
});

export const componentDataSchema = z.object({ custom_id: z.string(), component_type: z.number().int() });

const submittedField = z.object({
  custom_id: z.string(),
  value: z.string().nullish(),
  values: z.array(z.string()).nullish(),
});

/** Labels hold one component, the older action rows hold a list. */
export const modalDataSchema = z.object({
  custom_id: z.string(),
  components: z
    .array(
      z.object({
        component: submittedField.optional(),
        components: z.array(submittedField).optional(),
      }),
    )
    .default([]),
});

/** Discord's numbers. */
export const INTERACTION = { ping: 1, command: 2, component: 3, autocomplete: 4, modal: 5 } as const;
export const CALLBACK = {
  pong: 1,
  message: 4,
  deferredMessage: 5,
  deferredUpdate: 6,
  update: 7,
  autocomplete: 8,
  modal: 9,
} as const;
export const EPHEMERAL = 1 << 6;

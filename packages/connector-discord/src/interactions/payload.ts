import { z } from "zod";

const snowflake = z.string().regex(/^\d{1,20}$/);

const user = z.object({
  id: snowflake,
  username: z.string(),
  global_name: z.string().nullish(),
});

export type UserPayload = z.infer<typeof user>;

/** A member as it stands beside a user; `resolved` leaves the user out. */
const member = z.object({
  nick: z.string().nullish(),
  roles: z.array(snowflake).default([]),
  permissions: z.string().regex(/^\d+$/).nullish(),
});

export type MemberPayload = z.infer<typeof member>;

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
    member: member.extend({ user }).nullish(),
    message: z.object({ id: snowflake, channel_id: snowflake.nullish() }).nullish(),
    data: z.unknown().optional(),
  })
  .refine((interaction) => (interaction.member?.user ?? interaction.user ?? null) !== null, "nobody asks");

export type InteractionPayload = z.infer<typeof interactionSchema>;

const byId = <Schema extends z.ZodType>(schema: Schema) => z.record(snowflake, schema).default({});

/** What Discord says of the ids in an interaction's data. */
const resolvedSchema = z.object({
  users: byId(user),
  members: byId(member),
  roles: byId(z.object({ id: snowflake, name: z.string() })),
  channels: byId(z.object({ id: snowflake, name: z.string().nullish(), type: z.number().int() })),
  messages: byId(
    z.object({ id: snowflake, channel_id: snowflake.nullish(), content: z.string().default(""), author: user }),
  ),
  attachments: byId(
    z.object({
      filename: z.string(),
      size: z.number().int().min(0),
      content_type: z.string().nullish(),
      url: z.url(),
    }),
  ),
});

export type Resolved = z.infer<typeof resolvedSchema>;

const resolved = resolvedSchema.default(() => resolvedSchema.parse({}));

const commandOption = z.object({
  name: z.string(),
  type: z.number().int().optional(),
  value: z.union([z.string(), z.number(), z.boolean()]).optional(),
  /** What is being typed, while choices are asked for. */
  focused: z.boolean().optional(),
});

export const commandDataSchema = z.object({
  name: z.string(),
  type: z.number().int().default(1),
  /** Of a command in a user's or a message's menu. */
  target_id: snowflake.nullish(),
  resolved,
  /** A subcommand is an option that has options. */
  options: z.array(commandOption.extend({ options: z.array(commandOption).default([]) })).default([]),
});

export const componentDataSchema = z.object({
  custom_id: z.string(),
  component_type: z.number().int(),
  /** What was chosen in a menu. */
  values: z.array(z.string()).max(25).default([]),
  resolved,
});

const submittedField = z.object({
  custom_id: z.string(),
  value: z.union([z.string(), z.boolean()]).nullish(),
  values: z.array(z.string()).max(25).nullish(),
});

export type SubmittedField = z.infer<typeof submittedField>;

/** Labels hold one component, the older action rows hold a list. */
export const modalDataSchema = z.object({
  custom_id: z.string(),
  resolved,
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
export const COMMAND_TYPE = { slash: 1, user: 2, message: 3 } as const;
export const OPTION_SUBCOMMAND = 1;
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

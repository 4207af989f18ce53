import {
  code,
  type DiscordInteraction,
  defineCommand,
  defineMessageCommand,
  defineModal,
  markdown,
  reply,
  type SelectField,
  showModal,
  type TextField,
} from "@hookline/connector-discord";
import { STAFF } from "./ticket-actions.js";
import type { NotTaken, TicketIntake } from "./ticket-intake.js";

/** A priority as members choose it, and the number that it stands for. */
export interface TicketPriority {
  readonly label: string;
  readonly level: number;
}

/** A field of the modal beside title, description and priority. */
export interface FurtherField {
  /** Its name in what is submitted, such as `category`. */
  readonly name: string;
  readonly label: string;
  readonly placeholder?: string | undefined;
  readonly required: boolean;
}

const MAX_TITLE_CHARACTERS = 200;
const MAX_DESCRIPTION_CHARACTERS = 3_000;

/**
 * `/ticket`, and "Create ticket from message" in the menu of a message: a modal, then a ticket where the intake takes it,
 * and a private answer with its number or a reason.
 */
export function createTicketCommands(options: {
  readonly intake: TicketIntake;
  readonly priorities: readonly TicketPriority[];
  readonly further: readonly FurtherField[];
}) {
  const { intake, priorities, further } = options;
  const normal = Math.min(1, priorities.length - 1);
  const fields: Readonly<Record<string, TextField | SelectField>> = {
    title: { kind: "text", label: "Title", placeholder: "What is it about?", maxLength: MAX_TITLE_CHARACTERS },
    description: { kind: "text", label: "Description", style: "paragraph", maxLength: MAX_DESCRIPTION_CHARACTERS },
    priority: {
      kind: "select",
      label: "Priority",
      options: priorities.map(({ label }, index) => ({
        label,
        value: optionValueOf(label),
        default: index === normal,
      })),
    },
    ...Object.fromEntries(
      further.map(({ name, label, placeholder, required }) => [
        `further-${name}`,
        { kind: "text", label, required, maxLength: 300, ...(placeholder === undefined ? {} : { placeholder }) },
      ]),
    ),
  };

  type Submitted = DiscordInteraction & { readonly fields: Readonly<Record<string, string | null>> };

  async function submit(interaction: Submitted, requesterId: string) {
    const { id, tenantId, user, channelName, createdAt, lastAttempt, signal, fields: submitted } = interaction;
    const filled = further
      .map(({ name }) => [name, submitted[`further-${name}`]] as const)
      .filter((entry): entry is readonly [string, string] => typeof entry[1] === "string" && entry[1] !== "");
    const ticket = {
      tenantId,
      requestKey: `discord:${id}`,
      title: submitted.title ?? "",
      description: submitted.description ?? "",
      priority: priorities.find(({ label }) => optionValueOf(label) === submitted.priority)?.level ?? 0,
      further: Object.fromEntries(filled),
      requesterId,
      userId: user.id,
      userName: user.username,
      channelName,
      submittedAt: createdAt,
    };
    const outcome = await intake.submit(ticket, signal);
    if (outcome.ok) {
      const { reference } = outcome;
      const which = reference === null ? "Your ticket" : markdown`Ticket **${reference}**`;
      return reply(markdown`${which} is open. The desk has it now.`);
    }
    // A throw is tried again, three times in all, each after twice the time.
    if (outcome.retry && !lastAttempt) throw new Error(outcome.reason);
    return reply({ content: notTaken(outcome), embeds: [{ title: ticket.title, description: ticket.description }] });
  }

  const modal = defineModal({
    name: "ticket",
    title: "Open a ticket",
    fields,
    answer: "deferred",
    run: (interaction) => submit(interaction, interaction.user.id),
  });

  // A ticket in somebody else's name is the staff's to open.
  const modalOfMessage = defineModal({
    name: "ticket-of-message",
    title: "Open a ticket",
    params: ["authorId"],
    fields,
    ...STAFF,
    answer: "deferred",
    run: (interaction) => submit(interaction, interaction.params.authorId),
  });

  const messageCommand = defineMessageCommand({
    name: "Create ticket from message",
    visibleTo: STAFF.requires,
    ...STAFF,
    answer: "immediate",
    run: ({ target, guildId, channelId }) => {
      const source = `Message by ${target.author.username}: ${linkTo({ guildId, channelId: target.channelId ?? channelId, messageId: target.id })}`;
      const [firstLine = ""] = target.content.trim().split("\n");
      return showModal(modalOfMessage, {
        params: { authorId: target.author.id },
        values: {
          title: cut(firstLine, MAX_TITLE_CHARACTERS),
          description: `${cut(target.content, MAX_DESCRIPTION_CHARACTERS - source.length - 2)}\n\n${source}`.trim(),
        },
      });
    },
  });

  const command = defineCommand({
    name: "ticket",
    description: "Open a ticket at the support desk",
    answer: "immediate",
    run: () => showModal(modal),
  });

  return { commands: [command, messageCommand], modals: [modal, modalOfMessage] };
}

/** Above what the member wrote, which would be lost otherwise. */
function notTaken({ reason, mayHaveArrived = false }: NotTaken) {
  const again = markdown`${code("/ticket")} opens the form again. You wrote:`;
  if (!mayHaveArrived) return markdown`Your ticket was not taken. ${reason} ${again}`;
  return markdown`It is not certain that your ticket arrived. ${reason} Ask the desk first; ${again}`;
}

/** What Discord opens a message by. */
function linkTo(message: { guildId: string | null; channelId: string | null; messageId: string }): string {
  return `https://discord.com/channels/${message.guildId ?? "@me"}/${message.channelId}/${message.messageId}`;
}

/** Whole characters, with a sign that something is missing. */
function cut(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  return `${text.slice(0, maxCharacters - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

const optionValueOf = (label: string): string => label.toLowerCase();

import {
  code,
  defineCommand,
  defineModal,
  type ModalField,
  markdown,
  reply,
  showModal,
} from "@hookline/connector-discord";
import type { TicketIntake } from "./ticket-intake.js";

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

/** `/ticket`: a modal, then a ticket where the intake takes it, and a private answer with its number or a reason. */
export function createTicketCommand(options: {
  readonly intake: TicketIntake;
  readonly priorities: readonly TicketPriority[];
  readonly further: readonly FurtherField[];
}) {
  const { intake, priorities, further } = options;
  const normal = Math.min(1, priorities.length - 1);
  const fields: Readonly<Record<string, ModalField>> = {
    title: { kind: "text", label: "Title", placeholder: "What is it about?", maxLength: 200 },
    description: { kind: "text", label: "Description", style: "paragraph", maxLength: 3_000 },
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

  const modal = defineModal({
    name: "ticket",
    title: "Open a ticket",
    fields,
    answer: "deferred",
    async run({ id, tenantId, user, channelName, createdAt, lastAttempt, signal, fields: submitted }) {
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
        userId: user.id,
        userName: user.username,
        channelName,
        submittedAt: createdAt,
      };
      const outcome = await intake.submit(ticket, signal);
      if (outcome.ok) return reply(markdown`Ticket **${outcome.reference}** is open. The desk has it now.`);
      // A throw is tried again, three times in all, each after twice the time.
      if (outcome.retry && !lastAttempt) throw new Error(outcome.reason);
      return reply(markdown`Your ticket was not taken. ${outcome.reason} ${code("/ticket")} tries it again.`);
    },
  });

  const command = defineCommand({
    name: "ticket",
    description: "Open a ticket at the support desk",
    answer: "immediate",
    run: () => showModal(modal),
  });

  return { command, modal };
}

const optionValueOf = (label: string): string => label.toLowerCase();

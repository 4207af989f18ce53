import type { Event } from "@hookline/core";
import { DiscordConnectorError } from "../errors.js";
import { createMessageTemplates, type DiscordMessageTemplate } from "../message/message-template.js";
import type { DiscordTemplate } from "./discord-destination.js";

export interface MessageTemplateDefinition extends DiscordMessageTemplate {
  /** A template for what the event is about, such as `{{ data.id }}`: a later event about it edits the message. */
  readonly entity?: string;
}

/**
 * Makes a template of {@link discordDestination} from JSON with Liquid in its texts.
 *
 * @throws DiscordConnectorError `invalid_definition`, with what is wrong where
 *
 * @example
 * defineMessageTemplate({
 *   title: "{{ data.number }} · {{ data.title }}",
 *   url: "https://desk.example.com/tickets/{{ data.id }}",
 *   color: "{% if data.priority == 'urgent' %}#e74c3c{% else %}#3498db{% endif %}",
 *   fields: [{ name: "From", value: "{{ data.customer_name }}", inline: true }],
 *   entity: "{{ data.id }}",
 * })
 */
export function defineMessageTemplate({ entity, ...template }: MessageTemplateDefinition): DiscordTemplate {
  const templates = createMessageTemplates();
  const about = entity === undefined ? undefined : { footer: entity };
  const issues = [
    ...templates.issues({ "*": template }).map(({ path, message }) => `${path.slice(1).join(".")} ${message}`),
    ...(about === undefined ? [] : templates.issues({ "*": about }).map(({ message }) => `entity ${message}`)),
  ];
  if (issues.length > 0) {
    throw new DiscordConnectorError("invalid_definition", `The message template will not do: ${issues.join("; ")}.`);
  }
  return {
    message: (event: Event) => templates.apply(template, event, {}),
    ...(about === undefined
      ? {}
      : { entity: (event: Event) => templates.apply(about, event, {}).embeds?.[0]?.footer || undefined }),
  };
}

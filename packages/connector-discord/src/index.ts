export { createDiscordConnector, type DiscordConnector, type DiscordConnectorOptions } from "./connector.js";
export {
  type DiscordDestinationOptions,
  type DiscordTarget,
  type DiscordTemplate,
  discordDestination,
} from "./destination/discord-destination.js";
export type { DiscordMessageState } from "./destination/message-state.js";
export {
  type DiscordApiErrorDetails,
  DiscordConnectorError,
  type DiscordConnectorErrorCode,
  isDiscordConnectorError,
} from "./errors.js";
export {
  INGRESS_LIMITS,
  type IngressAnswer,
  type IngressBatch,
  type IngressGap,
  type IngressItem,
  type IngressResult,
} from "./ingress-contract.js";
export { ingressScheme } from "./ingress-scheme.js";
export {
  type ModalAnswer,
  type ModalRoute,
  type ReplyAnswer,
  reply,
  showModal,
  type UpdateAnswer,
  updateMessage,
} from "./interactions/answers.js";
export type { CommandOption, CommandOptions, CommandOptionValues } from "./interactions/command-options.js";
export { type ButtonDefinition, type DiscordButton, defineButton } from "./interactions/define-button.js";
export { type CommandDefinition, type DiscordCommand, defineCommand } from "./interactions/define-command.js";
export { type DiscordModal, defineModal, type ModalDefinition } from "./interactions/define-modal.js";
export { FOLLOW_UP_DESTINATION_ID as DISCORD_FOLLOW_UP_DESTINATION_ID } from "./interactions/follow-up-message.js";
export type { CommandHandling, ComponentHandling, Guarded } from "./interactions/handling.js";
export type {
  ButtonInteraction,
  CommandInteraction,
  DiscordInteraction,
  DiscordMember,
  DiscordUser,
  InteractionMessage,
  ModalInteraction,
} from "./interactions/interaction.js";
export type { ConfirmRequest, ConfirmResult, RequestConfirm } from "./interactions/link.js";
export type {
  ModalField,
  ModalFieldValues,
  SelectField,
  SelectFieldOption,
  TextField,
} from "./interactions/modal-fields.js";
export type { PermissionName, Requirement } from "./interactions/requirement.js";
export { code, escapeMarkdown, type Markdown, markdown, type Text } from "./message/markdown.js";
export {
  type ActionButton,
  type ButtonOptions,
  type ButtonRoute,
  type ButtonStyle,
  button,
  type LinkButton,
  linkButton,
  type MessageContent,
  type MessageEmbed,
} from "./message/message-content.js";
export type {
  DerivedPatch,
  InstalledGuild,
  OAuthStart,
  ResolveContactRequest,
} from "./oauth/oauth.js";
export type { OAuthPurpose } from "./oauth/oauth-state.js";
export { DISCORD_INTENTS, DISCORD_PROVIDER_ID } from "./provider.js";
export type { RoleGrant, RoleGrantResult } from "./rest/grant-role.js";
export type { RegisterCommandsOptions, RegisteredCommands } from "./rest/register-commands.js";

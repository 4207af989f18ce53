export type { DiscordActionFailure, DiscordActionResult, DiscordRefusalCode } from "./actions/action-result.js";
export type {
  ChannelMessage,
  DirectMessage,
  DiscordActions,
  EditedMessage,
  MemberRole,
  SentMessage,
} from "./actions/discord-actions.js";
export { createDiscordConnector, type DiscordConnector, type DiscordConnectorOptions } from "./connector.js";
export { defineMessageTemplate, type MessageTemplateDefinition } from "./destination/define-message-template.js";
export {
  type DiscordDestinationOptions,
  type DiscordTemplate,
  discordDestination,
} from "./destination/discord-destination.js";
export type { DiscordTarget } from "./destination/discord-target.js";
export type { DiscordMessageState } from "./destination/message-state.js";
export { discordEvents } from "./discord-events.js";
export {
  type DiscordApiErrorDetails,
  DiscordConnectorError,
  type DiscordConnectorErrorCode,
  isDiscordConnectorError,
} from "./errors.js";
export type { KeptNoise } from "./ingress/transformed.js";
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
  type FieldPrefill,
  type ModalAnswer,
  type ModalRoute,
  type ReplyAnswer,
  reply,
  showModal,
  type UpdateAnswer,
  updateMessage,
} from "./interactions/answers.js";
export type {
  ChannelTypeName,
  ChoiceOption,
  ChosenChannel,
  ChosenMentionable,
  ChosenRole,
  ChosenUser,
  OptionRequest,
  OptionSource,
  SelectChoice,
} from "./interactions/choices.js";
export type {
  CommandChoice,
  CommandOption,
  CommandOptions,
  CommandOptionValues,
} from "./interactions/command-options.js";
export type { Cooldown } from "./interactions/cooldown.js";
export { type ButtonDefinition, type DiscordButton, defineButton } from "./interactions/define-button.js";
export { type CommandDefinition, type DiscordCommand, defineCommand } from "./interactions/define-command.js";
export {
  type CommandGroupDefinition,
  type DiscordCommandGroup,
  defineCommandGroup,
} from "./interactions/define-command-group.js";
export {
  type ContextCommandDefinition,
  type DiscordMessageCommand,
  type DiscordUserCommand,
  defineMessageCommand,
  defineUserCommand,
} from "./interactions/define-context-command.js";
export { type DiscordModal, defineModal, type ModalDefinition } from "./interactions/define-modal.js";
export { type DiscordSelect, defineSelect, type SelectDefinition } from "./interactions/define-select.js";
export { FOLLOW_UP_DESTINATION_ID as DISCORD_FOLLOW_UP_DESTINATION_ID } from "./interactions/follow-up-message.js";
export type { AnyCommand, AnyComponent } from "./interactions/handlers.js";
export type { CommandHandling, ComponentHandling, Guarded } from "./interactions/handling.js";
export type {
  AutocompleteInteraction,
  ButtonInteraction,
  CommandInteraction,
  DiscordInteraction,
  DiscordMember,
  DiscordUser,
  InteractionMessage,
  MessageCommandInteraction,
  ModalInteraction,
  SelectInteraction,
  UserCommandInteraction,
} from "./interactions/interaction.js";
export type { ConfirmRequest, ConfirmResult, RequestConfirm } from "./interactions/link.js";
export type {
  CheckboxesField,
  CheckboxField,
  EntityField,
  FileField,
  ModalField,
  ModalFieldValues,
  MultiSelectField,
  RadioField,
  SelectField,
  TextField,
  UploadedFile,
} from "./interactions/modal-fields.js";
export type { PermissionName, Requirement } from "./interactions/requirement.js";
export type { Unlink, UnlinkRequest } from "./interactions/unlink.js";
export type {
  DiscordAccount,
  LinkedRoleField,
  LinkedRolesOptions,
  LinkedRoleTokenStore,
  LinkedRoleTokens,
  LinkedRoleValues,
} from "./linked-roles/options.js";
export type { RegisteredLinkedRoleFields } from "./linked-roles/register-fields.js";
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
export type { DiscordMessageTemplate, DiscordMessageTemplates } from "./message/message-template.js";
export type { Mentions } from "./message/render-message.js";
export { type SelectArguments, type SelectMenu, type SelectRoute, select } from "./message/select-menu.js";
export type {
  DerivedPatch,
  DerivedRefusal,
  InstalledGuild,
  OAuthLinkAddress,
  OAuthStart,
  ResolveContactRefusal,
  ResolveContactRequest,
} from "./oauth/oauth.js";
export type { OAuthPurpose } from "./oauth/oauth-state.js";
export { DISCORD_INTENTS, DISCORD_PROVIDER_ID } from "./provider.js";
export {
  createDiscordRateLimits,
  type DiscordRateLimits,
  type DiscordRateLimitsOptions,
  type RateLimitPlace,
  type RateLimitWait,
  type RestAnswer,
} from "./rest/rate-limits.js";
export type {
  CommandMemory,
  CommandName,
  CommandReference,
  RegisterCommandsOptions,
  RegisteredCommands,
} from "./rest/register-commands.js";
export type { LimitedRequest } from "./rest/rest-route.js";

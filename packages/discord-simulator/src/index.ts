export {
  type ConnectedSimulator,
  connectSimulator,
} from "./control/connect-simulator.js";
export type {
  Authorization,
  FieldValues,
  FileInput,
  InteractionFailure,
  InteractionHandle,
  InteractionView,
  MessageQuery,
  MessageReference,
  ModalField,
  NewMember,
  OptionValues,
  PermissionName,
  RequestLogEntry,
  RestState,
  SentWebhookEvent,
  SimulatedApplication,
  SimulatedCommand,
  SimulatedGuild,
  SimulatedGuildMember,
  SimulatedMember,
  SimulatedMessage,
  SimulatorControl,
  SimulatorFaults,
  SimulatorState,
  VoiceSettings,
  WebhookEventType,
} from "./control/contract.js";
export { DiscordSimulatorError, type DiscordSimulatorErrorCode, isDiscordSimulatorError } from "./errors.js";
export type { DiscordSimulatorOptions, PrivilegedIntent } from "./options.js";
export type { RateLimitRules } from "./rest/rate-limits.js";
export { createDiscordSimulator, type DiscordSimulator } from "./simulator.js";

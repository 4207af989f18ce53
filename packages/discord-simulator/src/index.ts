export {
  type ConnectedSimulator,
  connectSimulator,
} from "./control/connect-simulator.js";
export type {
  FieldValues,
  InteractionFailure,
  InteractionHandle,
  InteractionView,
  MessageQuery,
  MessageReference,
  ModalField,
  NewMember,
  OptionValues,
  RequestLogEntry,
  SimulatedApplication,
  SimulatedCommand,
  SimulatedGuild,
  SimulatedGuildMember,
  SimulatedMember,
  SimulatedMessage,
  SimulatorControl,
  SimulatorFaults,
  SimulatorState,
} from "./control/contract.js";
export { DiscordSimulatorError, type DiscordSimulatorErrorCode, isDiscordSimulatorError } from "./errors.js";
export type { DiscordSimulatorOptions, PrivilegedIntent } from "./options.js";
export { createDiscordSimulator, type DiscordSimulator } from "./simulator.js";

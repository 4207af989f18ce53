export {
  type Action,
  type ActionContext,
  type ActionResult,
  defineAction,
  type ExternalAction,
  type TransactionalAction,
} from "./action.js";
export { type Clock, systemClock } from "./clock.js";
export { CONDITION_OPERATORS, type Condition, type ConditionIssue, conditionIssues } from "./condition.js";
export { type CountedOperations, countOperations } from "./condition-steps.js";
export {
  type AcceptOptions,
  type Connector,
  type ConnectorContext,
  type ConnectorRoute,
  type CountedUse,
  defineConnector,
  type UseCount,
} from "./connector.js";
export {
  type Destination,
  type DestinationContext,
  type DestinationEndpoint,
  type DestinationRequest,
  type DestinationResponse,
  defineDestination,
  type Interpretation,
  type Plan,
  type RequestTls,
} from "./destination.js";
export { type CodedError, isErrorNamed } from "./errors.js";
export { defineEvent, type Event, type EventDefinition, type EventInput } from "./event.js";
export { newId } from "./id.js";
export { identitySubject } from "./identity-subject.js";
export type { Identity, IngestInput, IngestOptions, IngestResult } from "./ingest.js";
export { type Logger, silentLogger } from "./logger.js";
export type { Mail, Mailer } from "./mailer.js";
export {
  type DeliveryAttempt,
  type DirectSend,
  type EventAttempt,
  type EventLog,
  type EventQuery,
  OUTBOX_REFUSALS,
  type Outbox,
  type OutboxOptions,
  type OutboxRefusal,
  type Published,
  type PublishOutcome,
  type RecordedSend,
  type SendQuery,
  type Subscription,
} from "./outbox.js";
export { type Problem, problemResponse } from "./problem.js";
export { type ReadText, readText } from "./read-text.js";
export type { SchemaIssue, SchemaResult, StandardSchema } from "./schema.js";
export type { SharedEntry, SharedState, SharedValue } from "./shared-state.js";
export { defineSource, type Source, type SourceContext, type SourceEvent } from "./source.js";
export { countCharacters, type LimitedTemplates, limitTemplates, type TemplateLimits } from "./template-limits.js";
export type { SqlQuery, Transaction } from "./transaction.js";
